//! `curve.svg`: the losses above, the evaluations below, over the epochs of all stages.

use std::error::Error;
use std::ops::Range;

use plotters::backend::SVGBackend;
use plotters::chart::{ChartBuilder, SeriesLabelPosition};
use plotters::coord::Shift;
use plotters::drawing::{DrawingArea, IntoDrawingArea};
use plotters::element::PathElement;
use plotters::series::LineSeries;
use plotters::style::{BLACK, Color, RGBColor, WHITE};

use super::log::Entry;

/// Pixels, width and height.
const SIZE: (u32, u32) = (960, 720);
const FONT: (&str, u32) = ("sans-serif", 16);

/// Okabe and Ito's colours, which colour-blind people tell apart, the faint ones apart.
const COLOURS: [RGBColor; 6] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(86, 180, 233),
    RGBColor(230, 159, 0),
];

/// A named line of (epoch, value).
type Line = (String, Vec<(f64, f64)>);

/// The log as a picture. `epochs` are those of each stage.
pub fn svg(entries: &[Entry], epochs: &[usize]) -> Result<String, Box<dyn Error>> {
    let (losses, scores) = lines(entries, epochs);
    let mut text = String::new();
    let root = SVGBackend::with_string(&mut text, SIZE).into_drawing_area();
    root.fill(&WHITE)?;
    if scores.is_empty() {
        chart(&root, "Loss", &losses, None, SeriesLabelPosition::UpperRight)?;
    } else {
        let (above, below) = root.split_vertically(SIZE.1 / 2);
        chart(&above, "Loss", &losses, None, SeriesLabelPosition::UpperRight)?;
        chart(&below, "Evaluation, per cent", &scores, Some(0.0..100.0), SeriesLabelPosition::LowerRight)?;
    }
    root.present()?;
    // The backend borrows the text until it is gone.
    drop(root);
    Ok(text)
}

/// The lines of the losses and of the scores. A line that is 0 throughout is of a loss that was not asked for.
fn lines(entries: &[Entry], epochs: &[usize]) -> (Vec<Line>, Vec<Line>) {
    let at = |stage: usize, epoch: usize| (epochs.iter().take(stage - 1).sum::<usize>() + epoch) as f64;
    let (mut losses, mut scores) = (Vec::new(), Vec::new());
    for entry in entries {
        match entry {
            Entry::Epoch(e) => {
                let x = at(e.stage, e.epoch);
                push(&mut losses, "loss".into(), (x, e.loss));
                push(&mut losses, "identity".into(), (x, e.identity_loss));
                push(&mut losses, "triplet".into(), (x, e.triplet_loss));
                push(&mut losses, "distillation".into(), (x, e.distillation_loss));
            }
            Entry::Evaluation(e) => {
                let x = at(e.stage, e.epoch);
                push(&mut scores, format!("{}: rank-1", e.data), (x, e.rank1));
                push(&mut scores, format!("{}: mAP", e.data), (x, e.map));
            }
        }
    }
    losses.retain(|(_, points): &Line| points.iter().any(|(_, value)| *value != 0.0));
    (losses, scores)
}

fn push(lines: &mut Vec<Line>, name: String, point: (f64, f64)) {
    match lines.iter_mut().find(|(known, _)| *known == name) {
        Some((_, points)) => points.push(point),
        None => lines.push((name, vec![point])),
    }
}

/// A range that holds all values, 0 too, with a little room above.
fn range(values: impl Iterator<Item = f64>) -> Range<f64> {
    let (low, high) = values.fold((0.0_f64, 0.0_f64), |(low, high), value| (low.min(value), high.max(value)));
    low..if high > low { high * 1.05 } else { low + 1.0 }
}

fn chart(
    area: &DrawingArea<SVGBackend<'_>, Shift>,
    title: &str,
    lines: &[Line],
    y: Option<Range<f64>>,
    legend: SeriesLabelPosition,
) -> Result<(), Box<dyn Error>> {
    let points = || lines.iter().flat_map(|(_, points)| points);
    let x = range(points().map(|(x, _)| *x));
    let y = y.unwrap_or_else(|| range(points().map(|(_, y)| *y)));
    let mut chart = ChartBuilder::on(area)
        .caption(title, FONT)
        .margin(12)
        .x_label_area_size(48)
        .y_label_area_size(56)
        .build_cartesian_2d(x, y)?;
    let whole = |epoch: &f64| if epoch.fract() == 0.0 { epoch.to_string() } else { String::new() };
    let mesh = &mut chart.configure_mesh();
    mesh.light_line_style(WHITE).x_desc("Epoch").x_label_formatter(&whole).label_style(FONT).draw()?;
    for (index, (name, points)) in lines.iter().enumerate() {
        let style = COLOURS[index % COLOURS.len()].stroke_width(2);
        let series = LineSeries::new(points.iter().copied(), style).point_size(2);
        let sample = move |(x, y)| PathElement::new([(x, y), (x + 16, y)], style);
        chart.draw_series(series)?.label(name).legend(sample);
    }
    if !lines.is_empty() {
        let labels = &mut chart.configure_series_labels();
        let labels = labels.position(legend).background_style(WHITE.mix(0.8));
        labels.border_style(BLACK.mix(0.3)).label_font(FONT).draw()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::log::{Epoch, Evaluation};
    use super::*;

    fn epoch(stage: usize, epoch: usize, loss: f64) -> Entry {
        Entry::Epoch(Epoch {
            stage,
            epoch,
            step: 1,
            loss,
            identity_loss: loss - 0.5,
            triplet_loss: 0.5,
            distillation_loss: 0.0,
            accuracy: 0.0,
            images_per_second: 1.0,
            seconds: 1.0,
            learning_rate: 1.0,
        })
    }

    fn evaluation(stage: usize, epoch: usize, map: f64) -> Entry {
        Entry::Evaluation(Evaluation {
            stage,
            epoch,
            step: 1,
            data: "a<b".into(),
            protocol: "leave-one-out".into(),
            rank1: map,
            rank5: map,
            rank10: map,
            map,
            minp: map,
            queries: 1,
            seconds: 1.0,
        })
    }

    #[test]
    fn stages_follow_each_other_and_lines_of_zeros_are_left_out() {
        let entries = [epoch(1, 1, 5.0), epoch(1, 2, 4.0), epoch(2, 1, 3.0), evaluation(2, 1, 60.0)];
        let (losses, scores) = lines(&entries, &[2, 3]);
        assert_eq!(losses[0], ("loss".to_owned(), vec![(1.0, 5.0), (2.0, 4.0), (3.0, 3.0)]));
        assert_eq!(losses.len(), 3);
        assert_eq!(scores, [("a<b: rank-1".to_owned(), vec![(3.0, 60.0)]), ("a<b: mAP".to_owned(), vec![(3.0, 60.0)])]);
    }

    #[test]
    fn the_picture_has_its_lines_and_escapes_names() {
        let picture = svg(&[epoch(1, 1, 5.0), epoch(1, 2, 4.0), evaluation(1, 2, 60.0)], &[2]).expect("draws");
        assert!(picture.starts_with("<svg") && picture.trim_end().ends_with("</svg>"), "{picture}");
        assert!(picture.contains("<polyline") && picture.contains("mAP") && picture.contains("Epoch"), "{picture}");
        assert!(!picture.contains("a<b"), "{picture}");
        svg(&[], &[2]).expect("draws nothing");
    }
}
