//! Axes and lines, as SVG that takes its colours from the page.

use maud::{Markup, PreEscaped, html};

/// Units of the drawing, width and height: about the pixels of a phone, so that its text can be read there.
const SIZE: [f64; 2] = [360.0, 240.0];
/// Where the axes end: left, top, right, bottom.
const INNER: [f64; 4] = [42.0, 10.0, 350.0, 200.0];
/// Ticks of an axis, about.
const TICKS: f64 = 6.0;

/// One direction of a chart.
pub struct Axis {
    title: &'static str,
    low: f64,
    high: f64,
    logarithmic: bool,
    ticks: Vec<f64>,
    name: fn(f64) -> String,
}

impl Axis {
    /// Even, with ticks at round numbers.
    pub fn linear(title: &'static str, [low, high]: [f64; 2], name: fn(f64) -> String) -> Self {
        let high = if high > low { high } else { low + 1.0 };
        let rough = (high - low) / TICKS;
        let power = 10_f64.powf(rough.log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0].map(|factor| factor * power).into_iter().find(|&step| step >= rough);
        let step = step.unwrap_or(10.0 * power);
        let first = (low / step - 1e-9).ceil() as i64;
        let ticks = (first..).map(|tick| tick as f64 * step).take_while(|&tick| tick <= high + step * 1e-9).collect();
        Self { title, low, high, logarithmic: false, ticks, name }
    }

    /// With a tick at each power of ten.
    pub fn logarithmic(title: &'static str, powers: [i32; 2], name: fn(f64) -> String) -> Self {
        let ticks: Vec<f64> = (powers[0]..=powers[1]).map(|power| 10_f64.powi(power)).collect();
        let [low, high] = powers.map(|power| 10_f64.powi(power));
        Self { title, low, high, logarithmic: true, ticks, name }
    }

    /// 0…1 along the axis.
    fn share(&self, value: f64) -> f64 {
        let value = value.clamp(self.low, self.high);
        if self.logarithmic {
            (value / self.low).log10() / (self.high / self.low).log10()
        } else {
            (value - self.low) / (self.high - self.low)
        }
    }
}

/// Where values lie in the drawing.
pub struct Plot {
    pub x: Axis,
    pub y: Axis,
}

impl Plot {
    /// The place of a value. What is beyond the axes lies on their ends.
    pub fn place(&self, x: f64, y: f64) -> [f64; 2] {
        let [left, top, right, bottom] = INNER;
        [left + self.x.share(x) * (right - left), bottom - self.y.share(y) * (bottom - top)]
    }

    /// The points of a line, for `points` and `d`.
    pub fn path(&self, points: impl Iterator<Item = (f64, f64)>) -> String {
        let points: Vec<String> = points
            .map(|(x, y)| {
                let [x, y] = self.place(x, y);
                format!("{x:.1},{y:.1}")
            })
            .collect();
        points.join(" ")
    }

    /// A line; `class` colours it.
    pub fn line(&self, class: &str, points: impl Iterator<Item = (f64, f64)>) -> Markup {
        html! { polyline class={ "line " (class) } points=(self.path(points)) {} }
    }

    /// The whole drawing with `inside` between the axes; `label` says what it shows to those who cannot see it.
    pub fn draw(&self, label: &str, inside: &Markup) -> Markup {
        let [left, top, right, bottom] = INNER;
        let Self { x, y } = self;
        html! {
            svg class="chart" role="img" aria-label=(label) viewBox={ "0 0 " (SIZE[0]) " " (SIZE[1]) } {
                @for &tick in &y.ticks {
                    @let [_, at] = self.place(x.low, tick);
                    line class="grid" x1=(left) x2=(right) y1=(number(at)) y2=(number(at)) {}
                    text class="end" x=(left - 5.0) y=(number(at + 3.5)) { ((y.name)(tick)) }
                }
                @for &tick in &x.ticks {
                    @let [at, _] = self.place(tick, y.low);
                    line class="grid" x1=(number(at)) x2=(number(at)) y1=(top) y2=(bottom) {}
                    text class="middle" x=(number(at)) y=(bottom + 14.0) { ((x.name)(tick)) }
                }
                text class="middle title" x=((left + right) / 2.0) y=(SIZE[1] - 8.0) { (x.title) }
                text class="middle title" transform={ "translate(11 " ((top + bottom) / 2.0) ") rotate(-90)" } { (y.title) }
                (inside)
            }
        }
    }
}

/// What the lines of a chart mean: a class and a name each.
pub fn legend(lines: &[(&str, String)]) -> Markup {
    html! {
        ul class="legend" {
            @for (class, name) in lines {
                li {
                    svg class="key" aria-hidden="true" viewBox="0 0 24 10" { line class={ "line " (class) } x1="1" x2="23" y1="5" y2="5" {} }
                    (name)
                }
            }
        }
    }
}

/// A figure with the sentence that says what it shows.
pub fn figure(drawing: &Markup, sentence: &Markup) -> Markup {
    html! { figure { (drawing) figcaption { (sentence) } } }
}

/// A number as short as it can be, for ticks.
pub fn plain(value: f64) -> String {
    ((value * 1e6).round() / 1e6).to_string()
}

/// A coordinate, short.
pub fn number(value: f64) -> PreEscaped<String> {
    PreEscaped(format!("{value:.1}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_within() {
        let ticks = |range| Axis::linear("", range, |value| value.to_string()).ticks;
        assert_eq!(ticks([0.0, 100.0]), [0.0, 20.0, 40.0, 60.0, 80.0, 100.0]);
        assert_eq!(ticks([1.0, 50.0]), [10.0, 20.0, 30.0, 40.0, 50.0]);
        assert_eq!(ticks([-0.2, 0.2]).len(), 5);
        assert_eq!(ticks([-0.25, 0.85]).len(), 6);
        assert!(!ticks([3.0, 3.0]).is_empty());
        assert_eq!(
            ticks([0.0, 1.0]).into_iter().map(plain).collect::<Vec<_>>(),
            ["0", "0.2", "0.4", "0.6", "0.8", "1"]
        );
    }

    #[test]
    fn values_lie_between_the_axes_and_their_ends() {
        let plot = Plot {
            x: Axis::logarithmic("", [-2, 2], |value| value.to_string()),
            y: Axis::linear("", [0.0, 100.0], |value| value.to_string()),
        };
        let [left, top, right, bottom] = INNER;
        assert_eq!(plot.place(0.0, 0.0), [left, bottom]);
        assert_eq!(plot.place(1.0, 50.0), [(left + right) / 2.0, (top + bottom) / 2.0]);
        assert_eq!(plot.place(1e9, 1e9), [right, top]);
    }
}
