//! How well each camera's queries find their person among each camera's photos.

use std::collections::BTreeSet;

use maud::{Markup, html};

use super::contents::Model;

pub fn camera_table(model: &Model) -> Markup {
    let pairs = &model.summary.cameras;
    let queries: BTreeSet<i32> = pairs.iter().map(|pair| pair.query).collect();
    let gallery: BTreeSet<i32> = pairs.iter().map(|pair| pair.gallery).collect();
    let cell = |query: i32, gallery: i32| pairs.iter().find(|pair| (pair.query, pair.gallery) == (query, gallery));
    html! {
        @if pairs.is_empty() {
            p { "No camera is known of these photos, so there are no pairs of cameras to compare." }
        } @else {
            p class="words" {
                "How well the queries of a camera (lines) find their person among the photos of another (columns): rank-1 / mAP in \
                 per cent. The fainter, the harder is the way from one camera to the other."
            }
            div class="wide" tabindex="0" role="group" aria-label={ "Pairs of cameras, " (model.name) } {
                table class="heat" {
                    caption { "Pairs of cameras" }
                    thead {
                        tr {
                            th scope="col" { "from \\ to" }
                            @for camera in &gallery { th scope="col" { "camera " (camera) } }
                        }
                    }
                    tbody {
                        @for &from in &queries {
                            tr {
                                th scope="row" { "camera " (from) }
                                @for &to in &gallery {
                                    @match cell(from, to) {
                                        Some(pair) => td style={ "--share:" (format!("{:.0}", shade(pair.map))) "%" } {
                                            (format!("{:.1} / {:.1}", pair.rank1, pair.map))
                                            br;
                                            small { (pair.queries) " queries" }
                                        },
                                        None => td { "–" },
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// How much colour a cell has, per cent: most scores lie near the top, and are to be told apart there.
fn shade(map: f64) -> f64 {
    100.0 * (map / 100.0).powi(3)
}
