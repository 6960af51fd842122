//! How similar pairs of the same person are, and pairs of different people.

use maud::{Markup, html};

use super::chart::{Axis, Plot, figure, legend, number, plain};
use super::contents::{Bin, Model, similarity};

/// Nothing where all pairs are of one kind.
pub fn histogram(model: &Model) -> Markup {
    let (Some(found), [first, .., last]) = (&model.summary.verification, &model.histogram[..]) else { return html! {} };
    let at = |distance: f64| similarity(distance, model.reranked);
    let highest = model.histogram.iter().fold(0.0_f64, |high, bin| high.max(bin.same).max(bin.different));
    let plot = Plot {
        x: Axis::linear("similarity", [at(last.to), at(first.from)], |value| format!("{value:.1}")),
        y: Axis::linear("pairs of their kind, %", [0.0, highest], plain),
    };
    let steps = |of: fn(&Bin) -> f64| {
        let bins = model.histogram.iter().flat_map(|bin| [(at(bin.from), of(bin)), (at(bin.to), of(bin))]);
        plot.path([(at(first.from), 0.0)].into_iter().chain(bins).chain([(at(last.to), 0.0)]))
    };
    let cut = at(found.cut);
    let [x, bottom] = plot.place(cut, 0.0);
    let [_, top] = plot.place(cut, highest);
    let inside = html! {
        polygon class="area different" points=(steps(|bin| bin.different)) {}
        polygon class="area same" points=(steps(|bin| bin.same)) {}
        line class="cut" x1=(number(x)) x2=(number(x)) y1=(number(bottom)) y2=(number(top)) {}
    };
    let label = format!(
        "Histogram of similarities: {} pairs of the same person, {} pairs of different people; the errors are equal at {cut:.3}",
        found.same, found.different
    );
    let names = [
        ("same", format!("the same person ({} pairs)", found.same)),
        ("different", format!("different people ({} pairs)", found.different)),
        ("cut", format!("the best cut, {cut:.3}")),
    ];
    let drawing = html! { (plot.draw(&label, &inside)) (legend(&names)) };
    figure(
        &drawing,
        &html! {
            "How similar two photos are if they show the same person, and if they do not; the less the two hills overlap, the better. \
             At the best cut " (format!("{:.1}", found.eer)) " % of either kind are on the wrong side."
        @if model.reranked { " After re-ranking similarities are shares of common neighbours, 0 to 1, and no cosines." }
        },
    )
}
