//! Images a second, and what takes the time.

use std::collections::BTreeMap;
use std::error::Error;
use std::time::{Duration, Instant};

use pollster::block_on;
use webreid::graph::frozen::{GpuError, GpuRunner, Timed};

use crate::frozen_cases::noise;
use crate::networks::{Network, devices, median, networks};
use crate::report::{KernelTime, Row, Speed};
use crate::section::Context;

pub const BATCHES: [usize; 4] = [1, 8, 32, 128];
const QUICK_BATCHES: [usize; 2] = [1, 4];
/// How long calls of a batch are measured, how many at the least unless they take long, and how often launches are then.
const MEASURE: Duration = Duration::from_millis(800);
const FEWEST_CALLS: usize = 3;
const LONG: Duration = Duration::from_secs(2);
const TIMES: usize = 5;

pub fn run(context: &Context) -> Result<(), Box<dyn Error>> {
    let devices = devices(context)?;
    let networks = networks(context, false)?;
    // The small batches of all first.
    for &batch in if context.quick { &QUICK_BATCHES[..] } else { &BATCHES } {
        for network in &networks {
            for (precision, gpu) in &devices {
                let what = || format!("{} in {precision}, batch {batch}", network.name);
                if context.cuts(what) {
                    return Ok(());
                }
                let runner = block_on(GpuRunner::new(gpu, &network.frozen))?;
                match measure(network, &runner, batch) {
                    Ok((ms, kernels)) => context.tell(Row::Speed(Speed {
                        network: network.name.clone(),
                        precision: (*precision).to_owned(),
                        batch,
                        ms,
                        images_per_second: batch as f64 / ms * 1e3,
                        kernels,
                    })),
                    Err(error @ (GpuError::OutOfMemory | GpuError::TooLarge { .. })) => {
                        context.tell(Row::Note(format!("{}: {error}", what())));
                    }
                    Err(error) => return Err(format!("{}: {error}", what()).into()),
                }
            }
        }
    }
    Ok(())
}

/// The milliseconds of a call, and what its kernels take of them.
fn measure(network: &Network, runner: &GpuRunner, batch: usize) -> Result<(f64, Option<Vec<KernelTime>>), GpuError> {
    let images = noise(batch * network.image(), 7);
    block_on(runner.run(&images, batch))?;
    let (begun, mut calls) = (Instant::now(), Vec::new());
    while begun.elapsed() < if calls.len() < FEWEST_CALLS { LONG } else { MEASURE } {
        let start = Instant::now();
        block_on(runner.run(&images, batch))?;
        calls.push(start.elapsed().as_secs_f64() * 1e3);
    }
    let times = if calls.len() < FEWEST_CALLS { 1 } else { TIMES };
    let Some(launches) = launches(runner, batch, times, median)? else { return Ok((median(calls), None)) };
    let mut kernels = BTreeMap::<&str, (usize, f64, u64, u64)>::new();
    for launch in &launches {
        let (count, seconds, products, bytes) = kernels.entry(launch.kernel).or_default();
        *count += 1;
        *seconds += launch.seconds;
        *products += network.products(launch) * batch as u64;
        *bytes += launch.bytes;
    }
    let time = |(kernel, (launches, seconds, products, bytes)): (&str, _)| KernelTime {
        kernel: kernel.to_owned(),
        launches,
        ms: seconds * 1e3,
        gflops: rate(2 * products, seconds),
        gbytes: rate(bytes, seconds),
    };
    let mut kernels: Vec<KernelTime> = kernels.into_iter().map(time).collect();
    kernels.sort_by(|a, b| b.ms.total_cmp(&a.ms));
    Ok((median(calls), Some(kernels)))
}

/// In billions a second.
fn rate(count: u64, seconds: f64) -> f64 {
    if seconds > 0.0 { count as f64 / seconds / 1e9 } else { 0.0 }
}

/// The time of each launch, `of` so many, for a batch that was run before; `None` where there are no timestamps.
pub fn launches(
    runner: &GpuRunner,
    batch: usize,
    times: usize,
    of: fn(Vec<f64>) -> f64,
) -> Result<Option<Vec<Timed>>, GpuError> {
    let mut all = Vec::new();
    for _ in 0..times {
        match block_on(runner.timed(batch))? {
            Some(timed) => all.push(timed),
            None => return Ok(None),
        }
    }
    let seconds = |place: usize| of(all.iter().map(|timed| timed[place].seconds).collect());
    let one = |(place, timed): (usize, &Timed)| Timed { seconds: seconds(place), ..*timed };
    Ok(all.last().map(|last| last.iter().enumerate().map(one).collect()))
}
