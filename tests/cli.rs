//! The `reid` command as a user meets it: exit codes, messages, files and numbers.

#![cfg(all(feature = "cli", not(target_arch = "wasm32")))]

#[path = "common/command.rs"]
mod command;
mod common;
#[path = "cli/detect.rs"]
mod detect;
#[path = "cli/feature_files.rs"]
mod feature_files;
#[path = "cli/gallery.rs"]
mod gallery;
#[path = "cli/group.rs"]
mod group;
#[cfg(unix)]
#[path = "cli/interrupted.rs"]
mod interrupted;
#[path = "cli/manual.rs"]
mod manual;
#[path = "common/red_detector.rs"]
mod red_detector;
#[path = "cli/report.rs"]
mod report;
#[path = "cli/train.rs"]
mod train;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use command::{Run, reid};
use common::{relative_error, shared};
use serde_json::Value;
use tempfile::TempDir;
use webreid::graph::Init;
use webreid::model::preset;
use webreid::weights::{Checkpoint, Precision, Tensor, to_safetensors};

/// A folder with a model of our own: an untrained OSNet x0.25, the same on every run.
struct Bench {
    folder: TempDir,
}

impl Bench {
    fn new() -> Self {
        let bench = Self { folder: tempfile::tempdir().unwrap() };
        let config = preset("osnet_x0_25", 0).unwrap();
        let mut state = 1_u32;
        let mut uniform = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / (1 << 23) as f32 - 1.0
        };
        let mut tensor = |shape: Vec<usize>, init| {
            let values = (0..shape.iter().product()).map(|_| match init {
                Init::Constant(value) => value,
                Init::Normal(std) => uniform() * std * 3.0_f32.sqrt(),
            });
            Tensor { values: values.collect(), shape }
        };
        let parameters = config.graph().unwrap().parameters();
        let tensors = parameters.into_iter().map(|p| (p.name, tensor(p.shape, p.init))).collect();
        let bytes = to_safetensors(&config, &tensors, &BTreeMap::new(), Precision::F32).unwrap();
        fs::write(bench.path("model.safetensors"), bytes).unwrap();
        bench
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn text(&self, name: &str) -> String {
        self.path(name).to_str().unwrap().to_owned()
    }

