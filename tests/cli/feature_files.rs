//! Features that `reid extract` has written, in the place of images.

use std::fs;

use super::{Bench, reid};

/// A gallery of four persons and a query of the third, with their features.
fn extracted() -> Bench {
    let bench = Bench::new();
    (1..=4).for_each(|person| bench.person(&format!("gallery/000{person}_c1.png"), person));
    bench.person("query/0003_c2.png", 3);
    for name in ["gallery", "query"] {
        let [weights, out, images] = [bench.weights(), bench.text(&format!("{name}.safetensors")), bench.text(name)];
        reid(&["extract", "--device", "cpu", "--weights", &weights, "--out", &out, &images]).ends(0);
    }
    bench
}

#[test]
fn match_takes_files_of_features_for_images_on_either_side() {
    let bench = extracted();
    let ranked = |query: &str, gallery: &str, more: &[&str]| {
        let (query, gallery) = (bench.text(query), bench.text(gallery));
        let run =
            reid(&[&["match", "--query", &query, "--gallery", &gallery, "--json", "--device", "cpu"], more].concat());
        run.ends(0).json()
    };
    let weights = bench.weights();
    let model = ["--weights", weights.as_str()];
    let expected = ranked("query", "gallery", &model);
    assert_eq!(expected[0]["query"], bench.text("query/0003_c2.png"));
    assert_eq!(expected[0]["matches"][0]["image"], bench.text("gallery/0003_c1.png"));
    for (query, gallery) in [("query", "gallery.safetensors"), ("query.safetensors", "gallery")] {
        assert_eq!(ranked(query, gallery, &model), expected);
    }
    // Of features alone the model is not asked for: the one that comes along is another.
    let found = ranked("query.safetensors", "gallery.safetensors", &[]);
    assert_eq!(found, expected);
    // Cameras are known by the names in the files.
    let centred = ["--cameras", "centre"];
    let images = ranked("query", "gallery", &[&model[..], &centred].concat());
    assert_eq!(ranked("query.safetensors", "gallery.safetensors", &centred), images);
}

#[test]
fn features_that_cannot_be_compared_or_used_are_refused() {
    let bench = extracted();
    let refused = |query: &str, gallery: &str, words: &[&str]| {
        let (query, gallery) = (bench.text(query), bench.text(gallery));
        let run = reid(&["match", "--device", "cpu", "--query", &query, "--gallery", &gallery]).ends(1);
        run.says(words);
        assert_eq!(run.stdout, "");
    };
    let (query, other) = (bench.text("query"), bench.text("other.safetensors"));
    // By the model that comes along.
    reid(&["extract", "--device", "cpu", "--out", &other, &query]).ends(0);
    let words =
        ["gallery.safetensors: its features are of another model (OSNet x0.25, fingerprint ", "extract all with one"];
    refused("other.safetensors", "gallery.safetensors", &words);
    refused("query", "gallery.safetensors", &words);
    refused("query", "gallery.safetensors", &["than --weights webreid-small (fingerprint "]);
    refused("other.safetensors", "gallery.safetensors", &["than ", "other.safetensors (fingerprint "]);

    refused("model.safetensors", "gallery", &["model.safetensors: there is no tensor `features`", "`reid extract`"]);
    refused("gone.safetensors", "gallery", &["gone.safetensors: cannot be read"]);
    bench.write("cut.safetensors", &fs::read(bench.path("gallery.safetensors")).unwrap()[..999]);
    refused("query.safetensors", "cut.safetensors", &["cut.safetensors: ", "`reid extract`"]);
}
