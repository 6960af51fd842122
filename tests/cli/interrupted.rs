//! Ctrl-C, and what is told of a long run where there is no terminal. What a command waits for is a pipe in the place of a file.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use super::Bench;
use super::command::interrupt;

fn spawn(arguments: &[&str]) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_reid"));
    command.args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// The other end of a pipe that a command reads; opening it waits for the command.
fn writer(bench: &Bench, name: &str) -> File {
    File::options().write(true).open(bench.path(name)).unwrap()
}

#[test]
fn an_interrupted_command_ends_at_once_and_leaves_everything_as_it_was() {
    let bench = Bench::new();
    for person in 1..=3 {
        bench.person(&format!("crops/000{person}_c1.png"), person);
    }
    bench.person("query.png", 1);
    let [weights, crops, query, out, gallery, new] =
        ["model.safetensors", "crops", "query.png", "out.safetensors", "old.reid", "new.reid"]
            .map(|name| bench.text(name));
    let model = ["--device", "cpu", "--weights", &weights];
    let commands: [&[&str]; 6] = [
        &["extract", "--out", &out, &crops],
        &["match", "--query", &query, "--gallery", &crops],
        &["evaluate", "--data", &crops],
        &["group", "--out", &new, &crops],
        &["gallery", "add", &gallery, &crops],
        &["gallery", "add", &new, &crops],
    ];
    super::reid(&[&["gallery", "add", &gallery, &query], &model[..]].concat()).ends(0);
    bench.pipe("crops/0003_c2.png");
    let (files, old) = (bench.files("."), fs::read(&gallery).unwrap());
    for command in commands {
        let child = spawn(&[command, &model].concat());
        let pipe = writer(&bench, "crops/0003_c2.png");
        // A gallery is locked by now.
        assert_eq!(
            bench.files(".").len() - files.len(),
            usize::from(command.iter().any(|word| word.ends_with(".reid")))
        );
        interrupt(&child);
        let output = child.wait_with_output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), output.stdout.len()), (Some(130), 0), "{command:?}: {stderr}");
        assert_eq!(bench.files("."), files, "{command:?}");
        drop(pipe);
    }
    assert!(fs::read(&gallery).unwrap() == old);
}

#[test]
fn what_is_being_written_becomes_whole_before_an_interrupt_ends_the_command() {
    let bench = Bench::new();
    bench.pipe("out.safetensors");
    let mut child = spawn(&["convert", &bench.weights(), &bench.text("out.safetensors")]);
    let (mut written, mut first) = (File::open(bench.path("out.safetensors")).unwrap(), [0]);
    // More than a pipe holds is to come.
    written.read_exact(&mut first).unwrap();
    interrupt(&child);
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap() == "reid: finishing what is being written; Ctrl-C again quits at once"));
    let mut rest = Vec::new();
    written.read_to_end(&mut rest).unwrap();
    assert!([&first[..], &rest].concat() == fs::read(bench.path("model.safetensors")).unwrap());
    assert_eq!(child.wait().unwrap().code(), Some(130));
}

#[test]
fn a_long_run_without_a_terminal_tells_by_plain_lines_how_far_it_is() {
    let bench = Bench::new();
    (0..17).for_each(|person| bench.person(&format!("crops/{person:02}.png"), person));
    let whole = fs::read(bench.path("crops/00.png")).unwrap();
    fs::remove_file(bench.path("crops/00.png")).unwrap();
    bench.pipe("crops/00.png");
    let [weights, crops, out] = ["model.safetensors", "crops", "out.safetensors"].map(|name| bench.text(name));
    let child = spawn(&["extract", "--device", "cpu", "--weights", &weights, "--out", &out, &crops]);
    let mut pipe = writer(&bench, "crops/00.png");
    sleep(Duration::from_millis(2100));
    pipe.write_all(&whole).unwrap();
    drop(pipe);
    let output = child.wait_with_output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    let lines: Vec<&str> = stderr.lines().collect();
    let [first, .., last] = lines[..] else { panic!("{stderr}") };
    assert!(first.starts_with("reid: images: 1") && first.contains(" of 17, ") && first.ends_with(" left"), "{stderr}");
    assert!(last.starts_with("reid: images: all 17 in "), "{stderr}");
    assert!(lines.len() < 9 && !stderr.contains(|c: char| c.is_control() && c != '\n'), "{stderr:?}");
}
