//! `reid evaluate --report`, and two models compared.

use std::fs;

use serde_json::Value;
use webreid::model::preset;
use webreid::weights::{Checkpoint, Precision, to_safetensors};

use super::{BTreeMap, Bench, Run, reid};

/// A file name that is markup.
const NASTY: &str = "0004_c2_\"><script src=x>alert(1)<!-- & '.png";

impl Bench {
    /// Four persons, a photo by each of two cameras.
    fn set(&self, folder: &str) -> String {
        for person in 1..=4 {
            self.person(&format!("{folder}/{person:04}_c1_1.png"), person);
            let second = if person == 4 { NASTY.to_owned() } else { format!("{person:04}_c2_1.png") };
            self.person(&format!("{folder}/{second}"), person);
        }
        self.text(folder)
    }

    /// The bench's model with all of its numbers set to one.
    fn constant(&self, name: &str, number: f32) -> String {
        let mut tensors = Checkpoint::read(&fs::read(self.weights()).unwrap()).unwrap().tensors;
        tensors.values_mut().flat_map(|tensor| &mut tensor.values).for_each(|value| *value = number);
        let config = preset("osnet_x0_25", 0).unwrap();
        self.write(name, &to_safetensors(&config, &tensors, &BTreeMap::new(), Precision::F32).unwrap());
        self.text(name)
    }

    fn numbers(&self, report: &str) -> Value {
        serde_json::from_slice(&fs::read(self.path(report).join("report.json")).unwrap()).unwrap()
    }
}

fn evaluate(data: &str, more: &[&str]) -> Run {
    let start = ["evaluate", "--device", "cpu", "--protocol", "cross-camera", "--data", data];
    reid(&[&start[..], more].concat())
}

#[test]
fn a_report_holds_the_numbers_of_json_and_refers_to_nothing_outside() {
    let bench = Bench::new();
    let (data, weights, report) = (bench.set("set <b>&"), bench.weights(), bench.text("a/new/report"));
    bench.write("set <b>&/0005_c2.png", b"no picture");
    bench.write("a/new/report/notes.txt", b"mine");
    let options = ["--weights", &weights, "--cameras", "centre", "--json", "--details", "--report", &report];
    let run = evaluate(&data, &options).ends(3);
    run.says(&["report.html"]);
    let told = run.json();
    let numbers = bench.numbers("a/new/report");
    let model = &numbers["models"][0];
    for (key, value) in told.as_object().unwrap() {
        assert_eq!(&model[key], value, "{key}");
    }
    assert_eq!((told["rank1"].as_f64(), model["cmc"][0].as_f64()), (Some(100.0), Some(100.0)));
    assert_eq!(
        (&numbers["queries"], &numbers["gallery"], &numbers["difference"]),
        (&4.into(), &4.into(), &Value::Null)
    );
    assert_eq!(numbers["unreadable"][0]["image"], "0005_c2.png");
    let worst = &model["outcomes"][0];
    assert_eq!((&worst["first"], &worst["averagePrecision"]), (&1.into(), &100.0.into()));
    assert_eq!(worst["truth"], worst["matches"][0]);
    let share = |bin: &Value| bin["same"].as_f64().unwrap();
    let same: f64 = model["histogram"].as_array().unwrap().iter().map(share).sum();
    assert!((same - 100.0).abs() < 1e-9, "{same}");
    assert_eq!(model["roc"].as_array().unwrap().last().unwrap()["trueMatch"], 100.0);
    assert_eq!((model["spots"].as_array().unwrap().len(), model["photos"].as_u64()), (8, Some(8)));

    let files = ["cameras.csv", "cmc.csv", "histogram.csv", "map.csv", "notes.txt", "queries.csv", "report.html"];
    assert_eq!(bench.files("a/new/report"), [&files[..], &["report.json", "roc.csv"]].concat());
    assert_eq!(fs::read(bench.path("a/new/report/notes.txt")).unwrap(), b"mine");
    let rows = |name: &str| -> Vec<Vec<String>> {
        let mut reader = csv::Reader::from_path(bench.path("a/new/report").join(name)).unwrap();
        reader.records().map(|row| row.unwrap().iter().map(str::to_owned).collect()).collect()
    };
    let queries = rows("queries.csv");
    assert_eq!(queries.len(), 4);
    assert!(queries.iter().any(|row| row[7] == NASTY && row[4] == "1"), "{queries:?}");
    assert_eq!(rows("cameras.csv"), [["A", "1", "2", "100.0", "100.0", "4"]]);
    assert_eq!((rows("cmc.csv").len(), rows("map.csv").len()), (4, 8));

    let page = fs::read_to_string(bench.path("a/new/report/report.html")).unwrap();
    for outside in ["http:", "https:", "<script", "<link rel=\"stylesheet", "url(", "@import", "onerror"] {
        assert!(!page.contains(outside), "{outside}");
    }
    for address in [" src=\"", " href=\""] {
        let mut found = page.split(address).skip(1);
        assert!(found.all(|rest| rest.starts_with("data:")), "{address}");
    }
    assert!(page.contains("&lt;script src=x&gt;alert(1)&lt;!-- &amp; '.png") && page.contains("set &lt;b&gt;&amp;"));
    assert!(page.contains("default-src 'none'; img-src data:; style-src 'unsafe-inline'"), "the policy");
    for words in ["<td class=\"number\">100.00", "no proof", "0005_c2.png</b>: this is text", "camera 2 (4 photos)"] {
        assert!(page.contains(words), "{words}");
    }

    // Again, over what is there.
    evaluate(&data, &options).ends(3);
    assert_eq!(fs::read_to_string(bench.path("a/new/report/report.html")).unwrap(), page, "the same again");
}

