//! Learning on the GPU: the kernels of training against their twins, steps of a fine-tune, and `reid train`.

use std::error::Error;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;
use std::time::{Duration, Instant};

use image::ColorType;
use pollster::block_on;
use webreid::extract::{Device, DeviceChoice, Extractor};
use webreid::model::{Head, ReIdentifierConfig, preset};
use webreid::step::Fit;
use webreid::training::data::{Folder, ImageStore, Loader, LoaderConfig, TrainingSet};
use webreid::training::{
    ComputeDevice, Decay, Depth, Objective, OptimizerConfig, SamplerConfig, Schedule, TrainError, Trainer,
    TrainerConfig, TuneOptions, Tuner,
};
use webreid::weights::{BUNDLED, bundled, initial_tensors};

use crate::kernel_checks;
use crate::networks::median;
use crate::report::{Parity, Row, Training, Tuning};
use crate::samples::coloured;
use crate::section::{Context, said};

/// What is trained beside the bundled model.
const OSNET: &str = "osnet_x0_25";
/// Persons in a batch of the fine-tune, and images of each, as the page has them.
const TUNED: [usize; 2] = [4, 4];
/// The same of `reid train`, where its config says nothing else.
const TRAINED: [usize; 2] = [16, 4];
const QUICK_TRAINED: [usize; 2] = [4, 2];
/// How long steps are measured, and how many at the least, after one that compiles.
const MEASURE: Duration = Duration::from_secs(3);
const FEWEST_STEPS: usize = 3;
const QUICK_FEWEST_STEPS: usize = 1;
/// More than will be measured.
const ENOUGH_STEPS: usize = 10_000;

pub fn run(context: &Context) -> Result<(), Box<dyn Error>> {
    let device = block_on(Device::open(DeviceChoice::Gpu))?;
    let compute = ComputeDevice::on(&device)?;
    for (depth, name) in [(Depth::Quick, "quick"), (Depth::Deeper, "deeper"), (Depth::Full, "full")] {
        if context.cuts(|| format!("a fine-tune that is {name}, and what comes after it")) {
            return Ok(());
        }
        let ms = tune(context, &device, depth)?;
        let images = TUNED[0] * TUNED[1];
        context.tell(Row::Tuning(Tuning { depth: name.to_owned(), images, ms }));
    }
    let mut models = vec![(BUNDLED, bundled()?.config)];
    models.extend(preset(OSNET, 0).filter(|_| !context.quick).map(|model| (OSNET, model)));
    for (name, model) in models {
        if context.cuts(|| format!("training {name}, and what comes after it")) {
            return Ok(());
        }
        let [people, images] = if context.quick { QUICK_TRAINED } else { TRAINED };
        let batch = people * images;
        let images_per_second = batch as f64 / train(context, &compute, model, [people, images])? * 1e3;
        context.tell(Row::Training(Training { network: name.to_owned(), batch, images_per_second }));
    }
    parity(context, &compute);
    Ok(())
}

/// The milliseconds of a step.
fn tune(context: &Context, device: &Device, depth: Depth) -> Result<f64, Box<dyn Error>> {
    let extractor = block_on(Extractor::take_on(&mut bundled()?, device))?;
    let [people, images] = TUNED;
    let options = TuneOptions { depth, steps: ENOUGH_STEPS, people, images, learning_rate: None, seed: 1 };
    let mut tuner = block_on(Tuner::new(&extractor, coloured(people, 2 * images), &options))?;
    Ok(steps(context, || Ok(block_on(tuner.next_step())?.map(drop)))?)
}

/// The milliseconds of a step with what reads and changes photos before it, as `reid train` has both.
fn train(
    context: &Context,
    device: &ComputeDevice,
    model: ReIdentifierConfig,
    [people, images]: [usize; 2],
) -> Result<f64, Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    for (number, photo) in coloured(4, people * images / 4).images.iter().enumerate() {
        let name = format!("{:04}_c{}_{number}.png", number / images + 1, number % 2 + 1);
        image::save_buffer(folder.path().join(name), &photo.pixels, photo.width, photo.height, ColorType::Rgba8)?;
    }
    let mut set = TrainingSet::read(&[Folder { path: folder.path().into(), validation_people: 0 }], 0)?;
    let size = [model.input.height, model.input.width];
    let (store, _) = ImageStore::load(&mut set, size, Fit::Stretch, &|_| {})?;
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let images_per_epoch = Some(ENOUGH_STEPS * people * images);
    let sampler = SamplerConfig { people, images, images_per_epoch, ..SamplerConfig::default() };
    let loader = LoaderConfig { sampler, threads: cores.div_ceil(4), ..LoaderConfig::default() };
    let loader = Loader::new(&set, store, None, &model.input, loader, 0)?;
    let model = ReIdentifierConfig { head: Some(Head { num_classes: people, bias: false }), ..model };
    let config = TrainerConfig {
        optimizer: OptimizerConfig::default(),
        schedule: Schedule {
            base_lr: 3.5e-4,
            warmup_epochs: 0.0,
            warmup_factor: 1.0,
            decay: Decay::Constant,
            epochs: 1.0,
        },
        rate: 1.0,
        objective: Objective::default(),
        depth: Depth::Full,
        ema: None,
        seed: 0,
    };
    let mut trainer = Trainer::new(config, &model, &initial_tensors(&model, 1)?, device, loader)?;
    Ok(steps(context, || Ok(block_on(trainer.next_step())?.map(drop)))?)
}

/// The median of steps, in milliseconds.
fn steps(context: &Context, mut step: impl FnMut() -> Result<Option<()>, TrainError>) -> Result<f64, TrainError> {
    step()?;
    let (begun, mut times) = (Instant::now(), Vec::new());
    let fewest = if context.quick { QUICK_FEWEST_STEPS } else { FEWEST_STEPS };
    while times.len() < fewest || begun.elapsed() < MEASURE && !context.quick {
        let start = Instant::now();
        if step()?.is_none() {
            break;
        }
        times.push(start.elapsed().as_secs_f64() * 1e3);
    }
    Ok(median(times))
}

/// The checks of the tests, which panic when something is wrong.
fn parity(context: &Context, device: &ComputeDevice) {
    let one = |name: &str, check: &dyn Fn()| {
        if context.cuts(|| format!("{name}, and what comes after it")) {
            return;
        }
        let failed = catch_unwind(AssertUnwindSafe(check)).err();
        context.tell(Row::Parity(Parity {
            of: name.replace('_', " "),
            precision: "f32".to_owned(),
            cases: 1,
            worst: None,
            wrong: failed.iter().map(|panic| said(&**panic).to_owned()).collect(),
        }));
    };
    macro_rules! checks {
        ($($check:ident,)*) => {
            $(one(stringify!($check), &|| block_on(kernel_checks::$check(&device.device)));)*
        };
    }
    kernel_checks::for_each_check!(checks);
}
