//! `reid completions` and `reid man`.

use std::fs;

use super::{Bench, reid};

#[test]
fn shells_get_completions_of_every_command() {
    for (shell, start) in [
        ("bash", "_reid() {"),
        ("zsh", "#compdef reid"),
        ("fish", "complete -c reid "),
        ("powershell", "using"),
        ("elvish", "\nuse"),
    ] {
        let script = reid(&["completions", shell]).ends(0).stdout;
        assert!(script.contains(start), "{shell}: {script}");
        for word in ["extract", "gallery", "merge", "whole-photos", "threshold"] {
            assert!(script.contains(word), "{shell}: no {word}");
        }
    }
    reid(&["completions", "tcsh"]).ends(2).says(&["bash", "fish", "zsh"]);
}

#[test]
fn the_manual_has_a_page_for_every_command() {
    let page = reid(&["man"]).ends(0).stdout;
    for words in [".TH reid 1", ".SH SYNOPSIS", "reid\\-extract(1)", "130  stopped by Ctrl\\-C"] {
        assert!(page.contains(words), "no {words:?} in {page}");
    }
    let bench = Bench::new();
    reid(&["man", "--out", &bench.text("man1")]).ends(0);
    let pages = bench.files("man1");
    for name in ["reid.1", "reid-extract.1", "reid-gallery.1", "reid-gallery-merge.1", "reid-train.1"] {
        assert!(pages.contains(&name.to_owned()), "no {name} in {pages:?}");
    }
    assert!(!pages.iter().any(|name| name.contains("help")), "{pages:?}");
    let train = fs::read_to_string(bench.path("man1/reid-train.1")).unwrap();
    assert!(
        train.contains("\\-\\-resume") && train.contains(".nf\n") && train.contains("images_per_epoch = "),
        "{train}"
    );
    reid(&["man", "--out", &bench.text("model.safetensors")]).ends(1).says(&["model.safetensors", "cannot be made"]);
}
