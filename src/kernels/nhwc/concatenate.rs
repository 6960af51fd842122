//! Channels taken out of a map, and maps' channels put side by side.

/// Copies `channels` of each pixel, from `from_first` of pixels `from_pitch` apart to `to_first` of pixels `to_pitch` apart.
pub fn copy_channels(
    channels: usize,
    (from, from_pitch, from_first): (&[f32], usize, usize),
    (to, to_pitch, to_first): (&mut [f32], usize, usize),
) {
    for (to, from) in to.chunks_exact_mut(to_pitch).zip(from.chunks_exact(from_pitch)) {
        to[to_first..][..channels].copy_from_slice(&from[from_first..][..channels]);
    }
}
