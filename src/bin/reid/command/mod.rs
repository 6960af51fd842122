//! The command: its arguments, how it ends, and a file for each thing it does.

mod adapt;
mod bench;
mod completions;
mod convert;
mod detect;
mod error;
mod evaluate;
mod evaluation;
mod extract;
mod feature_file;
mod features;
mod finder;
mod gallery;
mod group;
#[cfg(feature = "postgres")]
mod index;
mod interrupt;
mod man;
mod output;
mod progress;
mod report;
mod search;
mod summary;
mod train;
mod weights;

#[cfg(unix)]
use std::path::Path;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use webreid::extract::DeviceChoice;
use webreid::kernels::frozen::preprocess::Filter;
use webreid::model::ChannelOrder;
use webreid::step::Fit;
use webreid::weights::{BUNDLED, InputOptions, PixelRange};

use self::error::CliError;

const EXIT_CODES: &str = "\
Exit codes:
  0    done
  1    failed: the message says which file, why and what to do
  2    wrong usage
  3    done, but some images could not be read: stderr names each with the reason, the results are those of the others
  130  stopped by Ctrl-C, at once and with no file half written; a training finishes the step and has saved what it needs to
       go on. A second Ctrl-C quits whatever is";

/// Person re-identification: who is the same person in these images?
///
/// Images are PNG, JPEG, WebP or BMP files, or folders that are searched for them at any depth, through links as well. What is a
/// GIF, AVIF, HEIC or TIFF is named and left out: convert it first. No image leaves this machine.
#[derive(Parser)]
#[command(name = "reid", version, after_help = EXIT_CODES)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Write the features of images to a safetensors file
    ///
    /// The file holds `features` [images, dimension], f32, as the model gives them: not L2-normalised. Its metadata tells
    /// `images` (file names, separated by commas), `names` (the paths as a JSON list), `model`, `fingerprint` (of the model:
    /// features are comparable where it is the same), `weights`, `device` and `normalised` (false).
    Extract(extract::Extract),
    /// Find the people in photos, and cut them out
    ///
    /// The photo is looked at as a whole and, where it is large, in tiles. Boxes are in pixels of the photo as it is shown, turned
    /// as its EXIF orientation says; people come in the order of how sure the detector is.
    Detect(detect::Detect),
    /// Rank a gallery for each query image
    ///
    /// Similarities are cosines, −1 to 1, of which 1 is the same image. A query that is in the gallery as well finds itself first.
    Match(search::Match),
    /// Measure a model on labelled images: CMC, mAP and mINP
    ///
    /// Scores are per cent: CMC at ranks 1, 5 and 10, mean average precision, mean inverse negative penalty.
    /// Distances are cosine; gallery images of the query's person and camera are removed; queries without a match do not count.
    /// --report shows it all in a page; with --weights given twice, which of two models is better.
    Evaluate(evaluate::Evaluate),
    /// Put photos into groups of one person each, without names or labels
    ///
    /// How alike photos of one person are is found from the photos themselves. A group is a suggestion and not proof.
    Group(group::Group),
    /// Keep people and their photos in a .reid file: add, search, list, name, merge, undo, export, import
    ///
    /// What is said of people is kept apart from what grouping guesses, and everything can be undone.
    Gallery(gallery::Gallery),
    /// Train a model on folders of labelled crops
    ///
    /// Writes into the config's `output` folder: model.safetensors (the weights to use), checkpoint.safetensors (everything to
    /// go on from), log.jsonl (a line of JSON for each epoch and each evaluation), run.json (what the run was begun with), and
    /// with --plot curve.svg, all after each epoch. Ctrl-C finishes the step, saves and ends with exit code 130; --resume goes
    /// on exactly there.
    #[command(after_help = train::CONFIG_HELP)]
    Train(train::Train),
    /// Turn a checkpoint of any known dialect into a safetensors file of ours
    ///
    /// Prints what was recognised. Nothing in a checkpoint is run.
    Convert(convert::Convert),
    /// Measure how fast a model runs on this machine
    ///
    /// On made-up input of the network's size: reading and resizing images does not count.
    Bench(bench::Bench),
    /// Keep features in PostgreSQL and search them there
    ///
    /// With pgvector, for more photos than `reid match` is for. A database holds the features of one model.
    #[cfg(feature = "postgres")]
    #[command(subcommand)]
    Index(index::Index),
    /// Print what a shell needs to complete the command's words
    ///
    /// For bash write it to ~/.local/share/bash-completion/completions/reid, for fish to ~/.config/fish/completions/reid.fish, for
    /// zsh to a file _reid in a folder of $fpath.
    Completions(completions::Completions),
    /// Print the manual's page, or write all of its pages
    ///
    /// With --out ~/.local/share/man/man1, `man reid` and `man reid-extract` find them.
    Man(man::Man),
}

