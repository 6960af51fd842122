//! What is found, as the file has it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What a section tells.
#[derive(Serialize, Deserialize)]
pub enum Row {
    Adapter(Adapter),
    Parity(Parity),
    Feature(Feature),
    Peak(Peak),
    Speed(Speed),
    Choice(Choice),
    Tuning(Tuning),
    Training(Training),
    Note(String),
    /// What there was no time for.
    Cut(String),
    Failed(String),
    End,
}

#[derive(Default, Serialize)]
pub struct Report {
    pub version: &'static str,
    pub quick: bool,
    pub seconds: f64,
    pub sections: Vec<Ended>,
    pub adapter: Option<Adapter>,
    pub parity: Vec<Parity>,
    pub features: Vec<Feature>,
    pub peaks: Vec<Peak>,
    pub speeds: Vec<Speed>,
    pub choices: Vec<Choice>,
    pub better: Vec<Better>,
    pub tuning: Vec<Tuning>,
    pub training: Vec<Training>,
    pub notes: Vec<Note>,
}

#[derive(Serialize)]
pub struct Ended {
    pub name: &'static str,
    pub seconds: f64,
    pub end: String,
}

#[derive(Serialize)]
pub struct Note {
    pub section: &'static str,
    pub text: String,
}

#[derive(Serialize, Deserialize)]
pub struct Adapter {
    pub name: String,
    pub software: bool,
    pub f16: bool,
    pub timestamps: bool,
    pub largest_buffer: u64,
}

#[derive(Serialize, Deserialize)]
pub struct Parity {
    pub of: String,
    pub precision: String,
    pub cases: usize,
    /// `None`: it is not told, or no number.
    pub worst: Option<f32>,
    pub wrong: Vec<String>,
}

#[derive(Serialize, Deserialize)]
pub struct Feature {
    pub network: String,
    pub precision: String,
    pub against: String,
    pub images: usize,
    /// `None`: no number.
    pub error: Option<f32>,
    pub cosine: Option<f32>,
    pub allowed: f32,
    pub right: bool,
}

#[derive(Serialize, Deserialize)]
pub struct Peak {
    pub what: String,
    pub precision: String,
    pub how: String,
    pub rate: f64,
    pub right: bool,
}

#[derive(Serialize, Deserialize)]
pub struct Speed {
    pub network: String,
    pub precision: String,
    pub batch: usize,
    pub ms: f64,
    pub images_per_second: f64,
    pub kernels: Option<Vec<KernelTime>>,
}

#[derive(Serialize, Deserialize)]
pub struct KernelTime {
    pub kernel: String,
    pub launches: usize,
    pub ms: f64,
    pub gflops: f64,
    pub gbytes: f64,
}

#[derive(Serialize, Deserialize)]
pub struct Choice {
    pub network: String,
    pub precision: String,
    pub batch: usize,
    pub layer: String,
    pub layers: usize,
    pub of: String,
    pub planned: String,
    pub us: BTreeMap<String, f64>,
}

/// A choice that would be better than the planner's.
#[derive(Serialize)]
pub struct Better {
    pub network: String,
    pub precision: String,
    pub batch: usize,
    pub layer: String,
    pub of: String,
    pub planned: String,
    pub best: String,
    pub faster: f64,
    /// `None` where the network's time is not known.
    pub share: Option<f64>,
}

#[derive(Serialize, Deserialize)]
pub struct Tuning {
    pub depth: String,
    pub images: usize,
    pub ms: f64,
}

#[derive(Serialize, Deserialize)]
pub struct Training {
    pub network: String,
    pub batch: usize,
    pub images_per_second: f64,
}

/// What makes a choice better and not just another measurement.
const BETTER: f64 = 1.05;

impl Report {
    pub fn add(&mut self, section: &'static str, row: Row) {
        match row {
            Row::Adapter(row) => self.adapter = Some(row),
            Row::Parity(row) => self.parity.push(row),
            Row::Feature(row) => self.features.push(row),
            Row::Peak(row) => self.peaks.push(row),
            Row::Speed(row) => self.speeds.push(row),
            Row::Choice(row) => self.choices.push(row),
            Row::Tuning(row) => self.tuning.push(row),
            Row::Training(row) => self.training.push(row),
            Row::Note(text) => self.notes.push(Note { section, text }),
            Row::Cut(_) | Row::Failed(_) | Row::End => {}
        }
    }

    /// Brings up to date what follows from the rest.
    pub fn finish(&mut self, seconds: f64) {
        self.seconds = seconds;
        self.better = self.choices.iter().filter_map(|choice| self.better(choice)).collect();
        self.better.sort_by(|a, b| b.share.unwrap_or(0.0).total_cmp(&a.share.unwrap_or(0.0)));
    }

    fn better(&self, choice: &Choice) -> Option<Better> {
        let planned = *choice.us.get(&choice.planned)?;
        let (best, us) = choice.best()?;
        let same = |speed: &&Speed| {
            (&speed.network, &speed.precision, speed.batch) == (&choice.network, &choice.precision, choice.batch)
        };
        let kernels = self.speeds.iter().find(same).and_then(|speed| speed.kernels.as_ref());
        let all = kernels.map(|kernels| kernels.iter().map(|kernel| kernel.ms * 1e3).sum::<f64>());
        (planned > BETTER * us).then(|| Better {
            network: choice.network.clone(),
            precision: choice.precision.clone(),
            batch: choice.batch,
            layer: choice.layer.clone(),
            of: choice.of.clone(),
            planned: choice.planned.clone(),
            best: best.to_owned(),
            faster: planned / us,
            share: all.map(|all| (planned - us) / all),
        })
    }

    /// Whether nothing is computed wrong, and no section failed.
    pub fn is_right(&self) -> bool {
        self.parity.iter().all(|row| row.wrong.is_empty())
            && self.features.iter().all(|row| row.right)
            && self.peaks.iter().all(|row| row.right)
            && self.sections.iter().all(|section| !section.end.starts_with("failed"))
    }
}

impl Choice {
    /// The fastest.
    pub fn best(&self) -> Option<(&str, f64)> {
        let times = self.us.iter().map(|(choice, &us)| (&choice[..], us)).filter(|&(_, us)| us > 0.0);
        times.min_by(|a, b| a.1.total_cmp(&b.1))
    }
}
