//! `reid evaluate`: how well a model finds people in labelled images, or which of two finds them better.

use std::path::PathBuf;

use clap::error::ErrorKind;
use serde::Serialize;
use webreid::dataset::{Dataset, Protocol};
use webreid::extract::Extractor;
use webreid::ranking::{Adaptation, Cameras, Expand, Reranked, Scores};
use webreid::weights::{BUNDLED, Recognised};

use crate::command::adapt::Adapt;
use crate::command::error::CliError;
use crate::command::evaluation::{Evaluation, Extracted, Task};
use crate::command::report::{self, Report, Tested};
use crate::command::summary::{Difference, Summary};
use crate::command::{Outcome, Running, output};

#[derive(clap::Args)]
pub struct Evaluate {
    /// The model: a checkpoint file (.safetensors, .pth, .pt, .onnx, the .xml of an OpenVINO model, or the .json of a TensorFlow.js
    /// one) or the name of the bundled one. Given twice, the two (A and B) are compared on the same images, with 95 % intervals of the difference
    #[arg(long, value_name = "W", default_value = BUNDLED)]
    weights: Vec<PathBuf>,
    #[command(flatten)]
    running: Running,
    /// A folder with query/ and bounding_box_test/ (or what other sets call them), a folder of files named PPPP_cC… (person,
    /// camera), or one folder for each person
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// market1501: query/ against bounding_box_test/; cross-camera: camera 1 against camera 2; leave-one-out: every image
    /// against all others; cuhk03: one image of each person in the gallery, drawn ten times [default: market1501 for such a folder, otherwise leave-one-out]
    #[arg(long, value_name = "PROTOCOL")]
    protocol: Option<Protocol>,
    #[command(flatten)]
    adapt: Adapt,
    /// Write DIR/report.html, one page that needs no network: scores, curves, the queries that went worst, cameras and a map of
    /// the features; with report.json and tables (CSV) of all that is in it. It shows the photos: give it to nobody who may not
    /// see them
    #[arg(long, value_name = "DIR")]
    report: Option<PathBuf>,
    /// With --json: also "intervals" (95 %), "verification" (EER, true-match rates), "cameras" (each pair) and "said" (what was
    /// decided of cameras and neighbours)
    #[arg(long, requires = "json")]
    details: bool,
    /// Print JSON: {"rank1": …, "rank5": …, "rank10": …, "map": …, "minp": …, "queries": …}; of two models {"models": [{"weights":
    /// …, "rank1": …}, …], "difference": {"rank1": …, "map": …, "intervals": {…}, "queries": …}}, B less A
    #[arg(long)]
    json: bool,
}

