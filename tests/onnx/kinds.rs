//! Networks of other kinds than the usual, as both of PyTorch's exporters write them (`fixtures/make_kinds.py`).

use webreid::extract::{DeviceChoice, Extractor};
use webreid::graph::Op;
use webreid::weights::Checkpoint;

use super::common::relative_error;
use super::{accepted_bytes, fixture};

/// Of the largest value.
const TOLERANCE: f32 = 1e-4;

#[track_caller]
fn check(kind: &str, choice: DeviceChoice, has: &[fn(&Op) -> bool]) {
    let expected = Checkpoint::read(&fixture("kinds/expected.safetensors")).unwrap().tensors;
    for exporter in ["torchscript", "dynamo"] {
        let model = accepted_bytes(&fixture(&format!("kinds/{kind}_{exporter}.onnx")));
        let graph = model.config.graph().unwrap();
        for (place, is) in has.iter().enumerate() {
            assert!(graph.nodes.iter().any(|node| is(&node.op)), "{kind} of {exporter} lacks operator {place}");
        }
        let extractor = pollster::block_on(Extractor::open(&model, choice)).unwrap();
        let found = pollster::block_on(extractor.embed(&expected["image"].values)).unwrap();
        let error = relative_error(&found, &expected[kind].values);
        println!("{kind} of {exporter}: {error:.1e} of the largest value");
        assert!(error <= TOLERANCE, "{kind} of {exporter}: {error}");
    }
}

fn check_all(choice: DeviceChoice) {
    check(
        "tokens",
        choice,
        &[
            |op| matches!(op, Op::ClassToken(_)),
            |op| matches!(op, Op::Place(_)),
            |op| matches!(op, Op::Attention(attention) if attention.heads == 3),
            |op| matches!(op, Op::Gelu(_)),
            |op| matches!(op, Op::LayerNorm(norm) if norm.eps == 1e-6),
        ],
    );
    check(
        "windows",
        choice,
        &[
            |op| matches!(op, Op::Attention(a) if a.windows == 4 && a.bias.as_ref().is_some_and(|bias| bias.tables == 2)),
            |op| matches!(op, Op::Attention(a) if a.windows == 4 && a.bias.as_ref().is_some_and(|bias| bias.tables == 8)),
            |op| matches!(op, Op::Gather(_)),
        ],
    );
    check("last", choice, &[|op| matches!(op, Op::LayerNorm(_)), |op| matches!(op, Op::Gelu(_))]);
    check("split", choice, &[|op| matches!(op, Op::Subtract), |op| matches!(op, Op::Sigmoid)]);
    check(
        "shuffle",
        choice,
        &[
            |op| matches!(op, Op::GatherChannels(_)),
            |op| matches!(op, Op::Split(split) if split.lengths.len() == 2),
            |op| matches!(op, Op::HardSwish),
            |op| matches!(op, Op::HardSigmoid(_)),
            |op| matches!(op, Op::Convolution(c) if c.dilation == [2, 2] && c.groups == 3),
            |op| matches!(op, Op::Elu(_)),
        ],
    );
    check(
        "places",
        choice,
        &[
            |op| matches!(op, Op::ChannelMax),
            |op| matches!(op, Op::GemPool(pool) if pool.eps == 1e-4),
            |op| matches!(op, Op::UnitLength(_)),
        ],
    );
}

#[test]
fn networks_of_other_kinds_compute_what_pytorch_computes_on_the_cpu() {
    check_all(DeviceChoice::Cpu);
}

#[test]
#[cfg(feature = "webgpu")]
fn networks_of_other_kinds_compute_what_pytorch_computes_on_webgpu() {
    check_all(DeviceChoice::Gpu);
}
