//! Every kernel, in f32 and in f16, against its twin on the CPU.

use std::error::Error;

use pollster::block_on;
use webreid::graph::frozen::{CpuRunner, GpuDevice, GpuError, GpuRunner};

use crate::common::relative_error;
use crate::frozen_cases::{Case, KINDS, noise};
use crate::networks::devices;
use crate::report::{Parity, Row};
use crate::section::Context;

/// Images of a case: an odd number.
const BATCH: usize = 3;
/// Sentences of a kind.
const MOST_WRONG: usize = 5;

pub fn run(context: &Context) -> Result<(), Box<dyn Error>> {
    let devices = devices(context)?;
    for (of, cases) in KINDS {
        let found = |precision: &&'static str| Parity {
            of: of.to_owned(),
            precision: (*precision).to_owned(),
            cases: 0,
            worst: Some(0.0),
            wrong: Vec::new(),
        };
        let mut rows: Vec<Parity> = devices.iter().map(|(precision, _)| found(precision)).collect();
        let mut number = 0;
        let mut lost = Ok(());
        cases(&mut |case| {
            number += 1;
            if lost.is_err() || context.is_over() {
                return;
            }
            let images = noise(BATCH * case.frozen.input().area() * case.frozen.input().channels, number);
            let expected = CpuRunner::new(case.frozen).run(&images);
            for (((_, gpu), row), allowed) in devices.iter().zip(&mut rows).zip(case.tolerances) {
                match check(gpu, case, &images, &expected) {
                    Ok(error) => row.add(error / allowed, || format!("{}: {error:e} of the largest value", case.title)),
                    Err(error @ (GpuError::Lost(_) | GpuError::Silent(_))) => {
                        lost = Err(format!("{of}, {}: {error}", case.title));
                        return;
                    }
                    Err(error) => row.add(f32::NAN, || format!("{}: {error}", case.title)),
                }
            }
        });
        rows.into_iter().for_each(|row| context.tell(Row::Parity(row)));
        lost?;
        if context.cuts(|| format!("some of {of}, and what comes after it")) {
            break;
        }
    }
    Ok(())
}

/// The largest error.
fn check(gpu: &GpuDevice, case: Case, images: &[f32], expected: &[Vec<f32>]) -> Result<f32, GpuError> {
    let runner = block_on(GpuRunner::choosing(gpu, case.frozen, case.choices))?;
    let found = block_on(runner.run(images, BATCH))?;
    let errors = found.iter().zip(expected).map(|(found, expected)| relative_error(found, expected));
    // `f32::max` would swallow a NaN.
    Ok(errors.fold(0.0, |worst: f32, error| if worst.is_nan() || error <= worst { worst } else { error }))
}

impl Parity {
    /// Counts a case whose error is so much of what is allowed.
    fn add(&mut self, error: f32, sentence: impl FnOnce() -> String) {
        self.cases += 1;
        self.worst = self.worst.map(|worst| worst.max(error)).filter(|_| error.is_finite());
        // Of what is no number as well.
        let is_right = error <= 1.0;
        if !is_right && self.wrong.len() < MOST_WRONG {
            self.wrong.push(sentence());
        }
    }
}