#[test]
fn the_worst_query_comes_first_with_what_was_ranked_before_it() {
    let bench = Bench::new();
    let data = bench.set("set");
    // Camera 2 shows persons 1 and 2 as each other.
    bench.person("set/0001_c2_1.png", 2);
    bench.person("set/0002_c2_1.png", 1);
    let (weights, report) = (bench.weights(), bench.text("report"));
    let run = evaluate(&data, &["--weights", &weights, "--report", &report]).ends(0);
    assert!(run.stdout.contains("rank-1  50.00 %"), "{}", run.stdout);
    let numbers = bench.numbers("report");
    let outcomes = numbers["models"][0]["outcomes"].as_array().unwrap();
    let firsts: Vec<_> = outcomes.iter().map(|outcome| outcome["first"].as_u64().unwrap()).collect();
    assert!(firsts[0] >= 2 && firsts[1] >= 2 && firsts[2..] == [1, 1], "{firsts:?}");
    let first = &outcomes[0]["matches"][0];
    assert_eq!((&first["rank"], &first["same"]), (&1.into(), &false.into()));
    assert_eq!(first["person"].as_i64().unwrap() + outcomes[0]["person"].as_i64().unwrap(), 3, "the other of the two");
    assert!((first["similarity"].as_f64().unwrap() - 1.0).abs() < 1e-5);
    let page = fs::read_to_string(bench.path("report/report.html")).unwrap();
    assert!(page.contains("alt=\"Rank 1, somebody else, 000"), "a ranked photo says what it is");
}

#[test]
fn a_folder_that_cannot_be_written_is_told_before_anything_is_computed() {
    let bench = Bench::new();
    let data = bench.set("set");
    bench.write("file", b"no folder");
    fs::create_dir_all(bench.path("taken/report.html")).unwrap();
    // The weights are not there either: that would come next.
    let refused = |report: &str| evaluate(&data, &["--weights", "gone.pth", "--report", &bench.text(report)]).ends(1);
    refused("file").says(&["--report", "file: the folder cannot be made or written to"]);
    refused("file/below").says(&["--report", "cannot be made or written to"]);
    refused("taken").says(&["report.html: this is a folder"]);
    if cfg!(target_os = "linux") {
        let run = evaluate(&data, &["--weights", "gone.pth", "--report", "/proc/nothing"]).ends(1);
        run.says(&["/proc/nothing: the folder cannot be made"]);
    }
    refused("fine").says(&["gone.pth", "no such file"]);
    evaluate(&bench.text("gone"), &["--report", &bench.text("unmade")]).ends(1);
    assert!(!bench.path("unmade").exists());
}