/// The model and where it runs.
#[derive(Args)]
struct Model {
    /// The model: a checkpoint file (.safetensors, .pth, .pt, .onnx, the .xml of an OpenVINO model, or the .json of a TensorFlow.js
    /// one) or the name of the bundled one
    #[arg(long, value_name = "W", default_value = BUNDLED)]
    weights: std::path::PathBuf,
    #[command(flatten)]
    running: Running,
}

/// How models run.
#[derive(Args)]
struct Running {
    /// What to compute on: auto, gpu or cpu
    #[arg(long, value_name = "DEVICE", default_value = "auto")]
    device: DeviceChoice,
    #[command(flatten)]
    input: Input,
}

const INPUT_HEADING: &str = "What the model takes, where its file does not tell it or tells it wrong";

/// The images that a model takes, where its file does not say it or says it wrong; what is said wins over the file.
#[derive(Args)]
struct Input {
    /// The order of the colours: rgb or bgr
    #[arg(long = "input", value_name = "ORDER", help_heading = INPUT_HEADING)]
    order: Option<ChannelOrder>,
    /// The pixels' numbers: 0-1, 0-255, or imagenet (0-1, less ImageNet's mean and divided by its deviation)
    #[arg(long, value_name = "RANGE", help_heading = INPUT_HEADING)]
    range: Option<PixelRange>,
    /// What images are resized to, in pixels: height and width, as in 256x128
    #[arg(long, value_name = "HxW", value_parser = size, help_heading = INPUT_HEADING)]
    size: Option<[usize; 2]>,
    /// How images are resized: bilinear or bicubic as in Pillow, or linear as in OpenCV
    #[arg(long, value_name = "FILTER", help_heading = INPUT_HEADING)]
    filter: Option<Filter>,
    /// What becomes of images of other proportions: stretch, letterbox, or letterbox with the colour around them, as in letterbox:#727272
    #[arg(long, value_name = "FIT", help_heading = INPUT_HEADING)]
    fit: Option<Fit>,
}

impl Input {
    fn options(&self) -> InputOptions {
        let [height, width] = [0, 1].map(|side| self.size.map(|size| size[side]));
        InputOptions { order: self.order, range: self.range, height, width, filter: self.filter, fit: self.fit }
    }
}

fn size(text: &str) -> Result<[usize; 2], String> {
    let sides = text.split_once(['x', 'X', '×']);
    let sides = sides.and_then(|(height, width)| height.parse().ok().zip(width.parse().ok()));
    sides.map(<[usize; 2]>::from).ok_or_else(|| "height and width are wanted, as in 256x128".into())
}

/// How a command that did not fail ended.
enum Outcome {
    Done,
    /// Some images could not be read, and stderr has them.
    SomeUnreadable,
    /// By Ctrl-C.
    Interrupted,
}

impl Outcome {
    fn of(unreadable: usize) -> Self {
        if unreadable == 0 { Self::Done } else { Self::SomeUnreadable }
    }
}

/// Runs what the arguments say.
pub fn main() -> ExitCode {
    without_wayland();
    let command = Cli::parse().command;
    match interrupt::install().and_then(|()| run(command)) {
        Ok(Outcome::Done) => ExitCode::SUCCESS,
        Ok(Outcome::SomeUnreadable) => ExitCode::from(3),
        Ok(Outcome::Interrupted) | Err(CliError::Interrupted) => ExitCode::from(interrupt::EXIT_CODE),
        Err(error) => {
            eprintln!("reid: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Mesa's layer that chooses among GPUs asks a Wayland display which one is its own. Where nothing tells the place of such
/// displays, as in a container or a service, libwayland prints an error each time: it is given a display that is not there.
#[cfg(unix)]
#[expect(unsafe_code, reason = "changing the environment is unsafe where threads run")]
fn without_wayland() {
    let is_absolute = |name: &str| std::env::var_os(name).is_some_and(|value| Path::new(&value).is_absolute());
    if !is_absolute("XDG_RUNTIME_DIR") && !is_absolute("WAYLAND_DISPLAY") {
        // SAFETY: this is the first thing that the process does, and no other thread runs yet.
        unsafe { std::env::set_var("WAYLAND_DISPLAY", "/nonexistent") };
    }
}

#[cfg(not(unix))]
fn without_wayland() {}

fn run(command: Command) -> Result<Outcome, CliError> {
    match command {
        Command::Extract(command) => pollster::block_on(command.run()),
        Command::Detect(command) => pollster::block_on(command.run()),
        Command::Match(command) => pollster::block_on(command.run()),
        Command::Evaluate(command) => pollster::block_on(command.run()),
        Command::Group(command) => pollster::block_on(command.run()),
        Command::Gallery(command) => pollster::block_on(command.run()),
        Command::Train(command) => pollster::block_on(command.run()),
        Command::Convert(command) => command.run(),
        Command::Bench(command) => pollster::block_on(command.run()),
        #[cfg(feature = "postgres")]
        Command::Index(command) => pollster::block_on(command.run()),
        Command::Completions(command) => command.run(),
        Command::Man(command) => command.run(),
    }
}
