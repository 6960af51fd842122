//! Spreading a loop over the processor's threads; in the browser, where a wasm instance has one, it stays a loop.
//!
//! What is summed is cut at places that do not depend on the number of threads, so results are the same to the bit on
//! every machine.

use std::ops::Range;

/// How many threads there are to spread over.
pub fn threads() -> usize {
    #[cfg(not(target_arch = "wasm32"))]
    return rayon::current_num_threads();
    #[cfg(target_arch = "wasm32")]
    return 1;
}

/// Does `work`, whose many short loops so many threads are to share: they stay awake from one loop to the next, as waking one
/// takes as long as some of the loops. Threads that have other work do that first.
pub fn awake<T: Send>(threads: usize, work: impl FnOnce() -> T + Send) -> T {
    #[cfg(not(target_arch = "wasm32"))]
    if threads > 1 {
        use std::sync::atomic::{AtomicBool, Ordering};

        struct Done<'a>(&'a AtomicBool);
        impl Drop for Done<'_> {
            fn drop(&mut self) {
                self.0.store(true, Ordering::Release);
            }
        }
        let over = AtomicBool::new(false);
        // Threads steal what was there first, so whoever does a part of `work` has come by here: `work` can wait
        // for others only when all of these are taken, and never takes one itself.
        let wait = |_: &rayon::Scope| {
            while !over.load(Ordering::Acquire) {
                if rayon::yield_now() != Some(rayon::Yield::Executed) {
                    std::hint::spin_loop();
                }
            }
        };
        return rayon::scope(|scope| {
            let _done = Done(&over);
            (1..threads).for_each(|_| scope.spawn(wait));
            work()
        });
    }
    let _ = threads;
    work()
}

/// Sums are made of so many partial ones.
const PARTS: usize = 8;

/// Calls `work` with each `length` values and their place; the last may be fewer.
pub fn for_each_chunk<T: Send>(values: &mut [T], length: usize, work: impl Fn(usize, &mut [T]) + Send + Sync) {
    for_each_chunk_with(values, length, || (), |(), place, chunk| work(place, chunk));
}

/// The same with a scratch, which a thread makes once for many chunks.
pub fn for_each_chunk_with<T: Send, S>(
    values: &mut [T],
    length: usize,
    scratch: impl Fn() -> S + Send + Sync,
    work: impl Fn(&mut S, usize, &mut [T]) + Send + Sync,
) {
    #[cfg(not(target_arch = "wasm32"))]
    {
        use rayon::prelude::*;
        let chunks = values.par_chunks_mut(length).enumerate();
        chunks.for_each_init(scratch, |scratch, (place, chunk)| work(scratch, place, chunk));
    }
    #[cfg(target_arch = "wasm32")]
    {
        let mut scratch = scratch();
        values.chunks_mut(length).enumerate().for_each(|(place, chunk)| work(&mut scratch, place, chunk));
    }
}

/// The same with a part of a scratch for each chunk.
pub fn for_each_chunk_with_part<T: Send>(
    values: &mut [T],
    length: usize,
    scratch: &mut [f32],
    part: usize,
    work: impl Fn(usize, &mut [T], &mut [f32]) + Send + Sync,
) {
    #[cfg(not(target_arch = "wasm32"))]
    {
        use rayon::prelude::*;
        let chunks = values.par_chunks_mut(length).zip(scratch.par_chunks_mut(part)).enumerate();
        chunks.for_each(|(place, (chunk, scratch))| work(place, chunk, scratch));
    }
    #[cfg(target_arch = "wasm32")]
    {
        let chunks = values.chunks_mut(length).zip(scratch.chunks_mut(part)).enumerate();
        chunks.for_each(|(place, (chunk, scratch))| work(place, chunk, scratch));
    }
}

/// The sum of what `work` adds to `length` zeros for each of `0 .. count`.
pub fn sum<S>(
    count: usize,
    length: usize,
    scratch: impl Fn() -> S + Send + Sync,
    work: impl Fn(&mut S, usize, &mut [f32]) + Send + Sync,
) -> Vec<f32> {
    let parts = PARTS.min(count).max(1);
    let range = |part: usize| -> Range<usize> { part * count / parts..(part + 1) * count / parts };
    let mut sums = vec![0.0; parts * length];
    for_each_chunk_with(&mut sums, length, scratch, |scratch, part, sum| {
        range(part).for_each(|index| work(scratch, index, sum));
    });
    let (total, rest) = sums.split_at_mut(length);
    for part in rest.chunks_exact(length) {
        total.iter_mut().zip(part).for_each(|(total, part)| *total += part);
    }
    sums.truncate(length);
    sums
}

#[cfg(test)]
mod tests {
    /// Several such works at once in fewer threads than they ask for: none waits for what another holds.
    #[cfg(not(target_arch = "wasm32"))]
    #[test]
    fn threads_that_stay_awake_get_all_of_several_works_done() {
        for threads in 1..=4 {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
            let work = |count: &mut [u32]| {
                super::awake(threads + 1, || {
                    for _ in 0..300 {
                        super::for_each_chunk(count, 1, |_, count| count[0] += 1);
                    }
                });
            };
            let mut counts = vec![0; 9 * 5];
            pool.install(|| super::for_each_chunk(&mut counts, 5, |_, counts| work(counts)));
            assert!(counts.iter().all(|&count| count == 300), "{threads} threads: {counts:?}");
        }
    }

    #[cfg(not(target_arch = "wasm32"))]
    #[test]
    fn threads_that_stay_awake_go_when_the_work_panics() {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().expect("threads");
        let work = || pool.install(|| super::awake(2, || assert!(pool.current_num_threads() > 2, "as planned")));
        assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(work)).is_err());
    }

    #[test]
    fn every_index_is_summed_once() {
        for count in [0, 1, 7, 8, 9, 100] {
            let sum = super::sum(
                count,
                2,
                || (),
                |(), index, sum| {
                    sum[0] += 1.0;
                    sum[1] += index as f32;
                },
            );
            assert_eq!(sum, [count as f32, (0..count).sum::<usize>() as f32]);
        }
    }
}