#[test]
fn two_models_are_compared_on_the_same_images() {
    let bench = Bench::new();
    let (data, model) = (bench.set("set"), bench.weights());
    // All features are alike: each person is found at the rank of its place in the gallery.
    let blind = bench.constant("blind.safetensors", 0.0);
    let report = bench.text("report");
    let compare = |b: &str, more: &[&str]| evaluate(&data, &[&["--weights", &model, "--weights", b], more].concat());

    let json = compare(&model, &["--json"]).ends(0).json();
    let nothing = serde_json::json!({"low": 0.0, "high": 0.0});
    assert_eq!(
        json["difference"],
        serde_json::json!({"rank1": 0.0, "map": 0.0, "intervals": {"rank1": nothing, "map": nothing}, "queries": 4})
    );
    let alone = evaluate(&data, &["--weights", &model, "--json"]).ends(0).json();
    for (key, value) in alone.as_object().unwrap() {
        assert_eq!(&json["models"][1][key], value, "{key}");
    }
    let text = compare(&model, &[]).ends(0).stdout;
    assert!(text.contains("B less A, 4 queries") && text.matches("no difference can be seen").count() == 2, "{text}");

    let run = compare(&blind, &["--json", "--report", &report]).ends(0);
    let json = run.json();
    assert_eq!(json["models"][1]["weights"], blind.as_str());
    let value = |json: &Value, score: &str| json[score].as_f64().unwrap();
    let precision = 100.0 * (1.0 + 1.0 / 2.0 + 1.0 / 3.0 + 1.0 / 4.0) / 4.0;
    assert_eq!((value(&json["models"][0], "map"), value(&json["models"][1], "rank1")), (100.0, 25.0));
    let difference = &json["difference"];
    assert_eq!(value(difference, "rank1"), -75.0);
    assert!((value(difference, "map") - (precision - 100.0)).abs() < 1e-9, "{difference}");
    assert!(value(&difference["intervals"]["rank1"], "high") < 0.0, "{difference}");
    let numbers = bench.numbers("report");
    assert_eq!(&numbers["difference"], difference);
    assert_eq!((&numbers["models"][0]["name"], &numbers["models"][1]["name"]), (&"A".into(), &"B".into()));
    let page = fs::read_to_string(bench.path("report/report.html")).unwrap();
    assert_eq!(page.matches("A is better").count(), 2);
    assert!(page.contains("class=\"line one\"") && page.contains("class=\"line two\""), "two curves in a chart");

    // The other way round, and only what both can read: of three persons too few to tell.
    let turned = || evaluate(&data, &["--weights", &blind, "--weights", &model]);
    let text = turned().ends(0).stdout;
    assert!(text.contains("rank-1 +75.00  (95 %: +25.0 to +100.0): B is better"), "{text}");
    fs::write(bench.path("set/0003_c1_1.png"), b"broken").unwrap();
    let run = turned().ends(3);
    assert!(run.stdout.contains("B less A, 3 queries") && !run.stdout.contains("better"), "{}", run.stdout);
    assert_eq!(run.stderr.matches("0003_c1_1.png").count(), 1, "{}", run.stderr);
    let details = compare(&blind, &["--json", "--details"]).ends(3).json();
    assert!(details["models"][1]["verification"]["eer"].is_number(), "{details}");
    compare(&blind, &["--weights", &model]).ends(2).says(&["--weights can be given twice"]);
    compare("gone.pth", &[]).ends(1).says(&["gone.pth", "no such file"]);
}

#[test]
fn what_cannot_be_evaluated_or_matched_says_why() {
    let bench = Bench::new();
    let (data, weights) = (bench.set("set"), bench.weights());
    let with = |more: &[&str]| evaluate(&data, &[&["--weights", &weights], more].concat());

    // A rule that tells no camera, whether or not cameras are used; of match before anything is computed.
    for how in [&["--cameras", "centre"][..], &[]] {
        with(&[&["--camera-from", "name:nothing"], how].concat())
            .ends(1)
            .says(&["the rule nothing matches none of the 8 file names", "try it on that name"]);
    }
    with(&["--camera-from", "name:c([0-9])"]).ends(0).says(&["changes nothing without --cameras"]);
    let matched = |query: &str, weights: &str, more: &[&str]| {
        let start = ["match", "--device", "cpu", "--weights", weights, "--query", query, "--gallery", &data];
        reid(&[&start[..], more].concat())
    };
    let query = bench.text("set/0001_c1_1.png");
    matched(&query, "gone.pth", &["--cameras", "centre", "--camera-from", "name:nothing"])
        .ends(1)
        .says(&["matches none of the 9 file names"]);

    // A camera with one photo works, and it is said that its mean is not its own.
    bench.person("one/0001_c1.png", 1);
    bench.person("one/0001_c2.png", 1);
    bench.person("one/0002_c2.png", 2);
    let run = evaluate(&bench.text("one"), &["--weights", &weights, "--cameras", "centre"]).ends(0);
    run.says(&["camera 1 (1 photo)", "A mean of fewer than 50 photos leans on that of all photos: camera 1, 2."]);

    // Weights that are no numbers, and a model whose numbers grow beyond all: there the image is named.
    let broken = bench.constant("broken.safetensors", f32::NAN);
    evaluate(&data, &["--weights", &broken]).ends(1).says(&["broken.safetensors: tensor", "holds NaN"]);
    let endless = bench.constant("endless.safetensors", 1e30);
    let numbers = "0001_c1_1.png: the model gives values that are not numbers";
    evaluate(&data, &["--weights", &endless]).ends(1).says(&[numbers]);
    matched(&query, &endless, &[]).ends(1).says(&[numbers]);

    // Nobody to look for.
    fs::create_dir_all(bench.path("hollow/query")).unwrap();
    bench.person("hollow/bounding_box_test/0001_c2.png", 1);
    let hollow = bench.text("hollow");
    reid(&["evaluate", "--weights", &weights, "--data", &hollow]).ends(1).says(&["query holds no labelled images"]);
    matched(&bench.text("hollow/query"), "gone.pth", &[]).ends(1).says(&["hollow/query: there are no images"]);
}
