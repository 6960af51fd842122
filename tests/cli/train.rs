//! `reid train`: runs that finish, are interrupted, go on, and are refused.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::Value;
use webreid::step::Fit;
use webreid::weights::Checkpoint;

use super::command::interrupt;
use super::{Bench, Run, reid};

/// The smallest network and images that the command takes, on the persons of [`people`].
const CONFIG: &str = r#"
output = "run"
seed = 7
[model]
preset = "osnet_x0_25"
channels = [4, 64, 64, 64]
feature_dim = 16
height = 32
width = 16
[[data]]
path = "crops"
[[stage]]
epochs = 2
people = 2
images = 2
images_per_epoch = 12
warmup_epochs = 1
ema = 0.9
[[evaluate.data]]
path = "crops"
name = "own"
"#;

/// A bench with three persons of two cameras, and a config.
fn people(config: &str) -> Bench {
    let bench = Bench::new();
    for person in 1..=3 {
        for camera in 1..=2 {
            bench.person(&format!("crops/{person:04}_c{camera}_0.png"), person);
        }
    }
    bench.write("config.toml", config.as_bytes());
    bench
}

fn train(bench: &Bench, more: &[&str]) -> Run {
    reid(&[&["train", "--device", "cpu", "--config", &bench.text("config.toml")], more].concat())
}

