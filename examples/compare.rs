//! How alike two pictures of people are, −1…1:
//!
//!     cargo run --example compare -- MODEL PICTURE PICTURE
//!
//! MODEL is a checkpoint, an ONNX file or whatever else `ReIdentifier::open` reads; the pictures show one person each.

use std::env;
use std::process::ExitCode;

use webreid::{DeviceChoice, Error, ReIdentifier};

pub async fn compare(model: &str, pictures: [&str; 2], device: DeviceChoice) -> Result<f32, Error> {
    let model = ReIdentifier::open(model, device).await?;
    let features = model.extract_files(&pictures).await?;
    features[0].similarity(&features[1])
}

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [model, first, second] = &arguments[..] else {
        eprintln!("usage: compare MODEL PICTURE PICTURE");
        return ExitCode::from(2);
    };
    match pollster::block_on(compare(model, [first, second], DeviceChoice::Auto)) {
        Ok(similarity) => println!("{similarity:.4}"),
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}
