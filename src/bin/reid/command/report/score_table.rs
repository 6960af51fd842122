//! Scores as tables: of each model, and how two differ.

use maud::{Markup, html};
use webreid::ranking::Interval;

use crate::command::summary::{Difference, verdict};

use super::contents::{Contents, Model};

/// A score's name, what it says, and its value with its interval.
type Score = (&'static str, &'static str, fn(&Model) -> Option<(f64, Option<Interval>)>);

const SCORES: [Score; 9] = [
    ("rank-1", "queries whose most similar photo shows the right person", |model| {
        Some((model.summary.scores.rank1, Some(model.summary.intervals.rank1)))
    }),
    ("rank-5", "queries with the right person among the first 5 photos", |model| {
        Some((model.summary.scores.rank5, None))
    }),
    ("rank-10", "among the first 10", |model| Some((model.summary.scores.rank10, None))),
    ("mAP", "how far up all photos of the right person are, on average (mean average precision)", |model| {
        Some((model.summary.scores.map, Some(model.summary.intervals.map)))
    }),
    ("mINP", "how far up the last photo of the right person is (mean inverse negative penalty)", |model| {
        Some((model.summary.scores.minp, None))
    }),
    (
        "EER",
        "with one cut-off for all pairs: errors of either kind where both are equally frequent (lower is better)",
        |model| Some((model.summary.verification.as_ref()?.eer, None)),
    ),
    (
        "true matches at 1 % false ones",
        "pairs of the same person let through, if 1 in 100 of different people is",
        |model| rate(model, "1e-2"),
    ),
    ("… at 0.1 %", "if 1 in 1,000 is", |model| rate(model, "1e-3")),
    ("… at 0.01 %", "if 1 in 10,000 is", |model| rate(model, "1e-4")),
];

fn rate(model: &Model, at: &str) -> Option<(f64, Option<Interval>)> {
    Some((*model.summary.verification.as_ref()?.tmr.get(at)?, None))
}

pub fn scores(contents: &Contents) -> Markup {
    let models = &contents.models;
    html! {
        table {
            caption { "Per cent; in brackets the range in which the score would lie for 95 of 100 other groups of people like these." }
            thead {
                tr {
                    th scope="col" { "Score" }
                    @for model in models { th scope="col" { @if models.len() > 1 { (model.name) } @else { "Value" } } }
                }
            }
            tbody {
                @for (name, words, value) in SCORES {
                    tr {
                        th scope="row" { (name) small { (words) } }
                        @for model in models {
                            td class="number" {
                                @match value(model) {
                                    Some((value, interval)) => {
                                        (format!("{value:.2}"))
                                        @if let Some(Interval { low, high }) = interval {
                                            br; small { (format!("({low:.1} – {high:.1})")) }
                                        }
                                    },
                                    None => "–",
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

pub fn differences(difference: &Difference) -> Markup {
    let Difference { rank1, map, intervals, queries } = difference;
    let rows = [("rank-1", rank1, intervals.rank1), ("mAP", map, intervals.map)];
    html! {
        table class="differences" {
            caption {
                "B less A in points of per cent, on the same " (queries) " queries; in brackets the range as above. Where it holds \
                 0, chance may have made the difference."
            }
            thead { tr { th scope="col" { "Score" } th scope="col" { "Difference" } th scope="col" { "So" } } }
            tbody {
                @for (name, value, interval) in rows {
                    tr {
                        th scope="row" { (name) }
                        td class="number" {
                            (format!("{value:+.2}")) br; small { (format!("({:+.1} to {:+.1})", interval.low, interval.high)) }
                        }
                        td { b { (verdict(interval)) } }
                    }
                }
            }
        }
    }
}
