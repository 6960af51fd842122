//! The page: everything in one file, which fetches nothing.

use std::ffi::OsStr;
use std::path::Path;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::camera_table::camera_table;
use super::contents::{Contents, Model, Unread};
use super::thumbnails::Thumbnails;
use super::{curves, histogram, scatter, score_table, strips, tables};

const STYLE: &str = include_str!("page.css");
/// Nothing but what is in the page itself.
const POLICY: &str = "default-src 'none'; img-src data:; style-src 'unsafe-inline'";
/// Files named in a list.
const NAMED: usize = 50;

pub fn html(contents: &Contents, thumbnails: &Thumbnails) -> String {
    let models = &contents.models;
    let two = models.len() > 1;
    let folder = Path::new(&contents.data).file_name().map_or(contents.data.as_str().into(), OsStr::to_string_lossy);
    let title = format!("{} on {folder}", if two { "Two models" } else { "A model" });
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) }
                link rel="icon" href="data:,";
                style { (PreEscaped(STYLE)) }
            }
            body {
                header {
                    h1 { (title) }
                    p { "How well " @if two { "two models find" } @else { "a model finds" } " the same person again in other photos." }
                    p class="note" {
                        b { "A match is a suggestion and no proof." } " These numbers are of these photos and these people; on other \
                         cameras they can be much worse. The report shows photos of people: keep it as carefully as the photos."
                    }
                    (facts(contents))
                }
                main {
                    section aria-labelledby="scores" {
                        h2 id="scores" { "Scores" }
                        (score_table::scores(contents))
                        @if let Some(difference) = &contents.difference {
                            h3 { "Which is better?" }
                            (score_table::differences(difference))
                        }
                    }
                    section aria-labelledby="curves" {
                        h2 id="curves" { "Curves" }
                        div class="figures" { (curves::cmc(contents)) (curves::roc(contents)) }
                    }
                    @for model in models { (one(contents, model, thumbnails)) }
                    section aria-labelledby="assumed" {
                        h2 id="assumed" { "What was assumed and left out" }
                        (assumed(contents))
                    }
                }
                footer {
                    p {
                        "Made by " (contents.made_by) ". Beside this page: report.json, which holds all of its numbers, and as \
                         tables " (tables::NAMES.join(", ")) "."
                    }
                }
            }
        }
    };
    page.into_string()
}

fn facts(contents: &Contents) -> Markup {
    let counted = contents.models.first().map_or(0, |model| model.summary.scores.queries);
    html! {
        dl {
            @for model in &contents.models {
                dt { @if contents.models.len() > 1 { "Model " (model.name) } @else { "Model" } }
                dd { (model.weights) " – " (model.architecture) ", on " (model.device) ", fingerprint " code { (model.fingerprint) } }
            }
            dt { "Photos" }
            dd {
                (contents.queries) " queries"
                @if counted < contents.queries { " (of which " (counted) " have a true match in the gallery, and count)" }
                ", a gallery of " (contents.gallery) ", " (contents.persons) " persons in " (contents.data)
            }
            dt { "Protocol" }
            dd { (contents.protocol) @if !contents.how.is_empty() { "; " (contents.how) } }
        }
    }
}

/// What there is to show of each model by itself.
fn one(contents: &Contents, model: &Model, thumbnails: &Thumbnails) -> Markup {
    let of = if contents.models.len() > 1 { format!(" by {}", model.name) } else { String::new() };
    let id = |what: &str| format!("{what}-{}", model.name);
    html! {
        section aria-labelledby=(id("pairs")) {
            h2 id=(id("pairs")) { "Pairs and cameras" (of) }
            div class="figures" { (histogram::histogram(model)) }
            (camera_table(model))
            @if !model.summary.said.is_empty() {
                h3 { "What was decided" (of) }
                ul { @for said in &model.summary.said { li { (said) } } }
            }
        }
        section aria-labelledby=(id("worst")) {
            h2 id=(id("worst")) { "Queries that went worst" (of) }
            (strips::strips(contents, model, thumbnails))
        }
        section aria-labelledby=(id("map")) {
            h2 id=(id("map")) { "Map of the features" (of) }
            (scatter::scatter(model))
        }
    }
}

fn assumed(contents: &Contents) -> Markup {
    let of_models: Vec<String> = contents
        .models
        .iter()
        .flat_map(|model| model.assumed.iter().map(move |words| format!("{}: {words}", model.weights)))
        .collect();
    let words: Vec<&String> = contents.assumed.iter().chain(&of_models).collect();
    html! {
        @if words.is_empty() && contents.unlabelled.is_empty() && contents.unreadable.is_empty() {
            p { "Nothing had to be assumed, and no photo was left out." }
        }
        @if !words.is_empty() {
            ul { @for words in words { li { (words) } } }
        }
        @if !contents.unreadable.is_empty() {
            h3 { "Photos that could not be read" }
            ul {
                @for Unread { image, reason } in contents.unreadable.iter().take(NAMED) { li { b { (image) } ": " (reason) } }
                (others(contents.unreadable.len()))
            }
        }
        @if !contents.unlabelled.is_empty() {
            h3 { "Photos of which no name tells the person" }
            ul {
                @for image in contents.unlabelled.iter().take(NAMED) { li { (image) } }
                (others(contents.unlabelled.len()))
            }
        }
    }
}

fn others(count: usize) -> Markup {
    html! { @if count > NAMED { li { "and " (count - NAMED) " more, which report.json names" } } }
}