impl Evaluate {
    pub async fn run(self) -> Result<Outcome, CliError> {
        if self.weights.len() > 2 {
            clap::Error::raw(ErrorKind::TooManyValues, "--weights can be given twice, to compare two models\n").exit();
        }
        let dataset = Dataset::read(&self.data)?;
        dataset.words.iter().for_each(|words| eprintln!("reid: {words}"));
        let protocol = self.protocol.unwrap_or_else(|| Protocol::natural(&dataset));
        let split = protocol.split(&dataset)?;
        if !dataset.unlabelled.is_empty() {
            let count = dataset.unlabelled.len();
            eprintln!(
                "reid: {count} images tell no person and camera by their names and are left out, {} first",
                dataset.unlabelled[0].display()
            );
        }
        let files: Vec<PathBuf> = dataset.images.iter().map(|image| image.path.clone()).collect();
        let named: Vec<Option<i32>> = dataset.images.iter().map(|image| image.camera).collect();
        let cameras = self.adapt.cameras(&files, Some(&named))?;
        if let Some(folder) = &self.report {
            report::check(folder)?;
        }
        let mut opened = Vec::new();
        for weights in &self.weights {
            opened.push(self.running.open(weights).await?);
        }
        let adaptation = self.adapt.adaptation();
        let task = Task { dataset: &dataset, split: &split, cameras: &cameras, adaptation, shots: protocol.shots() };
        let dim = opened.iter().map(|(_, extractor)| extractor.config().features_dim()).max().unwrap_or(0);
        self.adapt.check_memory(task.images().len(), dim)?;
        let extracted = extract(&opened, &task).await?;
        let pictured = self.report.is_some();
        let evaluations: Vec<Evaluation> =
            extracted.iter().map(|extracted| task.rank(extracted, pictured)).collect::<Result<_, _>>()?;
        let rocs: Vec<_> = evaluations.iter().map(|evaluation| evaluation.tallied.histogram.roc()).collect();
        let summaries: Vec<Summary> =
            evaluations.iter().zip(&rocs).map(|(evaluation, roc)| Summary::of(evaluation, roc.as_ref())).collect();
        let difference = match &evaluations[..] {
            [a, b] => Some(Difference::of(&a.tallied.outcomes, &b.tallied.outcomes)),
            _ => None,
        };
        let unreadable: Vec<_> = extracted.iter().flat_map(|extracted| &extracted.unreadable).collect();
        if let Some(folder) = &self.report {
            let tested = |i: usize| Tested {
                weights: &self.weights[i],
                recognised: &opened[i].0,
                extractor: &opened[i].1,
                evaluation: &evaluations[i],
                summary: &summaries[i],
                roc: rocs[i].as_ref(),
            };
            let report = Report {
                data: &self.data,
                protocol,
                how: described(adaptation),
                task: &task,
                unreadable: &unreadable,
                models: (0..opened.len()).map(tested).collect(),
                difference,
            };
            report.write(folder)?;
            eprintln!("reid: the report is {}", folder.join(report::PAGE).display());
        }
        if self.json {
            self.print_json(&summaries, difference)?;
        } else {
            let text = |(i, summary): (usize, &Summary)| {
                let (recognised, extractor) = &opened[i];
                let letter = if opened.len() > 1 { format!("{}: ", report::LETTERS[i]) } else { String::new() };
                summary.text(&format!(
                    "{letter}{}, {protocol}{}, on {}: {} queries, gallery of {}",
                    recognised.architecture,
                    described(adaptation),
                    extractor.device().name(),
                    summary.scores.queries,
                    evaluations[i].gallery.len()
                ))
            };
            let texts = summaries.iter().enumerate().map(text);
            let texts: Vec<String> = texts.chain(difference.map(|difference| difference.text())).collect();
            output::print(&texts.join("\n\n"))?;
        }
        Ok(Outcome::of(unreadable.len()))
    }

    fn print_json(&self, summaries: &[Summary], difference: Option<Difference>) -> Result<(), CliError> {
        match (summaries, difference) {
            ([summary], _) if self.details => output::print_json(summary),
            ([summary], _) => output::print_json(&summary.scores),
            (_, difference) => {
                let model = |(weights, summary): (&PathBuf, &Summary)| Compared {
                    weights: weights.display().to_string(),
                    scores: if self.details { Told::Details(summary.clone()) } else { Told::Scores(summary.scores) },
                };
                let models: Vec<Compared> = self.weights.iter().zip(summaries).map(model).collect();
                output::print_json(&Comparison { models, difference })
            }
        }
    }
}

/// What `--json` prints of two models.
#[derive(Serialize)]
struct Comparison {
    models: Vec<Compared>,
    difference: Option<Difference>,
}

#[derive(Serialize)]
struct Compared {
    weights: String,
    #[serde(flatten)]
    scores: Told,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Told {
    Scores(Scores),
    Details(Summary),
}

/// The features by each model of the images that all of them could read.
async fn extract(opened: &[(Recognised, Extractor)], task: &Task<'_>) -> Result<Vec<Extracted>, CliError> {
    let mut images = task.images();
    let mut all: Vec<Extracted> = Vec::new();
    for (i, (_, extractor)) in opened.iter().enumerate() {
        let what = if opened.len() > 1 { format!("images by {}", report::LETTERS[i]) } else { "images".into() };
        let extracted = Extracted::of(extractor, task.dataset, &images, &what).await?;
        images.clone_from(&extracted.images);
        all.push(extracted);
    }
    all.iter_mut().for_each(|extracted| extracted.keep(&images));
    Ok(all)
}

/// What was done to the features, for a line of text.
fn described(Adaptation { cameras, expand, rerank }: Adaptation) -> String {
    let mut text = String::new();
    if cameras != Cameras::None {
        text += &format!(", cameras: {cameras}");
    }
    if expand != Expand::None {
        text += &format!(", expansion: {expand}");
    }
    match rerank {
        Reranked::Never => {}
        Reranked::Auto => text += ", re-ranking: auto",
        Reranked::Always => text += ", re-ranked",
    }
    text
}