    fn weights(&self) -> String {
        self.text("model.safetensors")
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    /// A picture of someone: stripes whose colours, width and slope are this person's.
    fn person(&self, name: &str, person: u32) {
        let colour = |x: u32, y: u32| {
            let stripe = (x * (person % 3) + y) / (3 + person) % 2;
            let shade = |channel: u32| (40 + 97 * (person + 1) * (channel + 1) % 200) as u8;
            image::Rgb(if stripe == 0 { [shade(0), shade(1), shade(2)] } else { [shade(4), shade(7), shade(5)] })
        };
        let mut bytes = std::io::Cursor::new(Vec::new());
        let image = image::RgbImage::from_fn(32, 64, colour);
        image.write_to(&mut bytes, image::ImageFormat::Png).unwrap();
        self.write(name, bytes.get_ref());
    }

    /// A pipe in the place of a file.
    #[cfg(unix)]
    fn pipe(&self, name: &str) {
        assert!(std::process::Command::new("mkfifo").arg(self.path(name)).status().unwrap().success());
    }

    fn files(&self, folder: &str) -> Vec<String> {
        let mut names: Vec<String> =
            fs::read_dir(self.path(folder)).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

fn read_features(path: &Path) -> (Checkpoint, Vec<usize>) {
    let file = Checkpoint::read(&fs::read(path).unwrap()).unwrap();
    let shape = file.tensors["features"].shape.clone();
    (file, shape)
}

#[test]
fn help_names_the_commands_and_the_exit_codes() {
    let help = reid(&["--help"]).ends(0).stdout;
    for word in ["extract", "match", "evaluate", "train", "convert", "Exit codes", "  3    done, but some images"] {
        assert!(help.contains(word), "no {word:?} in {help}");
    }
    assert!(help.contains("PNG, JPEG, WebP or BMP") && help.contains("GIF, AVIF, HEIC or TIFF"), "{help}");
    assert!(reid(&["evaluate", "--help"]).ends(0).stdout.contains("per cent"));
    assert!(reid(&["--version"]).ends(0).stdout.contains(env!("CARGO_PKG_VERSION")));
}

#[test]
fn wrong_usage_ends_with_2() {
    reid(&[]).ends(2);
    reid(&["extract", "--weights", "w.pth", "--out", "f.safetensors"]).ends(2).says(&["IMAGES"]);
    let evaluate =
        |option: &str, value: &str| reid(&["evaluate", "--weights", "w", "--data", "d", option, value]).ends(2);
    evaluate("--protocol", "duke").says(&["market1501", "cross-camera", "leave-one-out"]);
    evaluate("--device", "tpu").says(&["auto", "gpu", "cpu"]);
    reid(&["match", "--weights", "w", "--query", "q", "--gallery", "g", "--top", "0"]).ends(2);
}

#[test]
fn weights_that_cannot_be_used_are_explained() {
    let bench = Bench::new();
    bench.person("a.png", 1);
    bench.write("notes.pth", b"these are no weights at all");
    let out = bench.text("f.safetensors");
    let extract = |weights: &str| reid(&["extract", "--weights", weights, "--out", &out, &bench.text("a.png")]).ends(1);
    extract("gone.pth").says(&["gone.pth", "no such file", "webreid-small"]);
    extract("osnet_x0_25").says(&["osnet_x0_25", "no weights come with this preset", "give a checkpoint"]);
    extract(&bench.text("notes.pth")).says(&["notes.pth", "give a .safetensors file"]);
    assert_eq!(bench.files("."), ["a.png", "model.safetensors", "notes.pth"]);
}

#[test]
fn extract_writes_the_features_in_order() {
    let bench = Bench::new();
    (1..=20).for_each(|person| bench.person(&format!("crops/{person:04}_c1.png"), person));
    bench.person("single.png", 3);
    let out = bench.path("f.safetensors");
    let (weights, crops, single, out_text) =
        (bench.weights(), bench.text("crops"), bench.text("single.png"), bench.text("f.safetensors"));
    let run = reid(&["extract", "--device", "cpu", "--weights", &weights, "--out", &out_text, &single, &crops]).ends(0);
    assert!(run.stdout.contains("21 features of 512 values by OSNet x0.25 on CPU"), "{}", run.stdout);
    let first = fs::read(&out).unwrap();
    reid(&["extract", "--device", "cpu", "--weights", &weights, "--out", &out_text, &single, &crops]).ends(0);
    assert!(fs::read(&out).unwrap() == first, "the same bytes each time");

    let (file, shape) = read_features(&out);
    assert_eq!(shape, [21, 512]);
    let names: Vec<&str> = file.metadata["images"].split(',').collect();
    assert_eq!((names[0], names[1], names[20]), ("single.png", "0001_c1.png", "0020_c1.png"));
    let paths: Vec<String> = serde_json::from_str(&file.metadata["names"]).unwrap();
    assert_eq!(paths[0], single);
    assert_eq!(file.metadata["normalised"], "false");
    // The same picture gives the same feature, in whichever batch and place; another gives another.
    let row = |index: usize| &file.tensors["features"].values[index * 512..(index + 1) * 512];
    assert!(relative_error(row(3), row(0)) < 1e-5);
    assert!(relative_error(row(4), row(0)) > 1e-2);
}

#[test]
fn features_tell_of_which_model_they_are() {
    let bench = Bench::new();
    bench.person("a.png", 1);
    let (image, out, converted) =
        (bench.text("a.png"), bench.text("f.safetensors"), bench.text("converted.safetensors"));
    let fingerprint = |weights: &str| {
        reid(&["extract", "--device", "cpu", "--weights", weights, "--out", &out, &image]).ends(0);
        read_features(&bench.path("f.safetensors")).0.metadata["fingerprint"].clone()
    };
    let tiny = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/tiny_osnet.safetensors");
    // As tests/page/identity.spec.ts has it from the browser.
    assert_eq!(fingerprint(tiny), "ad980899b286df7984bc0fa75db62037");
    // Another file of the same model, which says so itself, and another model.
    reid(&["convert", tiny, &converted]).ends(0);
    assert_eq!(fingerprint(&converted), fingerprint(tiny));
    let file = Checkpoint::read(&fs::read(bench.path("converted.safetensors")).unwrap()).unwrap();
    let description: Value = serde_json::from_str(&file.metadata["webreid"]).unwrap();
    assert_eq!(description["fingerprint"], fingerprint(tiny));
    assert_ne!(fingerprint(&bench.weights()), fingerprint(tiny));
}

#[test]
fn without_weights_the_bundled_model_is_used() {
    let bench = Bench::new();
    bench.person("a.png", 1);
    let (image, unnamed, named) =
        (bench.text("a.png"), bench.text("unnamed.safetensors"), bench.text("named.safetensors"));
    let run = reid(&["extract", "--device", "cpu", "--out", &unnamed, &image]).ends(0);
    assert!(
        run.stdout.contains("1 features of 256 values by ResNet-18 of width 16, 112 in the last layer, 2-2-2-1 blocks, expanded to 640 on CPU"),
        "{}",
        run.stdout
    );
    reid(&["extract", "--device", "cpu", "--weights", "webreid-small", "--out", &named, &image]).ends(0);
    let values = |name: &str| read_features(&bench.path(name)).0.tensors["features"].values.clone();
    assert_eq!(values("unnamed.safetensors"), values("named.safetensors"));
}

#[test]
fn images_that_cannot_be_read_are_listed_and_the_others_done() {
    let bench = Bench::new();
    bench.person("mixed/good.png", 1);
    bench.person("mixed/more/good.png", 2);
    bench.write("mixed/empty.jpg", b"");
    bench.write("mixed/text.png", b"this is a text");
    bench.write("mixed/moves.gif", b"GIF89a\x01\0\x01\0");
    bench.write("mixed/phone.heic", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic");
    let whole = fs::read(bench.path("mixed/good.png")).unwrap();
    bench.write("mixed/cut.png", &whole[..whole.len() / 2]);
    bench.write("mixed/readme.txt", b"no image and not meant as one");
    let (weights, mixed, out) = (bench.weights(), bench.text("mixed"), bench.text("f.safetensors"));
    let extract = |images: &[&str]| {
        reid(&[&["extract", "--device", "cpu", "--weights", &weights, "--out", &out], images].concat())
    };
    let run = extract(&[&mixed, "gone.png"]).ends(3);
    run.says(&["empty.jpg: the file is empty", "text.png: this is text", "cut.png: the PNG data ends too early"]);
    run.says(&[
        "moves.gif: this is a file in the GIF format",
        "phone.heic: this is a HEIC photo",
        "or convert it to one",
    ]);
    run.says(&["gone.png: cannot be read", "6 of 8 images"]);
    assert!(!run.stderr.contains("readme.txt"), "{}", run.stderr);
    let (file, shape) = read_features(&bench.path("f.safetensors"));
    assert_eq!((file.metadata["images"].as_str(), shape), ("good.png,good.png", vec![2, 512]));

    // With nothing to write, what was there stays.
    let before = fs::read(bench.path("f.safetensors")).unwrap();
    extract(&["gone.png"]).ends(1).says(&["gone.png", "none of the 1 images"]);
    fs::create_dir(bench.path("hollow")).unwrap();
    extract(&[&bench.text("hollow")]).ends(1).says(&["hollow: there are no images"]);
    assert_eq!(fs::read(bench.path("f.safetensors")).unwrap(), before);
    assert_eq!(bench.files("."), ["f.safetensors", "hollow", "mixed", "model.safetensors"]);
}

#[test]
fn an_output_that_cannot_be_written_is_a_failure() {
    let bench = Bench::new();
    bench.person("a.png", 1);
    let (weights, image) = (bench.weights(), bench.text("a.png"));
    let extract =
        |out: &str| reid(&["extract", "--device", "cpu", "--weights", &weights, "--out", out, &image]).ends(1);
    extract(&bench.text("no/folder/f.safetensors")).says(&["its folder does not exist"]);
    extract(&bench.text("")).says(&["this is a folder"]);
    if cfg!(target_os = "linux") {
        extract("/dev/full").says(&["/dev/full: cannot be written", "No space left"]);
    }
}

#[test]
fn match_ranks_the_gallery() {
    let bench = Bench::new();
    (1..=4).for_each(|person| bench.person(&format!("gallery/{person}.png"), person));
    bench.person("query.png", 3);
    bench.write("gallery/broken.webp", b"RIFF");
    let (weights, query, gallery) = (bench.weights(), bench.text("query.png"), bench.text("gallery"));
    let arguments =
        ["match", "--device", "cpu", "--weights", &weights, "--query", &query, "--gallery", &gallery, "--top", "3"];
    let run = reid(&[&arguments[..], &["--json"]].concat()).ends(3);
    run.says(&["broken.webp", "1 of 5 images"]);
    let json = run.json();
    assert_eq!(json.as_array().map(Vec::len), Some(1));
    assert_eq!(json[0]["query"], query.as_str());
    let matches = json[0]["matches"].as_array().unwrap();
    let similarities: Vec<f64> = matches.iter().map(|hit| hit["similarity"].as_f64().unwrap()).collect();
    assert_eq!(matches.len(), 3);
    assert_eq!(matches[0]["image"], bench.text("gallery/3.png").as_str());
    assert!((similarities[0] - 1.0).abs() < 1e-5, "{similarities:?}");
    assert!(similarities.is_sorted_by(|a, b| a >= b) && similarities[2] >= -1.0, "{similarities:?}");

    let table = reid(&arguments).ends(3).stdout;
    assert!(table.contains("1   1.0000") && table.contains("3.png"), "{table}");

    let between = ((similarities[0] + similarities[1]) / 2.0).to_string();
    let near = reid(&[&arguments[..], &["--threshold", &between, "--csv"]].concat()).ends(3).stdout;
    let lines: Vec<&str> = near.lines().collect();
    assert_eq!((lines.len(), lines[0]), (2, "query,rank,image,similarity"), "{near}");
    assert!(lines[1].starts_with(&format!("{query},1,{},", bench.text("gallery/3.png"))), "{near}");
}

#[test]
fn evaluate_adapts_to_cameras_and_stays_away_where_photos_are_few() {
    let bench = Bench::new();
    for person in 1..=4 {
        for camera in 1..=2 {
            bench.person(&format!("set/{person:04}_c{camera}_o1.png"), person);
            bench.person(&format!("yards/{}/{person:04}_{camera}.png", ["gate", "yard"][camera - 1]), person);
        }
    }
    let (weights, data) = (bench.weights(), bench.text("set"));
    let evaluate = |more: &[&str]| {
        let start = ["evaluate", "--device", "cpu", "--weights", &weights, "--data", &data, "--json", "--details"];
        reid(&[&start[..], &["--protocol", "cross-camera"], more].concat())
    };
    let json = evaluate(&["--cameras", "centre", "--rerank", "auto"]).ends(0).json();
    assert_eq!((json["rank1"].as_f64(), json["queries"].as_u64()), (Some(100.0), Some(4)));
    let said = json["said"].to_string();
    assert!(
        said.contains("gallery's photos for camera 2 (4 photos)") && said.contains("camera 1 (4 photos)"),
        "{said}"
    );
    assert!(said.contains("Too few photos to tell whether re-ranking would help"), "{said}");
    assert_eq!(json["verification"]["eer"], 0.0);
    assert_eq!(
        json["cameras"],
        serde_json::json!([{"query": 1, "gallery": 2, "rank1": 100.0, "map": 100.0, "queries": 4}])
    );
    assert_eq!(json["intervals"]["map"]["low"], 100.0);

    // One image of each person drawn, as CUHK03 has it; of persons with one image that is the same.
    let start = ["evaluate", "--device", "cpu", "--weights", &weights, "--data", &data, "--json"];
    assert_eq!(reid(&[&start[..], &["--protocol", "cuhk03"]].concat()).ends(0).json()["rank1"], 100.0);
    evaluate(&["--cameras", "centre", "--camera-from", "name:nothing"])
        .ends(1)
        .says(&["matches none of the 8 file names"]);
    evaluate(&["--cameras", "middle"]).ends(2).says(&["choose none, centre or standardise"]);
    evaluate(&["--rerank", "often"]).ends(2).says(&["--rerank auto"]);

    // By folder, in a gallery whose names do not tell.
    let (query, gallery) = (bench.text("yards/gate/0001_1.png"), bench.text("yards/yard"));
    let start = ["match", "--device", "cpu", "--weights", &weights, "--query", &query, "--gallery", &gallery, "--json"];
    let found = reid(&[&start[..], &["--cameras", "centre", "--camera-from", "folder"]].concat()).ends(0);
    assert!(found.json()[0]["matches"][0]["image"].as_str().unwrap().ends_with("0001_2.png"));
    reid(&[&start[..], &["--cameras", "centre"]].concat()).ends(1).says(&["--camera-from"]);
}

#[test]
fn evaluate_scores_what_is_known_beforehand() {
    let bench = Bench::new();
    // Camera 2 shows persons 1 and 2 as each other: both are found second.
    for (person, shown) in [(1, 2), (2, 1)] {
        bench.person(&format!("swapped/{person:04}_c1_o1.png"), person);
        bench.person(&format!("swapped/{person:04}_c2_o1.png"), shown);
    }
    let (weights, data) = (bench.weights(), bench.text("swapped"));
    let arguments = ["evaluate", "--device", "cpu", "--weights", &weights, "--data", &data];
    let evaluate = |more: &[&str]| reid(&[&arguments[..], more].concat());
    let json = evaluate(&["--protocol", "cross-camera", "--json"]).ends(0).json();
    let expected = serde_json::json!({
        "rank1": 0.0, "rank5": 100.0, "rank10": 100.0, "map": 50.0, "minp": 50.0, "queries": 2
    });
    assert_eq!(json, expected);
    let text = evaluate(&["--protocol", "cross-camera"]).ends(0).stdout;
    assert!(text.contains("rank-10 100.00 %"), "{text}");
    assert!(text.contains("mAP     50.00 %") && text.contains("2 queries"), "{text}");
    assert_eq!(evaluate(&["--json"]).ends(0).json()["queries"], 4);
    evaluate(&["--protocol", "market1501"]).ends(1).says(&["query/", "cross-camera"]);

    // A Market-1501 folder: persons as themselves, a distractor, junk that is not read, and a broken image.
    for person in 1..=3 {
        bench.person(&format!("market/query/{person:04}_c1s1_000001_00.png"), person);
        bench.person(&format!("market/bounding_box_test/{person:04}_c2s1_000001_00.png"), person);
    }
    bench.person("market/bounding_box_test/0000_c3s1_000001_00.png", 9);
    bench.write("market/bounding_box_test/-1_c3s1_000001_00.png", b"not even an image");
    bench.write("market/bounding_box_test/0003_c4s1_000001_00.png", b"broken");
    let market = bench.text("market");
    let run = reid(&["evaluate", "--device", "cpu", "--weights", &weights, "--data", &market, "--json"]).ends(3);
    run.says(&["0003_c4s1_000001_00.png", "1 of 8 images"]);
    assert_eq!((&run.json()["map"], &run.json()["queries"]), (&100.0.into(), &3.into()));

    bench.person("strangers/0001_c1.png", 1);
    let strangers = bench.text("strangers");
    let alone = reid(&["evaluate", "--device", "cpu", "--weights", &weights, "--data", &strangers]).ends(1);
    alone.says(&["no query has a true match"]);
    reid(&["evaluate", "--weights", &weights, "--data", &bench.text("gone")]).ends(1).says(&["gone"]);
}

#[test]
fn evaluate_reads_the_folders_of_other_sets_or_says_why_not() {
    let bench = Bench::new();
    for person in 1..=4 {
        for [folder, train] in [["veri", "image_"], ["parts", ""]] {
            let gallery = if train.is_empty() { "gallery" } else { "image_test" };
            bench.person(&format!("{folder}/{train}query/{person:04}_c001_1_0.png"), person);
            bench.person(&format!("{folder}/{gallery}/{person:04}_c002_2_0.png"), person);
            bench.person(&format!("{folder}/{train}train/{:04}_c001_3_0.png", person + 20), person);
        }
        for folder in ["one", "two"] {
            bench.person(&format!("mixed/{folder}/{person:04}_c1_1.png"), person);
        }
    }
    let evaluate = |data: &str| {
        reid(&["evaluate", "--device", "cpu", "--weights", &bench.weights(), "--data", &bench.text(data), "--json"])
    };
    for data in ["veri", "parts"] {
        let run = evaluate(data).ends(0);
        assert_eq!((&run.json()["map"], &run.json()["queries"], run.stderr.as_str()), (&100.0.into(), &4.into(), ""));
    }
    evaluate("mixed").ends(1).says(&["one/", "two/", "not one person each", "show two persons", "query/"]);
    fs::remove_dir_all(bench.path("parts/query")).unwrap();
    fs::create_dir(bench.path("parts/query")).unwrap();
    evaluate("parts").ends(1).says(&["parts/query holds no labelled images"]);
    bench.person("zero/0000_c1.png", 1);
    bench.person("zero/0000_c2.png", 1);
    bench.person("zero/0001_c1.png", 2);
    let zero = evaluate("zero").ends(0);
    zero.says(&["person 0 is read as a person"]);
    assert_eq!(zero.json()["queries"], 2);
}

#[test]
#[cfg(unix)]
fn linked_folders_are_searched_and_broken_links_named() {
    use std::os::unix::fs::symlink;

    let bench = Bench::new();
    bench.person("elsewhere/anna/1.png", 1);
    bench.person("elsewhere/bert/1.png", 2);
    bench.person("gallery/carl/1.png", 3);
    for name in ["anna", "bert", "gone"] {
        symlink(bench.path("elsewhere").join(name), bench.path("gallery").join(name)).unwrap();
    }
    symlink(bench.path("gallery"), bench.path("gallery/carl/loop")).unwrap();
    symlink(bench.path("gallery/carl"), bench.path("gallery/again")).unwrap();
    let (weights, gallery, out) = (bench.weights(), bench.text("gallery"), bench.text("f.safetensors"));
    let run = reid(&["extract", "--device", "cpu", "--weights", &weights, "--out", &out, &gallery]).ends(0);
    run.says(&[
        "gallery/gone is a link to",
        "which is not there",
        "again is the same folder as",
        "carl: it is read once",
    ]);
    assert_eq!(read_features(&bench.path("f.safetensors")).1, [3, 512]);
}

#[test]
fn convert_tells_what_it_recognised_and_keeps_the_model() {
    let bench = Bench::new();
    let (weights, out) = (bench.weights(), bench.text("out.safetensors"));
    let run = reid(&["convert", &weights, &out]).ends(0);
    assert!(run.stdout.contains("OSNet x0.25"), "{}", run.stdout);
    assert_eq!(fs::read(bench.path("out.safetensors")).unwrap(), fs::read(bench.path("model.safetensors")).unwrap());

    let onnx = bench.text("out.onnx");
    reid(&["convert", &weights, &onnx]).ends(0);
    assert!(reid(&["convert", &onnx, &bench.text("again.safetensors")]).ends(0).stdout.contains("(ONNX)"));

    bench.write("broken.safetensors", b"\xff\xff\xff\xff\xff\xff\xff\x7f{}");
    reid(&["convert", &bench.text("broken.safetensors"), &out]).ends(1).says(&["broken.safetensors"]);
    assert!(bench.path("out.safetensors").metadata().unwrap().len() > 100_000);
    reid(&["convert", "gone.pth", &out]).ends(1).says(&["gone.pth"]);
    for name in ["out.pth", "out"] {
        reid(&["convert", &weights, &bench.text(name)])
            .ends(1)
            .says(&["models are written as .safetensors, or as .onnx"]);
    }
}

#[test]
fn what_is_said_of_the_input_wins_is_told_and_is_kept_by_convert() {
    let bench = Bench::new();
    let (model, ours) = (bench.weights(), bench.text("said.safetensors"));
    bench.person("a.png", 1);
    let (image, out) = (bench.text("a.png"), bench.text("features.safetensors"));
    let features = |weights: &str, options: &[&str]| {
        let run =
            reid(&[&["extract", "--device", "cpu", "--weights", weights, "--out", &out, &image], options].concat());
        let run = run.ends(0);
        (read_features(Path::new(&out)).0.tensors["features"].values.clone(), run.stderr)
    };
    let said = ["--input", "bgr", "--range", "0-1", "--size", "128x64", "--fit", "letterbox:#102030"];
    let (plain, silent) = features(&model, &[]);
    assert!(!silent.contains("as was said"), "{silent}");
    let (other, word) = features(&model, &said);
    assert!(relative_error(&plain, &other) > 1e-3);
    assert!(word.contains("it is given BGR of 0 to 1, as was said"), "{word}");
    let run = reid(&[&["convert", &model, &ours], &said[..]].concat()).ends(0);
    assert!(run.stdout.contains("As was said, its input is BGR of 0 to 1, 128×64."), "{}", run.stdout);
    assert!(run.stdout.contains("it is given BGR of 0 to 1, as was said"), "{}", run.stdout);
    let (kept, silent) = features(&ours, &[]);
    assert_eq!(kept, other);
    // As high as wide the picture is not.
    let square = features(&ours, &["--size", "96x96"]).0;
    assert_ne!(features(&ours, &["--size", "96x96", "--fit", "stretch"]).0, square);
    assert!(!silent.contains("as was said"), "{silent}");

    for (option, value, known) in [
        ("--input", "grb", "choose rgb or bgr"),
        ("--range", "255", "choose 0-1, 0-255"),
        ("--size", "128", "256x128"),
        ("--fit", "pad", "choose stretch, letterbox"),
    ] {
        reid(&["bench", option, value]).ends(2).says(&[known]);
    }
    reid(&["bench", "--weights", &model, "--size", "8x8"]).ends(1).says(&["16 to 4096"]);
}

#[test]
fn a_tensorflow_js_model_is_read_with_the_files_beside_it() {
    let bench = Bench::new();
    let fixture = |name: &str| format!("{}/tests/fixtures/tfjs/{name}", env!("CARGO_MANIFEST_DIR"));
    let (json, out, photo) = (fixture("reid.json"), bench.text("out.safetensors"), bench.text("a.png"));
    let run = reid(&["convert", &json, &out]).ends(0);
    assert!(run.stdout.contains("(TensorFlow.js): 12-d feature"), "{}", run.stdout);
    image::RgbImage::from_fn(18, 33, |x, y| image::Rgb([x, y, x * y].map(|value| value as u8))).save(&photo).unwrap();
    let features = |weights: &str| {
        let out = bench.text("f.safetensors");
        reid(&["extract", "--device", "cpu", "--weights", weights, "--out", &out, &photo]).ends(0);
        read_features(&bench.path("f.safetensors")).0.tensors["features"].values.clone()
    };
    assert_eq!(features(&json), features(&out));
    bench.write("lonely.json", &fs::read(json).unwrap());
    let says = ["lonely.json: such a model is several files", "reid.bin"];
    reid(&["convert", &bench.text("lonely.json"), &out]).ends(1).says(&says);
}

#[test]
fn detectors_are_converted_and_are_no_re_identification_models() {
    let bench = Bench::new();
    let fixture = |name: &str| format!("{}/tests/fixtures/detectors/{name}.onnx", env!("CARGO_MANIFEST_DIR"));
    let (out, again) = (bench.text("out.safetensors"), bench.text("again.safetensors"));
    let run = reid(&["convert", &fixture("yolox"), &out]).ends(0);
    assert!(
        run.stdout.contains("YOLOX (ONNX): finds people every 8, 16, 32 pixels of 64×96, BGR of 0 to 255;"),
        "{}",
        run.stdout
    );
    reid(&["convert", &out, &again]).ends(0);
    assert_eq!(fs::read(&out).unwrap(), fs::read(&again).unwrap());
    reid(&["convert", &out, &bench.text("out.onnx")]).ends(1).says(&["written as .safetensors only"]);
    reid(&["bench", "--weights", &out]).ends(1).says(&["this is YOLOX, a detector that finds people in photos"]);
    reid(&["convert", &fixture("yolox_decoded"), &out]).ends(1).says(&["`output` [126, 85]", "decoded already"]);
}

#[test]
fn an_openvino_model_is_read_from_either_of_its_files_and_gives_the_reference_features() {
    let bench = Bench::new();
    let fixture = |name: &str| format!("{}/tests/fixtures/openvino/{name}", env!("CARGO_MANIFEST_DIR"));
    let (xml, out) = (fixture("small-reid.xml"), bench.text("out.safetensors"));
    let run = reid(&["convert", &xml, &out]).ends(0);
    assert!(run.stdout.contains("small-reid (OpenVINO): 12-d feature"), "{}", run.stdout);
    let reference = Checkpoint::read(&fs::read(fixture("expected.safetensors")).unwrap()).unwrap().tensors;
    let names = ["a.png", "b.png", "c.png"];
    for (name, planes) in names.into_iter().zip(reference["rgb"].values.chunks_exact(3 * 512)) {
        let value = |plane: usize, x: u32, y: u32| planes[512 * plane + (16 * y + x) as usize] as u8;
        let pixel = |x: u32, y: u32| image::Rgb([0, 1, 2].map(|plane| value(plane, x, y)));
        image::RgbImage::from_fn(16, 32, pixel).save(bench.path(name)).unwrap();
    }
    let features = |weights: &str| {
        let (out, [a, b, c]) = (bench.text("f.safetensors"), names.map(|name| bench.text(name)));
        reid(&["extract", "--device", "cpu", "--weights", weights, "--out", &out, &a, &b, &c]).ends(0);
        let (file, shape) = read_features(&bench.path("f.safetensors"));
        assert_eq!((shape, file.metadata["model"].as_str()), (vec![3, 12], "small-reid"));
        file.tensors["features"].values.clone()
    };
    let found = features(&xml);
    let error = relative_error(&found, &reference["feature"].values);
    assert!(error <= 1e-4, "{error} of OpenVINO's largest value");
    assert_eq!(features(&fixture("small-reid.bin")), found);
    assert_eq!(features(&out), found);

    bench.write("lonely.xml", &fs::read(xml).unwrap());
    reid(&["convert", &bench.text("lonely.xml"), &out])
        .ends(1)
        .says(&["lonely.xml: such a model is several files", "lonely.bin"]);
}

#[test]
#[ignore = "needs ../shared"]
fn real_checkpoints_give_the_reference_features() {
    let shared = shared();
    let bench = Bench::new();
    let reference =
        Checkpoint::read(&fs::read(shared.join("weights/reference_features.safetensors")).unwrap()).unwrap();
    let names = reference.metadata["images"].split(',');
    let images: Vec<String> =
        names.map(|name| shared.join("data/pku-reid").join(name).to_str().unwrap().to_owned()).collect();
    let images: Vec<&str> = images.iter().map(String::as_str).collect();
    let pth = shared.join("weights/osnet_x0_25_market1501.pth");
    let converted = bench.text("converted.safetensors");
    assert!(reid(&["convert", pth.to_str().unwrap(), &converted]).ends(0).stdout.contains("OSNet x0.25"));
    let out = bench.text("f.safetensors");
    for weights in [pth.to_str().unwrap(), &converted] {
        let arguments = ["extract", "--device", "cpu", "--weights", weights, "--out", &out];
        reid(&[&arguments[..], &images].concat()).ends(0);
        let (file, shape) = read_features(&bench.path("f.safetensors"));
        assert_eq!(shape, [8, 512]);
        assert_eq!(file.metadata["images"], reference.metadata["images"]);
        let expected = &reference.tensors["osnet_x0_25_market1501"].values;
        let error = relative_error(&file.tensors["features"].values, expected);
        println!("{weights}: {error:.1e} of the largest value");
        assert!(error <= 1e-4, "{error}");
    }
}

/// The table of measured scores: rank-1 and mAP in per cent, of 592 cross-camera queries and 1,184 leave-one-out ones.
#[test]
#[ignore = "needs ../shared"]
fn real_checkpoints_score_as_measured_elsewhere() {
    let shared = shared();
    let data = shared.join("data/pku-reid");
    for (file, protocol, rank1, map, queries) in [
        ("osnet_x0_25_market1501.pth", "cross-camera", 30.9, 24.9, 592),
        ("osnet_x0_25_market1501.pth", "leave-one-out", 9.2, 8.4, 1184),
        ("osnet_x0_25_msmt17_combineall.safetensors", "cross-camera", 65.2, 51.0, 592),
        ("osnet_x0_25_msmt17_combineall.safetensors", "leave-one-out", 15.6, 14.5, 1184),
        (
            "person-reidentification-retail-0287/person-reidentification-retail-0287.xml",
            "cross-camera",
            91.6,
            78.0,
            592,
        ),
        (
            "person-reidentification-retail-0288/person-reidentification-retail-0288.xml",
            "cross-camera",
            78.4,
            62.6,
            592,
        ),
    ] {
        let weights = shared.join("weights").join(file);
        let (weights, data) = (weights.to_str().unwrap(), data.to_str().unwrap());
        let json = reid(&[
            "evaluate",
            "--device",
            "cpu",
            "--weights",
            weights,
            "--data",
            data,
            "--protocol",
            protocol,
            "--json",
        ])
        .ends(0)
        .json();
        println!("{file}, {protocol}: {json}");
        let value = |name: &str| json[name].as_f64().unwrap();
        assert!((value("rank1") - rank1).abs() <= 0.5, "{json}");
        assert!((value("map") - map).abs() <= 0.5, "{json}");
        assert_eq!(json["queries"], queries);
    }
}

/// What cameras' means and neighbours give on real photos, and that neighbours are left alone where a person has one photo.
#[test]
#[ignore = "needs ../shared"]
fn cameras_and_neighbours_help_where_they_can() {
    let shared = shared();
    let scores = |weights: &str, data: &Path, more: &[&str]| {
        let data = data.to_str().unwrap();
        let start = ["evaluate", "--device", "cpu", "--weights", weights, "--data", data, "--protocol", "cross-camera"];
        let json = reid(&[&start[..], &["--json"], more].concat()).ends(0).json();
        ["rank1", "map"].map(|score| json[score].as_f64().unwrap())
    };
    let (centred, auto) = (["--cameras", "centre"], ["--cameras", "centre", "--rerank", "auto"]);
    let pku = shared.join("data/pku-reid");
    let retail = "person-reidentification-retail-0287";
    let retail = shared.join("weights").join(retail).join(format!("{retail}.xml"));
    // One photo a person and camera.
    let bench = Bench::new();
    fs::create_dir(bench.path("one")).unwrap();
    for entry in fs::read_dir(&pku).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if name.ends_with("_o1.png") {
            fs::copy(pku.join(&name), bench.path("one").join(&name)).unwrap();
        }
    }
    for (weights, least_centred, least_auto) in
        [("webreid-small", [88.0, 70.5], [91.0, 88.5]), (retail.to_str().unwrap(), [95.3, 82.7], [95.8, 95.4])]
    {
        for (options, least) in [(&centred[..], least_centred), (&auto, least_auto)] {
            let found = scores(weights, &pku, options);
            println!("{weights} {options:?}: {found:.2?}");
            assert!(found[0] >= least[0] && found[1] >= least[1], "{found:?}, at least {least:?}");
        }
        let one = bench.path("one");
        assert_eq!(scores(weights, &one, &auto), scores(weights, &one, &centred));
        assert_eq!(scores(weights, &one, &auto[2..]), scores(weights, &one, &[]));
    }
}

/// As in a container or a service, on a machine whose Vulkan looks for a Wayland display.
#[test]
#[cfg(unix)]
fn no_runtime_folder_is_nothing_to_complain_of() {
    let bench = Bench::new();
    bench.person("a.png", 1);
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_reid"));
    command.args([
        "extract",
        "--weights",
        &bench.weights(),
        "--out",
        &bench.text("f.safetensors"),
        &bench.text("a.png"),
    ]);
    let output = command.env_remove("XDG_RUNTIME_DIR").env_remove("WAYLAND_DISPLAY").output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success() && !stderr.contains("XDG_RUNTIME_DIR"), "{stderr}");
}
