//! The report for a terminal.

use std::collections::{BTreeMap, BTreeSet};

use crate::report::{Choice, Peak, Report};

/// Lines of what would be better.
const MOST: usize = 40;

pub fn of(report: &Report) -> String {
    let mut text = String::new();
    let mut add = |title: &str, lines: Vec<Vec<String>>| {
        if lines.len() > 1 {
            let title = if title.is_empty() { String::new() } else { format!("{title}\n") };
            text += &format!("\n{title}{}", columns(&lines));
        }
    };
    let adapter = report.adapter.as_ref().map_or("no adapter that answers".to_owned(), |adapter| {
        let has = |is: bool, what: &str| format!("{} {what}", if is { "with" } else { "without" });
        let (f16, timestamps) = (has(adapter.f16, "f16"), has(adapter.timestamps, "timestamps"));
        format!("{}{}, {f16}, {timestamps}", adapter.name, if adapter.software { " (software)" } else { "" })
    });

    let mut lines = vec![row(["parity, of", "precision", "cases", "worst, of what is allowed", ""])];
    for parity in &report.parity {
        let worst = parity.worst.map_or("–".to_owned(), |worst| format!("{worst:.3}"));
        let wrong = parity.wrong.first().map_or(String::new(), |wrong| format!("WRONG: {wrong}"));
        lines.push(row([&parity.of, &parity.precision, &parity.cases.to_string(), &worst, &wrong]));
    }
    add("", lines);

    let mut lines = vec![row(["features of", "precision", "against", "images", "error", "cosine", ""])];
    for feature in &report.features {
        let number = |value: Option<f32>, text: fn(f32) -> String| value.map_or("no number".to_owned(), text);
        let (error, cosine) =
            (number(feature.error, |e| format!("{e:.1e}")), number(feature.cosine, |c| format!("{c:.7}")));
        let right = if feature.right { "" } else { "WRONG" };
        let images = feature.images.to_string();
        lines.push(row([&feature.network, &feature.precision, &feature.against, &images, &error, &cosine, right]));
    }
    add("", lines);

    let mut lines = vec![row(["best of", "precision", "G/s", "how", ""])];
    for peak in best_peaks(report) {
        let right = if peak.right { "" } else { "WRONG" };
        lines.push(row([&peak.what, &peak.precision, &format!("{:.1}", peak.rate / 1e9), &peak.how, right]));
    }
    add("", lines);

    let mut lines = vec![row(["network", "precision", "batch", "ms", "images/s", "kernels, ms"])];
    for speed in &report.speeds {
        let kernels = speed.kernels.as_ref();
        let kernels =
            kernels.map_or("–".to_owned(), |all| format!("{:.2}", all.iter().map(|kernel| kernel.ms).sum::<f64>()));
        let (ms, images) = (format!("{:.2}", speed.ms), format!("{:.1}", speed.images_per_second));
        lines.push(row([&speed.network, &speed.precision, &speed.batch.to_string(), &ms, &images, &kernels]));
    }
    add("", lines);
    add("What takes the time, beside the best product and copy here", kernels(report));

    add("What the planner would choose better: the choices that save the most of a network's time", better(report));
    add("Tiles: how often the planner takes one, and how often it is the fastest", tiles(report));

    let mut lines = vec![row(["fine-tune", "images a step", "ms a step", "images/s"])];
    for tuning in &report.tuning {
        let rate = tuning.images as f64 / tuning.ms * 1e3;
        let (ms, rate) = (format!("{:.1}", tuning.ms), format!("{rate:.1}"));
        lines.push(row([&tuning.depth, &tuning.images.to_string(), &ms, &rate]));
    }
    add("", lines);
    let mut lines = vec![row(["reid train", "batch", "images/s"])];
    for training in &report.training {
        let rate = format!("{:.1}", training.images_per_second);
        lines.push(row([&training.network, &training.batch.to_string(), &rate]));
    }
    add("", lines);

    let mut lines = vec![row(["section", "seconds", "end"])];
    for section in &report.sections {
        lines.push(row([section.name, &format!("{:.1}", section.seconds), &section.end]));
    }
    add("", lines);
    for note in &report.notes {
        text += &format!("{}: {}\n", note.section, note.text);
    }
    let right = if report.is_right() { "All is right." } else { "NOT ALL IS RIGHT." };
    format!("webreid {} on {adapter}\n{text}\n{right} It took {:.0} s.", report.version, report.seconds)
}

