//! `reid bench`: how fast a model runs here.

use std::time::{Duration, Instant};

use serde::Serialize;
use webreid::extract::Extractor;

use crate::command::error::CliError;
use crate::command::{Model, Outcome, output};

/// How long each batch size is measured, at least, and how often.
const MEASURE: Duration = Duration::from_secs(2);
const FEWEST_RUNS: usize = 3;

#[derive(clap::Args)]
pub struct Bench {
    #[command(flatten)]
    model: Model,
    /// Images at once, in the order to measure
    #[arg(long, value_name = "N", value_delimiter = ',', default_value = "1,8,32", value_parser = clap::value_parser!(u16).range(1..=1024))]
    batch: Vec<u16>,
    /// Print JSON: {"model": …, "device": …, "threads": …, "load_ms": …, "batches": [{"batch", "first_ms", "ms", "images_per_second"}]}
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Report {
    model: String,
    device: String,
    /// That the CPU device spreads its work over.
    threads: usize,
    /// Reading the weights and making them ready.
    load_ms: f64,
    batches: Vec<Measured>,
}

#[derive(Serialize)]
struct Measured {
    batch: usize,
    /// The first call with this batch.
    first_ms: f64,
    /// The median of the calls after it.
    ms: f64,
    images_per_second: f64,
}

impl Bench {
    pub async fn run(self) -> Result<Outcome, CliError> {
        let start = Instant::now();
        let (recognised, extractor) = self.model.open().await?;
        let load_ms = milliseconds(start.elapsed());
        let mut batches = Vec::new();
        for &batch in &self.batch {
            batches.push(measure(&extractor, batch.into()).await?);
        }
        let report = Report {
            model: recognised.architecture,
            device: extractor.device().name().to_owned(),
            threads: std::thread::available_parallelism().map_or(1, usize::from),
            load_ms,
            batches,
        };
        if self.json {
            output::print_json(&report)?;
        } else {
            output::print(&report.table())?;
        }
        Ok(Outcome::Done)
    }
}

impl Report {
    fn table(&self) -> String {
        let Self { model, device, threads, load_ms, .. } = self;
        let mut table = format!(
            "{model} on {device} ({threads} threads), from the network's input to the feature; loaded in {load_ms:.0} ms\n\
             batch  first call     a call  images/s"
        );
        for Measured { batch, first_ms, ms, images_per_second } in &self.batches {
            table += &format!("\n{batch:5}{first_ms:9.1} ms{ms:8.1} ms{images_per_second:10.1}");
        }
        table
    }
}

/// Runs noise, the same for every batch, so that no value is special.
async fn measure(extractor: &Extractor, batch: usize) -> Result<Measured, CliError> {
    let input = &extractor.config().input;
    let shape = [batch, 3, input.height, input.width];
    let noise = |i: usize| ((i as u32).wrapping_mul(2_654_435_761) >> 8) as f32 / (1 << 23) as f32 - 1.0;
    let values: Vec<f32> = (0..shape.iter().product()).map(noise).collect();
    let call = async || -> Result<Duration, CliError> {
        let start = Instant::now();
        extractor.embed(&values).await?;
        Ok(start.elapsed())
    };
    let first = call().await?;
    let (start, mut calls) = (Instant::now(), Vec::new());
    while calls.len() < FEWEST_RUNS || start.elapsed() < MEASURE {
        calls.push(call().await?);
    }
    calls.sort_unstable();
    let median = calls[calls.len() / 2];
    Ok(Measured {
        batch,
        first_ms: milliseconds(first),
        ms: milliseconds(median),
        images_per_second: batch as f64 / median.as_secs_f64(),
    })
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
