//! Slices whose begins and ends count or do not, as masks say it.

/// Where ONNX's slice begins and ends in each dimension, and the dimensions of which one place is taken and which go. The masks
/// tell where it begins with the first place, where it ends with the last, and where it takes one.
pub(in crate::weights) fn strided(
    begin: &[i64],
    end: &[i64],
    steps: &[i64],
    [is_first, is_last, is_one]: [&dyn Fn(usize) -> bool; 3],
) -> [Vec<i64>; 3] {
    let (mut starts, mut ends, mut ones) = (Vec::new(), Vec::new(), Vec::new());
    for (place, (&begin, &step)) in begin.iter().zip(steps).enumerate() {
        let start = match (is_first(place), step < 0) {
            (false, _) => begin,
            (true, false) => 0,
            (true, true) => i64::MAX,
        };
        starts.push(start);
        ends.push(match () {
            () if is_one(place) && start == -1 => i64::MAX,
            () if is_one(place) => start.saturating_add(1),
            () if !is_last(place) => end.get(place).copied().unwrap_or(i64::MAX),
            () if step < 0 => i64::MIN,
            () => i64::MAX,
        });
        if is_one(place) {
            ones.push(place as i64);
        }
    }
    [starts, ends, ones]
}