fn log(bench: &Bench) -> Vec<Value> {
    let text = fs::read_to_string(bench.path("run/log.jsonl")).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The log without what depends on the clock.
fn timeless_log(bench: &Bench) -> Vec<Value> {
    let mut entries = log(bench);
    for entry in &mut entries {
        let entry = entry.as_object_mut().unwrap();
        entry.remove("seconds");
        entry.remove("images_per_second");
    }
    entries
}

#[test]
fn a_training_leaves_a_model_a_log_and_a_curve() {
    let bench = people(CONFIG);
    let run = train(&bench, &["--plot"]).ends(0);
    assert!(run.stdout.contains("model.safetensors"), "{}", run.stdout);
    run.says(&["epoch 1/2 done: loss ", "epoch 2/2 done: loss ", "own, leave-one-out: rank-1 ", " of 6 queries"]);
    let files = ["checkpoint.safetensors", "curve.svg", "log.jsonl", "model.safetensors", "run.json"];
    assert_eq!(bench.files("run"), files);

    let entries = log(&bench);
    let kinds: Vec<&str> = entries.iter().map(|entry| entry["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["epoch", "evaluation", "epoch", "evaluation"]);
    // Three batches of four images an epoch; warm-up in the first, a tenth from half of the epochs on.
    let [first, _, second, evaluation] = entries.as_slice() else { unreachable!() };
    assert_eq!((&first["stage"], &first["epoch"], &first["step"]), (&1.into(), &1.into(), &3.into()));
    assert_eq!((&second["epoch"], &second["step"]), (&2.into(), &6.into()));
    assert_eq!(second["learning_rate"], 3.5e-5);
    let of = |entry: &Value, key: &str| entry[key].as_f64().unwrap();
    for entry in [first, second] {
        assert!(of(entry, "seconds") > 0.0 && of(entry, "images_per_second") > 0.0, "{entry}");
        let sum = of(entry, "identity_loss") + of(entry, "triplet_loss");
        assert!((of(entry, "loss") - sum).abs() < 1e-4 && sum > 0.0, "{entry}");
        assert!((0.0..=1.0).contains(&of(entry, "accuracy")), "{entry}");
    }
    assert_eq!((&evaluation["data"], &evaluation["queries"]), (&"own".into(), &6.into()));
    assert!((0.0..=100.0).contains(&of(evaluation, "map")), "{evaluation}");

    let curve = fs::read_to_string(bench.path("run/curve.svg")).unwrap();
    assert!(curve.starts_with("<svg") && curve.trim_end().ends_with("</svg>"), "{curve}");
    assert!(curve.contains("<polyline") && curve.contains("own: mAP") && curve.contains("triplet"), "{curve}");

    // The model is one of ours, without a head, and extracts.
    let model = fs::read(bench.path("run/model.safetensors")).unwrap();
    let checkpoint = Checkpoint::read(&model).unwrap();
    assert!(checkpoint.tensors.keys().all(|name| !name.starts_with("head")), "{:?}", checkpoint.tensors.keys());
    let (weights, crops, out) = (bench.text("run/model.safetensors"), bench.text("crops"), bench.text("f.safetensors"));
    let extract = reid(&["extract", "--device", "cpu", "--weights", &weights, "--out", &out, &crops]).ends(0);
    assert!(
        extract.stdout.contains("6 features of 16 values by OSNet of [4, 64, 64, 64] channels"),
        "{}",
        extract.stdout
    );

    // A second start would overwrite it; going on finds nothing left to do, but draws.
    train(&bench, &[]).ends(1).says(&["holds a run already", "--resume"]);
    fs::remove_file(bench.path("run/curve.svg")).unwrap();
    train(&bench, &["--resume", &bench.text("run"), "--plot"]).ends(0);
    assert!(bench.path("run/curve.svg").exists());
    assert_eq!(fs::read(bench.path("run/model.safetensors")).unwrap(), model);
    assert_eq!(log(&bench), entries);
}

#[test]
fn the_same_seed_gives_the_same_model_and_another_another() {
    let model = |seed: &str| {
        let bench = people(&CONFIG.replace("seed = 7", seed));
        train(&bench, &[]).ends(0);
        fs::read(bench.path("run/model.safetensors")).unwrap()
    };
    let first = model("seed = 7");
    assert_eq!(model("seed = 7"), first);
    assert_ne!(model("seed = 8"), first);
}

/// Two stages, at two sizes.
fn stages() -> String {
    let second = "[[stage]]\nheight = 48\nwidth = 32\nepochs = 3\npeople = 2\nimages = 2\nimages_per_epoch = 24\n\
                  learning_rate = 1e-4\nwarmup_epochs = 0\nema = 0.9\ndecay.cosine = {}\n";
    let config = CONFIG.replace("epochs = 2", "epochs = 3").replace("images_per_epoch = 12", "images_per_epoch = 24");
    config.replace("[[evaluate.data]]", &format!("{second}[[evaluate.data]]"))
}

fn spawn(bench: &Bench, more: &[&str]) -> Child {
    let config = bench.text("config.toml");
    let arguments = [&["train", "--device", "cpu", "--config", &config], more].concat();
    let command = Command::new(env!("CARGO_BIN_EXE_reid")).args(arguments).stderr(Stdio::piped()).spawn();
    command.unwrap()
}

/// Interrupts a run once it has told of so many epochs, or `delay` after its start; gives what it wrote to stderr.
fn interrupted(mut child: Child, epochs: usize, delay: Duration) -> String {
    let mut lines = BufReader::new(child.stderr.take().unwrap());
    let (mut text, mut told) = (String::new(), 0);
    while told < epochs {
        let mut line = String::new();
        assert_ne!(lines.read_line(&mut line).unwrap(), 0, "ended too early: {text}");
        told += usize::from(line.contains(" done: "));
        text += &line;
    }
    sleep(delay);
    interrupt(&child);
    lines.read_to_string(&mut text).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130), "{text}");
    text
}

#[test]
#[cfg(unix)]
fn an_interrupted_run_goes_on_to_the_same_bytes() {
    let whole = people(&stages());
    train(&whole, &[]).ends(0);

    let broken = people(&stages());
    let folder = broken.text("run");
    let told = interrupted(spawn(&broken, &[]), 1, Duration::from_millis(20));
    for words in ["Ctrl-C again", "saved", "--resume", "config.toml"] {
        assert!(told.contains(words), "no {words:?} in {told}");
    }
    // In the second stage, then.
    interrupted(spawn(&broken, &["--resume", &folder]), 3, Duration::from_millis(20));
    train(&broken, &["--resume", &folder]).ends(0);

    assert_eq!(timeless_log(&broken), timeless_log(&whole));
    for file in ["run/model.safetensors", "run/checkpoint.safetensors"] {
        let [a, b] = [&broken, &whole].map(|bench| fs::read(bench.path(file)).unwrap());
        assert!(a == b, "{file} differs");
    }
}

#[test]
#[cfg(unix)]
fn a_second_interrupt_quits_at_once() {
    let bench = people(&CONFIG.replace("epochs = 2", "epochs = 2000"));
    let child = spawn(&bench, &[]);
    while !bench.path("run/run.json").exists() {
        sleep(Duration::from_millis(5));
    }
    let asked = Instant::now();
    interrupt(&child);
    interrupt(&child);
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));
    assert!(asked.elapsed() < Duration::from_secs(60), "{:?}", asked.elapsed());
}

