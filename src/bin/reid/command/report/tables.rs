//! The numbers of a report as tables (CSV), the model's letter first. Per cent, as in `report.json`.

use serde::Serialize;

use super::contents::{Contents, Model};

/// The files.
pub const NAMES: [&str; 6] = ["queries.csv", "cmc.csv", "roc.csv", "histogram.csv", "cameras.csv", "map.csv"];

/// What the files hold, in the order of their names.
pub fn csv(contents: &Contents) -> Result<[Vec<u8>; NAMES.len()], csv::Error> {
    let models = &contents.models;
    Ok([
        queries(models)?,
        table(&["rank", "share"], models, |model| (1..).zip(&model.cmc).collect::<Vec<(usize, _)>>())?,
        table(&["distance", "false_match", "true_match"], models, |model| {
            model.roc.iter().map(|point| (point.distance, point.false_match, point.true_match)).collect()
        })?,
        table(&["from", "to", "same", "different"], models, |model| {
            model.histogram.iter().map(|bin| (bin.from, bin.to, bin.same, bin.different)).collect()
        })?,
        table(&["query", "gallery", "rank1", "map", "queries"], models, |model| {
            let pairs = model.summary.cameras.iter();
            pairs.map(|pair| (pair.query, pair.gallery, pair.rank1, pair.map, pair.queries)).collect()
        })?,
        table(&["image", "person", "camera", "x", "y"], models, |model| {
            let spots = model.spots.iter();
            spots.map(|spot| (&spot.photo.image, spot.photo.person, spot.photo.camera, spot.x, spot.y)).collect()
        })?,
    ])
}

fn queries(models: &[Model]) -> Result<Vec<u8>, csv::Error> {
    let head = [
        "image",
        "person",
        "camera",
        "first",
        "average_precision",
        "inverse_penalty",
        "nearest",
        "nearest_person",
        "nearest_similarity",
    ];
    table(&head, models, |model| {
        let rows = model.outcomes.iter().map(|outcome| {
            let nearest = outcome.matches.first();
            (
                (&outcome.query.image, outcome.query.person, outcome.query.camera),
                (outcome.first, outcome.average_precision, outcome.inverse_penalty),
                nearest.map(|hit| (&hit.photo.image, hit.photo.person, hit.similarity)),
            )
        });
        rows.collect()
    })
}

fn table<'a, Row: Serialize>(
    head: &[&str],
    models: &'a [Model],
    rows: impl Fn(&'a Model) -> Vec<Row>,
) -> Result<Vec<u8>, csv::Error> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record([&["model"], head].concat())?;
    for model in models {
        for row in rows(model) {
            writer.serialize((model.name, row))?;
        }
    }
    writer.into_inner().map_err(|error| error.into_error().into())
}