/// The fastest that are right, of each kind and precision.
fn best_peaks(report: &Report) -> Vec<&Peak> {
    let mut best = BTreeMap::<(&str, &str), &Peak>::new();
    for peak in &report.peaks {
        let rank = |peak: &Peak| (peak.right, peak.rate);
        let entry = best.entry((&peak.what, &peak.precision)).or_insert(peak);
        if rank(peak) > rank(entry) {
            *entry = peak;
        }
    }
    best.into_values().collect()
}

fn kernels(report: &Report) -> Vec<Vec<String>> {
    let best = best_peaks(report);
    let of = |what: &str, precision: &str| {
        best.iter().find(|peak| peak.what == what && peak.precision == precision).map(|peak| peak.rate / 1e9)
    };
    let part = |rate: f64, of: Option<f64>| match of {
        Some(best) if rate > 0.0 => format!("{rate:.1} ({:.0} %)", rate / best * 100.0),
        _ => format!("{rate:.1}"),
    };
    let mut lines =
        vec![row(["network", "precision", "batch", "kernel", "launches", "ms", "share", "GFLOP/s", "GB/s"])];
    for speed in &report.speeds {
        let kernels = speed.kernels.iter().flatten();
        let all: f64 = kernels.clone().map(|kernel| kernel.ms).sum();
        // The rest are less than a hundredth.
        for kernel in kernels.filter(|kernel| kernel.ms > all / 100.0) {
            lines.push(row([
                &speed.network,
                &speed.precision,
                &speed.batch.to_string(),
                &kernel.kernel,
                &kernel.launches.to_string(),
                &format!("{:.3}", kernel.ms),
                &format!("{:.0} %", kernel.ms / all * 100.0),
                &part(kernel.gflops, of("product", &speed.precision)),
                &part(kernel.gbytes, of("copy", "f32")),
            ]));
        }
    }
    lines
}

fn better(report: &Report) -> Vec<Vec<String>> {
    let mut lines =
        vec![row(["of", "network", "precision", "batch", "layer", "planned", "best", "times", "saves of all"])];
    for better in report.better.iter().take(MOST) {
        let share = better.share.map_or("–".to_owned(), |share| format!("{:.1} %", share * 100.0));
        lines.push(row([
            &better.of,
            &better.network,
            &better.precision,
            &better.batch.to_string(),
            &better.layer,
            &better.planned,
            &better.best,
            &format!("{:.2}", better.faster),
            &share,
        ]));
    }
    lines
}

/// The last column: the time of all layers with a choice, of what they take with the best for each.
fn tiles(report: &Report) -> Vec<Vec<String>> {
    let mut lines = vec![row(["of", "precision", "choice", "planned", "fastest", "everywhere, of the best"])];
    let kinds: BTreeSet<(&str, &str)> =
        report.choices.iter().map(|choice| (&choice.of[..], &choice.precision[..])).collect();
    for (of, precision) in kinds {
        let of_kind = |choice: &&Choice| choice.of == of && choice.precision == precision;
        let all: Vec<&Choice> = report.choices.iter().filter(of_kind).collect();
        let names: BTreeSet<&String> = all.iter().flat_map(|choice| choice.us.keys()).collect();
        let best: f64 = all.iter().filter_map(|choice| choice.best()).map(|(_, us)| us).sum();
        let count = |is: &dyn Fn(&Choice) -> bool| all.iter().filter(|choice| is(choice)).count().to_string();
        let times = |us: Option<f64>| us.map_or("–".to_owned(), |us| format!("{:.2}", us / best));
        for name in names {
            let with = all.iter().map(|choice| choice.us.get(name).copied()).sum();
            let planned = count(&|choice| choice.planned == *name);
            let fastest = count(&|choice| choice.best().is_some_and(|(best, _)| best == name));
            lines.push(row([of, precision, name, &planned, &fastest, &times(with)]));
        }
        let planned = all.iter().map(|choice| choice.us.get(&choice.planned).copied()).sum();
        lines.push(row([of, precision, "the planner's", &all.len().to_string(), "", &times(planned)]));
    }
    lines
}

fn row<const N: usize>(cells: [&str; N]) -> Vec<String> {
    cells.map(str::to_owned).to_vec()
}

fn columns(lines: &[Vec<String>]) -> String {
    let width = |place: usize| lines.iter().map(|line| line[place].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..lines[0].len()).map(width).collect();
    let line = |cells: &Vec<String>| {
        let padded = cells.iter().zip(&widths).map(|(cell, &width)| format!("{cell:width$}"));
        padded.collect::<Vec<_>>().join("  ").trim_end().to_owned() + "\n"
    };
    lines.iter().map(line).collect()
}
