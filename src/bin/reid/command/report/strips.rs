//! The queries that went worst: each with the photos that were ranked first.

use std::collections::BTreeSet;

use maud::{Markup, html};

use super::contents::{Contents, Hit, Model, Outcome};
use super::scatter::named;
use super::thumbnails::Thumbnails;

/// Queries shown, of all models together.
const MOST: usize = 30;

fn most(models: &[Model]) -> usize {
    MOST / models.len().max(1)
}

/// The images that are shown.
pub fn shown(contents: &Contents) -> BTreeSet<usize> {
    let outcomes = contents.models.iter().flat_map(|model| model.outcomes.iter().take(most(&contents.models)));
    let images = outcomes.flat_map(|outcome| {
        let hits = outcome.matches.iter().chain([&outcome.truth]);
        hits.map(|hit| &hit.photo).chain([&outcome.query]).map(|photo| photo.index)
    });
    images.collect()
}

pub fn strips(contents: &Contents, model: &Model, thumbnails: &Thumbnails) -> Markup {
    let shown = most(&contents.models).min(model.outcomes.len());
    html! {
        p {
            @if shown < model.outcomes.len() { "The " (shown) " of " (model.outcomes.len()) } @else { "All " (shown) }
            " queries, those with the lowest average precision first: the query, then the photos ranked first. "
            span class="sign same" { "✓" } " is the query's person, " span class="sign other" { "✗" } " is somebody else; the number \
             is the similarity. Photos of the query's person by the query's camera never count and are left out."
        }
        ol class="queries" {
            @for outcome in model.outcomes.iter().take(shown) { li { (strip(outcome, thumbnails)) } }
        }
    }
}

fn strip(outcome: &Outcome, thumbnails: &Thumbnails) -> Markup {
    let Outcome { query, first, average_precision, matches, truth, .. } = outcome;
    let beyond = *first > matches.len();
    html! {
        p {
            b { (query.image) }
            " – the first true match is ranked " b { (first) } ", average precision " (format!("{average_precision:.1}")) " %"
        }
        div class="strip" {
            div class="photo query" {
                (picture(thumbnails, query.index, &format!("Query {}", named(query))))
                span { "query" }
            }
            @for hit in matches { (ranked(hit, thumbnails)) }
            @if beyond {
                span class="gap" { "…" }
                (ranked(truth, thumbnails))
            }
        }
    }
}

fn ranked(hit: &Hit, thumbnails: &Thumbnails) -> Markup {
    let (class, sign, word) =
        if hit.same { ("same", "✓", "the same person") } else { ("other", "✗", "somebody else") };
    html! {
        div class={ "photo " (class) } {
            (picture(thumbnails, hit.photo.index, &format!("Rank {}, {word}, {}", hit.rank, named(&hit.photo))))
            span { b { (hit.rank) } " " span class={ "sign " (class) } aria-hidden="true" { (sign) } " " (format!("{:.2}", hit.similarity)) }
        }
    }
}

fn picture(thumbnails: &Thumbnails, image: usize, words: &str) -> Markup {
    html! {
        @match thumbnails.get(image) {
            Some(thumbnail) => {
                img src=(thumbnail.url) width=(thumbnail.width) height=(thumbnail.height) alt=(words) title=(words);
            },
            None => span class="missing" { (words) },
        }
    }
}
