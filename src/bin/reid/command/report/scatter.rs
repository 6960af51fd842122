//! The map of the features: a marker for each photo.

use std::collections::{BTreeMap, BTreeSet};

use maud::{Markup, html};

use super::chart::{figure, number};
use super::contents::{Model, Photo, Spot};
use super::map;

/// Units of the drawing's sides, and room around the markers.
const SIDE: f64 = 360.0;
const MARGIN: f64 = 8.0;
/// Degrees from one person's hue to the next one's: the golden angle, so that neighbours in number differ most.
const HUE: f64 = 137.508;
/// Markers of radius 1: circle, square, triangle, diamond, cross, down-pointing triangle, plus, hexagon.
const MARKERS: [&str; 8] = [
    "M-1,0A1,1 0 1 1 1,0A1,1 0 1 1 -1,0Z",
    "M-.9,-.9H.9V.9H-.9Z",
    "M0,-1.2L1.1,.8H-1.1Z",
    "M0,-1.3L1.1,0L0,1.3L-1.1,0Z",
    "M-1.1,-.7L-.7,-1.1L0,-.4L.7,-1.1L1.1,-.7L.4,0L1.1,.7L.7,1.1L0,.4L-.7,1.1L-1.1,.7L-.4,0Z",
    "M0,1.2L1.1,-.8H-1.1Z",
    "M-.35,-1.1H.35V-.35H1.1V.35H.35V1.1H-.35V.35H-1.1V-.35H-.35Z",
    "M-.5,-1H.5L1.1,0L.5,1H-.5L-1.1,0Z",
];

pub fn scatter(model: &Model) -> Markup {
    if model.spots.is_empty() {
        return html! { p { "There are too few photos for a map." } };
    }
    let mut persons: BTreeMap<i32, Vec<&Spot>> = BTreeMap::new();
    model.spots.iter().for_each(|spot| persons.entry(spot.photo.person).or_default().push(spot));
    let cameras: BTreeSet<Option<i32>> = model.spots.iter().map(|spot| spot.photo.camera).collect();
    let forms: BTreeMap<Option<i32>, &str> = cameras.iter().copied().zip(MARKERS.into_iter().cycle()).collect();
    let radius = if model.spots.len() > 500 { 2.2 } else { 3.2 };
    let at = |share: f32| MARGIN + f64::from(share) * (SIDE - 2.0 * MARGIN);
    let label = format!("Map of {} photos of {} persons", model.spots.len(), persons.len());
    let drawing = html! {
        svg class="map" role="img" aria-label=(label) viewBox={ "0 0 " (SIDE) " " (SIDE) } {
            @for (place, (_, spots)) in persons.iter().enumerate() {
                g style={ "--hue:" (format!("{:.0}", place as f64 * HUE % 360.0)) } {
                    @for spot in spots {
                        path d=(forms[&spot.photo.camera])
                            transform={ "translate(" (number(at(spot.x))) " " (number(at(spot.y))) ")scale(" (radius) ")" } {
                            title { (named(&spot.photo)) }
                        }
                    }
                }
            }
        }
        @if cameras.len() > 1 {
            ul class="legend" {
                @for (camera, form) in &forms {
                    li {
                        svg class="key" aria-hidden="true" viewBox="-6 -5 12 10" { path d=(form) transform="scale(3.5)" {} }
                        @match camera { Some(camera) => { "camera " (camera) }, None => "camera not known" }
                    }
                }
            }
        }
    };
    figure(
        &drawing,
        &html! {
            "Each marker is a photo, its colour is the person and its form the camera; photos with similar features lie together \
             (t-SNE). If one person's photos make one heap, the model knows the person again. Distances between heaps, and the axes, \
             mean nothing. "
            @if model.spots.len() < model.photos {
                "Of " (model.photos) " photos " (model.spots.len()) " are shown, those of the first persons: " (map::MOST) " are the most. "
            }
            "Point at a marker for the file's name."
        },
    )
}

/// A photo in words.
pub fn named(photo: &Photo) -> String {
    let camera = photo.camera.map(|camera| format!(", camera {camera}")).unwrap_or_default();
    format!("{}: person {}{camera}", photo.image, photo.person)
}
