//! The curves of one model or two: how soon the right person comes (CMC), and what a cut-off lets through (ROC).

use maud::{Markup, html};

use super::chart::{Axis, Plot, figure, legend, plain};
use super::contents::{Contents, Model};

/// The colours of the models' lines.
const CLASSES: [&str; 2] = ["one", "two"];

pub fn cmc(contents: &Contents) -> Markup {
    let models = &contents.models;
    let lowest = models.iter().filter_map(|model| model.cmc.first()).fold(100.0_f64, |low, &share| low.min(share));
    let ranks = models.iter().map(|model| model.cmc.len()).max().unwrap_or(0);
    let plot = Plot {
        x: Axis::linear("rank", [1.0, ranks as f64], plain),
        y: Axis::linear("queries, %", [(lowest / 10.0).floor().min(9.0) * 10.0, 100.0], plain),
    };
    let label = format!(
        "Share of queries whose person is among the first photos, up to rank {ranks}: {}",
        told(models, |model| {
            let at = |rank: usize| model.cmc.get(rank - 1).map(|share| format!("{share:.1} % at rank {rank}"));
            [1, 5, 10, 20].into_iter().filter_map(at).collect::<Vec<_>>().join(", ")
        })
    );
    let lines = html! {
        @for (model, class) in models.iter().zip(CLASSES) {
            (plot.line(class, (1..).zip(&model.cmc).map(|(rank, &share)| (f64::from(rank), share))))
        }
    };
    let drawing = html! { (plot.draw(&label, &lines)) (keys(models)) };
    figure(
        &drawing,
        &html! { "How many queries find their person among the first 1, 2, 3 … photos of the ranking: higher is better." },
    )
}

/// Nothing where all pairs are of one kind.
pub fn roc(contents: &Contents) -> Markup {
    let models: Vec<&Model> = contents.models.iter().filter(|model| !model.roc.is_empty()).collect();
    let Some(verification) = models.first().and_then(|model| model.summary.verification.as_ref()) else {
        return html! {};
    };
    // As far down as there are pairs to tell.
    let lowest = (100.0 / verification.different.max(1) as f64).log10().floor().clamp(-4.0, 0.0);
    let plot = Plot {
        x: Axis::logarithmic("false matches, %", [lowest as i32, 2], plain),
        y: Axis::linear("true matches, %", [0.0, 100.0], plain),
    };
    let label = format!(
        "True matches over false ones: {}",
        told(&contents.models, |model| {
            let verification = model.summary.verification.as_ref();
            verification.map(|found| format!("errors are equal at {:.2} %", found.eer)).unwrap_or_default()
        })
    );
    let lines = html! {
        @for (model, class) in contents.models.iter().zip(CLASSES) {
            (plot.line(class, model.roc.iter().map(|point| (point.false_match, point.true_match))))
        }
    };
    let drawing = html! { (plot.draw(&label, &lines)) (keys(&contents.models)) };
    figure(
        &drawing,
        &html! {
            "If one similarity is the cut-off for all pairs: how many pairs of the same person are let through, over how many of \
             different people are. The scale of false matches is logarithmic; higher and further left is better."
        },
    )
}

fn keys(models: &[Model]) -> Markup {
    let lines: Vec<(&str, String)> =
        CLASSES.into_iter().zip(models.iter().map(|model| model.name.to_owned())).collect();
    if models.len() > 1 {
        legend(&lines)
    } else {
        html! {}
    }
}

/// What is to be said of each model.
fn told(models: &[Model], of: impl Fn(&Model) -> String) -> String {
    let one = |model: &Model| if models.len() > 1 { format!("{}: {}", model.name, of(model)) } else { of(model) };
    models.iter().map(one).collect::<Vec<_>>().join("; ")
}
