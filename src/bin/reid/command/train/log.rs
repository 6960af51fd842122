//! `log.jsonl`: what happened in each epoch and each evaluation, one JSON object a line.

use std::fs;
use std::io::ErrorKind;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use webreid::ranking::Scores;

use crate::command::error::CliError;
use crate::command::output;

/// A line of the log. Stages and epochs count from 1, epochs anew in each stage, steps through the whole stage.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Entry {
    Epoch(Epoch),
    Evaluation(Evaluation),
}

/// The means over an epoch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Epoch {
    pub stage: usize,
    pub epoch: usize,
    pub step: usize,
    pub loss: f64,
    pub identity_loss: f64,
    pub triplet_loss: f64,
    pub distillation_loss: f64,
    /// Of the head on the training batches, 0 to 1.
    pub accuracy: f64,
    pub images_per_second: f64,
    pub seconds: f64,
    /// That of the last step.
    pub learning_rate: f64,
}

/// How the (averaged) weights did on a dataset; scores are per cent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Evaluation {
    pub stage: usize,
    pub epoch: usize,
    pub step: usize,
    pub data: String,
    pub protocol: String,
    pub rank1: f64,
    pub rank5: f64,
    pub rank10: f64,
    pub map: f64,
    pub minp: f64,
    pub queries: usize,
    pub seconds: f64,
}

impl Evaluation {
    /// `scores` in per cent.
    pub fn new([stage, epoch, step]: [usize; 3], data: &str, protocol: String, scores: Scores, seconds: f64) -> Self {
        let Scores { rank1, rank5, rank10, map, minp, queries } = scores;
        Self { stage, epoch, step, data: data.into(), protocol, rank1, rank5, rank10, map, minp, queries, seconds }
    }
}

impl Entry {
    /// Stage and epoch.
    fn place(&self) -> (usize, usize) {
        match self {
            Self::Epoch(epoch) => (epoch.stage, epoch.epoch),
            Self::Evaluation(evaluation) => (evaluation.stage, evaluation.epoch),
        }
    }
}

/// The log of a run.
pub struct Log {
    path: PathBuf,
    entries: Vec<Entry>,
}

impl Log {
    /// A log without entries; what is at `path` stays until the first one is added.
    pub fn new(path: PathBuf) -> Self {
        Self { path, entries: Vec::new() }
    }

    /// The log of a run as far as it came; no file is an empty log.
    pub fn read(path: PathBuf) -> Result<Self, CliError> {
        let text = match fs::read_to_string(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => String::new(),
            result => result.map_err(|source| CliError::Read { path: path.clone(), source })?,
        };
        let entry = |(line, text)| {
            let broken = |source| CliError::Log { path: path.clone(), line, source };
            serde_json::from_str(text).map_err(broken)
        };
        let entries = (1..).zip(text.lines()).map(entry).collect::<Result<_, _>>()?;
        Ok(Self { path, entries })
    }

    /// Forgets what came after an epoch of a stage, both from 1: it will be trained again.
    pub fn cut(&mut self, stage: usize, epoch: usize) {
        self.entries.retain(|entry| entry.place() <= (stage, epoch));
    }

    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Whether a dataset was evaluated after an epoch.
    pub fn has_evaluation(&self, stage: usize, epoch: usize, data: &str) -> bool {
        let is = |entry: &Entry| matches!(entry, Entry::Evaluation(e) if e.data == data);
        self.entries.iter().any(|entry| entry.place() == (stage, epoch) && is(entry))
    }

    /// Adds a line. The file is written anew, so that a full disk leaves no half line; what could not be written is kept
    /// for the next time.
    pub fn add(&mut self, entry: Entry) -> Result<(), CliError> {
        self.entries.push(entry);
        let mut text = String::new();
        for entry in &self.entries {
            text += &serde_json::to_string(entry).map_err(|error| CliError::Print(error.into()))?;
            text.push('\n');
        }
        output::write(&self.path, text.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn epoch(stage: usize, epoch: usize) -> Entry {
        Entry::Epoch(Epoch {
            stage,
            epoch,
            step: epoch * 10,
            loss: 0.5,
            identity_loss: 0.25,
            triplet_loss: 0.25,
            distillation_loss: 0.0,
            accuracy: 0.75,
            images_per_second: 100.0,
            seconds: 1.5,
            learning_rate: 3.5e-4,
        })
    }

    #[test]
    fn a_log_is_read_back_and_cut_where_the_checkpoint_is() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("log.jsonl");
        let mut log = Log::new(path.clone());
        for (stage, number) in [(1, 1), (1, 2), (2, 1)] {
            log.add(epoch(stage, number)).expect("writes");
        }
        let text = fs::read_to_string(&path).expect("reads");
        assert_eq!(text.lines().count(), 3);
        assert!(text.starts_with(r#"{"kind":"epoch","stage":1,"epoch":1,"step":10,"loss":0.5,"#), "{text}");
        let mut again = Log::read(path).expect("reads");
        assert_eq!(again.entries(), log.entries());
        again.cut(1, 2);
        assert_eq!(again.entries(), &log.entries()[..2]);
        again.cut(1, 0);
        assert!(again.entries().is_empty());
    }

    #[test]
    fn a_broken_line_is_named() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("log.jsonl");
        assert!(Log::read(path.clone()).expect("no file is an empty log").entries().is_empty());
        fs::write(&path, "{\"kind\":\"epoch\"").expect("writes");
        let error = Log::read(path).err().expect("refused").to_string();
        assert!(error.contains("log.jsonl: line 1"), "{error}");
    }
}
