//! Spreading a loop over the processor's threads; in the browser, where a wasm instance has one, it stays a loop.
//!
//! What is summed is cut at places that do not depend on the number of threads, so results are the same to the bit on
//! every machine.

use std::ops::Range;

/// Sums are made of so many partial ones.
const PARTS: usize = 8;

/// Calls `work` with each `length` values and their place; `length` must divide.
pub fn for_each_chunk<T: Send>(values: &mut [T], length: usize, work: impl Fn(usize, &mut [T]) + Send + Sync) {
    #[cfg(not(target_arch = "wasm32"))]
    {
        use rayon::prelude::*;
        values.par_chunks_mut(length).enumerate().for_each(|(place, chunk)| work(place, chunk));
    }
    #[cfg(target_arch = "wasm32")]
    values.chunks_mut(length).enumerate().for_each(|(place, chunk)| work(place, chunk));
}

/// The sum of what `work` adds to `length` zeros for each of `0 .. count`.
pub fn sum(count: usize, length: usize, work: impl Fn(usize, &mut [f32]) + Send + Sync) -> Vec<f32> {
    let parts = PARTS.min(count).max(1);
    let range = |part: usize| -> Range<usize> { part * count / parts..(part + 1) * count / parts };
    let mut sums = vec![0.0; parts * length];
    for_each_chunk(&mut sums, length, |part, sum| range(part).for_each(|index| work(index, sum)));
    let (total, rest) = sums.split_at_mut(length);
    for part in rest.chunks_exact(length) {
        total.iter_mut().zip(part).for_each(|(total, part)| *total += part);
    }
    sums.truncate(length);
    sums
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_index_is_summed_once() {
        for count in [0, 1, 7, 8, 9, 100] {
            let sum = super::sum(count, 2, |index, sum| {
                sum[0] += 1.0;
                sum[1] += index as f32;
            });
            assert_eq!(sum, [count as f32, (0..count).sum::<usize>() as f32]);
        }
    }
}