#[test]
fn what_a_run_cannot_go_on_with_is_named() {
    let bench = people(CONFIG);
    let folder = bench.text("run");
    let resume = || train(&bench, &["--resume", &folder]);
    resume().ends(1).says(&["run: there is no run to resume", "without --resume"]);
    train(&bench, &[]).ends(0);
    for (old, new, key) in [
        ("seed = 7", "seed = 8", "`seed`"),
        ("people = 2", "people = 3", "`stage 1: people`"),
        ("feature_dim = 16", "feature_dim = 32", "`model.feature_dim`"),
        ("preset = \"osnet_x0_25\"", "preset = \"osnet_x0_5\"", "`model.preset`"),
        ("[[evaluate.data]]", "[objective]\ntriplet.margin = 0.3\n[[evaluate.data]]", "`objective.triplet.margin`"),
    ] {
        bench.write("config.toml", CONFIG.replace(old, new).as_bytes());
        resume().ends(1).says(&["cannot go on", key]);
    }
    // What is evaluated may change.
    bench.write("config.toml", CONFIG.replace("name = \"own\"", "name = \"mine\"").as_bytes());
    resume().ends(0).says(&["mine, leave-one-out"]);
    bench.person("crops/0004_c1_0.png", 4);
    resume().ends(1).says(&["cannot go on", "`data` (now 4 persons and 7 images, then 3 persons and 6 images)"]);
    bench.write("run/checkpoint.safetensors", b"half a checkpoint");
    resume().ends(1).says(&["checkpoint.safetensors"]);
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_loses_nothing() {
    let bench = people(CONFIG);
    train(&bench, &[]).ends(0);
    let kept = |file: &str| fs::read(bench.path(file)).unwrap();
    let before = ["run/checkpoint.safetensors", "run/model.safetensors"].map(kept);

    // One more stage, and files that may not be larger than 32 blocks of 512 bytes.
    let more = CONFIG.replace("[[evaluate.data]]", "[[stage]]\nepochs = 2\npeople = 2\nimages = 2\n[[evaluate.data]]");
    bench.write("config.toml", more.as_bytes());
    let script = format!(
        "trap '' XFSZ; ulimit -f 32; exec '{}' train --device cpu --config '{}' --resume '{}'",
        env!("CARGO_BIN_EXE_reid"),
        bench.text("config.toml"),
        bench.text("run")
    );
    let output = Command::new("sh").args(["-c", &script]).output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    for words in ["checkpoint.safetensors: cannot be written", "untouched", "the training goes on", "epoch 2/2 done"] {
        assert!(stderr.contains(words), "no {words:?} in {stderr}");
    }
    assert_eq!(["run/checkpoint.safetensors", "run/model.safetensors"].map(kept), before);
    assert_eq!(bench.files("run").iter().filter(|name| name.contains("partial")).count(), 0);

    train(&bench, &["--resume", &bench.text("run")]).ends(0);
    let epochs = log(&bench).into_iter().filter(|entry| entry["kind"] == "epoch");
    let places: Vec<_> = epochs.map(|entry| (entry["stage"].as_u64(), entry["epoch"].as_u64())).collect();
    assert_eq!(places, [(1, 1), (1, 2), (2, 1), (2, 2)].map(|(stage, epoch)| (Some(stage), Some(epoch))));
}

#[test]
fn configs_that_say_nothing_sensible_are_refused_with_the_key() {
    let bench = people(CONFIG);
    for (old, new, words) in [
        ("seed = 7", "sead = 7", &["sead", "expected one of", "`seed`"][..]),
        ("seed = 7", "seed = \"seven\"", &["seed", "expected u64"]),
        ("output = \"run\"", "", &["missing field `output`"]),
        ("preset = \"osnet_x0_25\"", "preset = \"osnet\"", &["model.preset is \"osnet\"", "osnet_x0_25, osnet_x0_5"]),
        ("preset = \"osnet_x0_25\"", "preset = \"osnet_x0_25\"\nexpansion = 8", &["model.expansion", "only a ResNet"]),
        ("channels = [4, 64, 64, 64]", "channels = [4, 64, 64, 32]", &["[model]", "a stage of the OSNet is 32", "64"]),
        ("height = 32", "height = 8", &["[model]", "height is 8", "16"]),
        ("people = 2", "people = 1", &["stage 1: people is 1", "2 or more"]),
        ("images_per_epoch = 12", "images_per_epoch = 3", &["stage 1: images_per_epoch is 3", "a batch (4)"]),
        ("warmup_epochs = 1", "decay = \"linear\"", &["linear", "constant", "multistep", "cosine"]),
        ("warmup_epochs = 1", "decay.cosine = { flor = 1 }", &["flor", "floor"]),
        ("warmup_epochs = 1", "warmup_epochs = 2", &["stage 1: warmup_epochs is 2", "less than its epochs"]),
        ("warmup_epochs = 1", "learning_rate = -1", &["stage 1: learning_rate is -1", "more than 0"]),
        ("ema = 0.9", "ema = 1", &["stage 1: ema is 1", "less than 1"]),
        ("ema = 0.9", "augment.flip = 2", &["flip is 2", "0", "1"]),
        ("ema = 0.9", "augment.mirror = 1", &["mirror", "flip"]),
        (
            "[[evaluate.data]]",
            "[objective]\nidentity = 0\ntriplet.weight = 0\n[[evaluate.data]]",
            &["objective", "above 0"],
        ),
        ("[[evaluate.data]]", "[objective.distillation]\n[[evaluate.data]]", &["teacher is missing"]),
        ("name = \"own\"", "protocol = \"duke\"", &["evaluate.data: protocol is \"duke\"", "cross-camera"]),
        ("[[evaluate.data]]", "[optimizer.lamb]\n[[evaluate.data]]", &["lamb", "adam", "sgd", "muon"]),
        (
            "[[evaluate.data]]",
            "[optimizer.muon]\nmomentum = 1\n[[evaluate.data]]",
            &["optimizer.muon.momentum is 1", "less than 1"],
        ),
    ] {
        assert!(CONFIG.contains(old), "{old}");
        bench.write("config.toml", CONFIG.replace(old, new).as_bytes());
        let run = train(&bench, &[]).ends(1);
        run.says(&["config.toml"]);
        run.says(words);
    }
    let vit = CONFIG.replace("osnet_x0_25", "vit_small").replace("channels = [4, 64, 64, 64]\n", "");
    bench.write("config.toml", vit.as_bytes());
    train(&bench, &[]).ends(1).says(&["model.feature_dim is Some(16)", "only an OSNet and a ResNet"]);
    let vit =
        vit.replace("feature_dim = 16\n", "").replace("[[evaluate", "[[stage]]\nepochs = 1\nheight = 48\n[[evaluate");
    bench.write("config.toml", vit.as_bytes());
    train(&bench, &[]).ends(1).says(&["stage 2: height, width is 48, 16", "learns positions of one size"]);
    reid(&["train", "--config", &bench.text("gone.toml")]).ends(1).says(&["gone.toml: cannot be read"]);
    reid(&["train"]).ends(2).says(&["--config"]);
    assert!(!bench.path("run").exists());
}

#[test]
fn data_that_cannot_be_trained_on_is_refused() {
    let bench = people(CONFIG);
    let with = |old: &str, new: &str| {
        bench.write("config.toml", CONFIG.replace(old, new).as_bytes());
        train(&bench, &[]).ends(1)
    };
    with("path = \"crops\"\n[[stage]]", "path = \"gone\"\n[[stage]]").says(&["gone"]);
    fs::create_dir(bench.path("empty")).unwrap();
    with("path = \"crops\"\n[[stage]]", "path = \"empty\"\n[[stage]]").says(&["empty", "holds no labelled images"]);
    with("people = 2", "people = 4").says(&["stage 1: people is 4", "at most 3"]);
    with("path = \"crops\"\nname", "path = \"empty\"\nname").says(&["empty"]);
    with("width = 16", "width = 16\ninit = \"gone.pth\"").says(&["gone.pth"]);
    let resnet = "preset = \"reid_resnet18\"\ninit = \"model.safetensors\"";
    with("preset = \"osnet_x0_25\"\nchannels = [4, 64, 64, 64]\nfeature_dim = 16", resnet)
        .says(&["model.safetensors: nothing of it fits", "ResNet-18"]);
    assert!(!bench.path("run").exists());
}

#[test]
fn images_that_cannot_be_read_are_left_out() {
    let bench = people(CONFIG);
    bench.write("crops/0003_c2_0.png", b"broken");
    bench.write("crops/0004_c1_0.png", b"broken");
    let run = train(&bench, &[]).ends(3);
    run.says(&["0003_c2_0.png: ", "0004_c1_0.png: ", "2 images could not be read and are left out", "epoch 2/2 done"]);
    // What could not be read before counts neither then nor now.
    train(&bench, &["--resume", &bench.text("run")]).ends(3);
}

#[test]
fn training_goes_on_from_weights() {
    let config = CONFIG.replace("channels = [4, 64, 64, 64]\nfeature_dim = 16", "init = \"model.safetensors\"");
    let bench = people(&config);
    train(&bench, &[]).ends(0).says(&["init: ", "OSNet x0.25", "tensors are taken from it"]);
    // With a rate that moves nothing the backbone is the one that was given.
    let still = config.replace("warmup_epochs = 1", "learning_rate = 1e-30");
    let bench = people(&still);
    train(&bench, &[]).ends(0);
    let read = |file: &str| Checkpoint::read(&fs::read(bench.path(file)).unwrap()).unwrap().tensors;
    let (given, trained) = (read("model.safetensors"), read("run/model.safetensors"));
    let name = "backbone.conv2.0.conv1.conv.weight";
    let error = super::relative_error(&trained[name].values, &given[name].values);
    assert!(error < 1e-3, "{error}");
}

#[test]
fn a_training_in_a_letterbox_leaves_a_model_that_takes_its_pictures_so() {
    let fit = |bench: &Bench| {
        let model = webreid::weights::read(&fs::read(bench.path("run/model.safetensors")).unwrap()).unwrap();
        model.config.input.fit
    };
    let bench = people(&CONFIG.replace("width = 16\n", "width = 16\nfit = \"letterbox:#010203\"\n"));
    train(&bench, &[]).ends(0);
    assert_eq!(fit(&bench), Fit::Letterbox { colour: [1, 2, 3] });
    // What goes on from it keeps it, unless it is told otherwise.
    fs::rename(bench.path("run/model.safetensors"), bench.path("first.safetensors")).unwrap();
    for (said, expected) in [("", Fit::Letterbox { colour: [1, 2, 3] }), ("fit = \"stretch\"\n", Fit::Stretch)] {
        fs::remove_dir_all(bench.path("run")).unwrap();
        let init = format!("width = 16\ninit = \"first.safetensors\"\n{said}");
        bench.write("config.toml", CONFIG.replace("width = 16\n", &init).as_bytes());
        train(&bench, &[]).ends(0);
        assert_eq!(fit(&bench), expected);
    }
}
