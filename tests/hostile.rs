//! Files of some kilobytes that ask for gigabytes, or for hours: they are refused, in words that say who asks for how much,
//! before anything of it is allocated. This program has so little memory that it would end otherwise.
#![cfg(not(target_arch = "wasm32"))]

#[path = "onnx/writer.rs"]
#[allow(dead_code, reason = "another test's")]
mod writer;

use std::alloc::{GlobalAlloc, Layout, System};
use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use safetensors::tensor::{Dtype, TensorView};
use webreid::graph::budget::TooMuch;
use webreid::graph::op::{Affine, Input, MaxPool, PRelu, Split};
use webreid::graph::{Convolution, Node, Op, Padding, Pool, Role};
use webreid::model::{BackboneConfig, ImportedConfig, ReIdentifierConfig};
use webreid::weights::{
    WeightsError, detector_to_safetensors, read, read_detector, read_openvino, read_our_detector, read_tfjs,
};
use writer::{Attribute, File, Stored, Tensor, node};

/// What all tests of this program may have at once: an image of 64 megapixels is more.
const MEMORY: usize = 400 << 20;

struct Bounded;

static USED: AtomicUsize = AtomicUsize::new(0);

#[global_allocator]
static ALLOCATOR: Bounded = Bounded;

#[expect(unsafe_code, reason = "an allocator's interface is unsafe")]
// SAFETY: every call is the system's, or gives no memory, which an allocator may do.
unsafe impl GlobalAlloc for Bounded {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if USED.fetch_add(layout.size(), Ordering::Relaxed) + layout.size() > MEMORY {
            USED.fetch_sub(layout.size(), Ordering::Relaxed);
            return std::ptr::null_mut();
        }
        // SAFETY: the caller's promises are the system's.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        USED.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: the pointer came from the system's `alloc`.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[track_caller]
fn too_much<T>(result: Result<T, WeightsError>) -> TooMuch {
    match result {
        Err(WeightsError::TooMuch(error)) => error,
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("accepted"),
    }
}

mod our_own_form {
    use super::*;

    fn step(op: impl Into<Op>, inputs: &[usize]) -> Node {
        Node { op: op.into(), inputs: inputs.to_vec(), role: Role::Backbone }
    }

    fn convolution(name: &str, inputs: usize, outputs: usize, groups: usize) -> Convolution {
        let (name, one) = (format!("backbone.{name}"), [1; 2]);
        let (kernel, stride, dilation, padding) = (one, one, one, Padding::NONE);
        Convolution { name, inputs, outputs, kernel, stride, padding, groups, bias: false, dilation }
    }

    /// What reading says of a file with these nodes behind the image and their mean as the feature.
    #[track_caller]
    fn refused(side: usize, nodes: Vec<Node>, tensors: &[(&str, &[usize])], features: usize) -> TooMuch {
        let mut all = vec![step(Op::Input(Input { channels: 3 }), &[])];
        all.extend(nodes);
        all.push(step(Op::GlobalAveragePool, &[all.len() - 1]));
        let name = "hostile".into();
        let mut config =
            ReIdentifierConfig::new(BackboneConfig::Imported(ImportedConfig { name, nodes: all, features }), 0);
        config.neck = false;
        (config.input.height, config.input.width) = (side, side);
        let description = serde_json::json!({ "version": 1, "config": config, "provenance": {} }).to_string();
        let most = tensors.iter().map(|(_, shape)| shape.iter().product::<usize>()).max().unwrap_or(1);
        let zeros = vec![0; 2 * most];
        let views = tensors.iter().map(|(name, shape)| {
            let bytes = 2 * shape.iter().product::<usize>();
            (format!("backbone.{name}.weight"), TensorView::new(Dtype::F16, shape.to_vec(), &zeros[..bytes]).unwrap())
        });
        let file = safetensors::serialize(views, Some(HashMap::from([("webreid".to_owned(), description)]))).unwrap();
        assert!(file.len() < 20 << 20, "{} bytes", file.len());
        too_much(read(&file))
    }

    #[test]
    fn maps_whose_sides_are_each_within_bounds() {
        let nodes = vec![step(convolution("a", 3, 1 << 16, 1), &[0])];
        let error = refused(4096, nodes, &[("a", &[1 << 16, 3, 1, 1])], 1 << 16);
        assert_eq!((error.what.as_str(), error.asked), ("node 1 (Convolution `backbone.a`)", 1 << 40));
        assert_eq!((error.unit, error.bound), ("numbers an image", 1 << 26));
    }

    #[test]
    fn maps_that_are_needed_at_once() {
        // Each of 2²⁴ numbers, and all joined in the end.
        let mut nodes: Vec<Node> = (0..20).map(|_| step(convolution("a", 3, 4, 1), &[0])).collect();
        nodes.push(step(Op::Concatenate, &(1..=4).collect::<Vec<_>>()));
        (5..=20).for_each(|id| nodes.push(step(Op::Add, &[id, if id == 5 { 6 } else { id + 15 + 1 }])));
        let error = refused(2048, nodes, &[("a", &[4, 3, 1, 1])], 4);
        assert_eq!((error.unit, error.bound), ("numbers an image, with those that are still needed,", 1 << 27));
    }

    #[test]
    fn padding_that_is_larger_than_the_map() {
        let far = 1 << 14;
        let far = Convolution { stride: [far; 2], padding: Padding::all(far), ..convolution("a", 3, 4, 1) };
        let error = refused(16, vec![step(far, &[0])], &[("a", &[4, 3, 1, 1])], 4);
        assert_eq!((error.what.as_str(), error.bound), ("node 1 (Convolution `backbone.a`)", 1 << 27));
        // The image, what it gives, and the image within its border, each in vectors of eight.
        assert_eq!(error.asked, 8 * (16 * 16 + 3 * 3 + (16 + (2 << 14)) * (16 + (2 << 14))));
    }

    #[test]
    fn weights_of_single_channels() {
        // Each is a vector of zeros but for one, in both directions.
        let split = step(Split::run(0, 1), &[0]);
        let (kernel, padding) = ([1 << 10; 2], Padding::all(1 << 9));
        let wide = Convolution { kernel, padding, ..convolution("a", 1, 2, 1) };
        let error = refused(16, vec![split, step(wide, &[1])], &[("a", &[2, 1, 1 << 10, 1 << 10])], 2);
        assert_eq!((error.asked, error.bound), ((8 * 8) << 20, 16 * (2 << 20) + (1 << 24)));
    }

    #[test]
    fn a_layer_that_thousands_share() {
        let nodes = (0..2000).map(|id| {
            step(convolution(if id == 0 { "a" } else { "b" }, if id == 0 { 3 } else { 1024 }, 1024, 1), &[id])
        });
        let error = refused(16, nodes.collect(), &[("a", &[1024, 3, 1, 1]), ("b", &[1024, 1024, 1, 1])], 1024);
        assert!(error.what.contains("`backbone.b`") && error.unit.starts_with("weights"), "{error}");
        let norm = || Op::PRelu(PRelu { name: "backbone.n".into(), channels: 1 << 16 });
        let nodes =
            [step(convolution("a", 3, 1 << 16, 1), &[0])].into_iter().chain((1..2000).map(|id| step(norm(), &[id])));
        let error = refused(16, nodes.collect(), &[("a", &[1 << 16, 3, 1, 1]), ("n", &[1 << 16])], 1 << 16);
        assert!(error.what.contains("(PRelu `backbone.n`)"), "{error}");
    }

    #[test]
    fn work_without_end() {
        let pool =
            Pool { kernel: [1025; 2], stride: [1; 2], padding: Padding::all(512), ceil: false, count_padding: true };
        let error = refused(1024, vec![step(Op::MaxPool(MaxPool(pool)), &[0])], &[("x", &[1])], 3);
        assert_eq!((error.what.as_str(), error.bound), ("node 1 (MaxPool)", 1 << 40));
        assert!(error.to_string().contains("multiplications an image"), "{error}");
    }

    #[test]
    fn nodes_without_end() {
        let error = refused(16, (0..70_000).map(|id| step(Op::Relu, &[id])).collect(), &[("x", &[1])], 3);
        assert_eq!((error.what.as_str(), error.asked, error.bound), ("the network", 70_002, 1 << 16));
        let split = Split { start: 0, lengths: vec![1; 70_000] };
        let error = refused(16, vec![step(split, &[0])], &[("x", &[1])], 3);
        assert_eq!((error.what.as_str(), error.asked, error.bound), ("the network", 70_002, 1 << 16));
        let name = format!("backbone.{}", "x".repeat(1 << 24));
        let error = refused(16, vec![step(Op::Affine(Affine { name, channels: 3 }), &[0])], &[("x", &[1])], 3);
        assert_eq!((error.what.as_str(), error.unit), ("the description of the model", "bytes"));
    }

    /// What real networks ask for is granted.
    #[test]
    fn networks_as_large_as_any_are_granted() {
        use webreid::model::{PRESETS, ResnetConfig, preset};
        for name in PRESETS {
            for (height, width) in [(256, 128), (384, 192), (1024, 512)] {
                let mut config = preset(name, 1041).unwrap();
                (config.input.height, config.input.width) = (height, width);
                config.graph().unwrap_or_else(|error| panic!("{name} at {height}×{width}: {error}"));
            }
        }
        let wide = ResnetConfig { width: 128, ..ResnetConfig::reid(101) };
        ReIdentifierConfig::new(BackboneConfig::Resnet(wide), 1_000_000).graph().unwrap();
        // As a transformer's largest layers, 1.2 GB of them: 64 times 1024 to 4096 and back.
        let mut nodes =
            vec![step(Op::Input(Input { channels: 3 }), &[]), step(convolution("patches", 3, 1024, 1), &[0])];
        for layer in 0..36 {
            nodes.push(step(convolution(&format!("{layer}.a"), 1024, 4096, 1), &[nodes.len() - 1]));
            nodes.push(step(convolution(&format!("{layer}.b"), 4096, 1024, 1), &[nodes.len() - 1]));
        }
        nodes.push(step(Op::GlobalAveragePool, &[nodes.len() - 1]));
        let (name, features) = ("large".into(), 1024);
        let mut config = ReIdentifierConfig::new(BackboneConfig::Imported(ImportedConfig { name, nodes, features }), 0);
        (config.input.height, config.input.width) = (16, 16);
        config.graph().unwrap();
    }
}

mod onnx {
    use super::*;

    /// The nodes between a convolution of 4 channels and their mean.
    #[track_caller]
    fn refused(nodes: Vec<writer::Node>, tensors: Vec<Tensor>) -> TooMuch {
        let mut all = vec![node("Conv", &["image", "conv.weight"], "b")];
        let last = nodes.last().map_or("b".to_owned(), |node| node.outputs[0].clone());
        all.extend(nodes);
        all.push(node("GlobalAveragePool", &[&last], "c"));
        all.push(node("Flatten", &["c"], "feature"));
        let weight = Tensor::floats("conv.weight", &[4, 3, 1, 1], &[0.5; 12]);
        let file = File::new(32, 16, all, [vec![weight], tensors].concat()).bytes();
        assert!(file.len() < 4 << 20, "{} bytes", file.len());
        too_much(read(&file))
    }

    fn integers(name: &str, values: &[i64]) -> Tensor {
        Tensor::integers(name, values)
    }

    #[test]
    fn channels_that_double() {
        let double = |place: usize| {
            let (from, to) = (if place == 0 { "b".to_owned() } else { format!("x{place}") }, format!("x{}", place + 1));
            node("Concat", &[&from, &from], &to).with("axis", Attribute::Int(1))
        };
        let error = refused((0..40).map(double).collect(), vec![]);
        assert_eq!((error.what.as_str(), error.asked, error.unit), ("`Concat of x15` (Concat)", 1 << 17, "channels"));
    }

    #[test]
    fn maps_as_large_as_their_padding() {
        let pads = node("Conv", &["b", "w"], "x").with("pads", Attribute::Ints(vec![1 << 20; 4]));
        let error = refused(vec![pads], vec![Tensor::floats("w", &[1, 4, 1, 1], &[0.5; 4])]);
        assert!(error.what.contains("(Conv)") && error.unit == "numbers an image", "{error}");
    }

    #[test]
    fn images_as_large_as_a_town() {
        let nodes = vec![node("GlobalAveragePool", &["image"], "c"), node("Flatten", &["c"], "feature")];
        let error = too_much(read(&File::new(1 << 16, 1 << 16, nodes, vec![]).bytes()));
        assert_eq!((error.what.as_str(), error.asked), ("`image`", 3 << 32));
    }

    /// A grouped convolution is no larger than its weights.
    #[test]
    fn groups_are_not_made_dense() {
        let wide = Tensor::floats("wide", &[1 << 14, 3, 1, 1], &vec![0.5; 3 << 14]);
        let narrow = Tensor::floats("narrow", &[1 << 14, 2, 1, 1], &vec![0.5; 1 << 15]);
        let nodes = vec![
            node("Conv", &["image", "wide"], "x"),
            node("Conv", &["x", "narrow"], "y").with("group", Attribute::Int(1 << 13)),
            node("GlobalAveragePool", &["y"], "c"),
            node("Flatten", &["c"], "feature"),
        ];
        let model = read(&File::new(32, 16, nodes, vec![wide, narrow]).bytes()).unwrap();
        let numbers: usize = model.tensors.values().map(|tensor| tensor.values.len()).sum();
        assert_eq!((model.config.features_dim(), numbers), (1 << 14, 5 << 14));
    }

    #[test]
    fn constants_that_are_made_larger() {
        let many = || integers("many", &[1 << 40]);
        let made = |kind: &str, inputs: &[&str]| vec![node(kind, inputs, "x"), node("Mul", &["b", "x"], "y")];
        for (nodes, tensors) in [
            (made("ConstantOfShape", &["many"]), vec![many()]),
            (made("Expand", &["c1", "many"]), vec![many(), Tensor::floats("c1", &[1], &[1.0])]),
            (made("Expand", &["i1", "many"]), vec![many(), integers("i1", &[1])]),
        ] {
            let error = refused(nodes, tensors);
            assert!(error.what.contains("of x`") && error.asked >= 1 << 40, "{error}");
        }
        let scalars = [("from", 0), ("to", 1 << 40), ("by", 1)].map(|(name, value)| {
            let stored = Stored::Int64s(vec![value]);
            Tensor { name: name.into(), dims: vec![], kind: 7, stored }
        });
        let error = refused(made("Range", &["from", "to", "by"]), scalars.into());
        assert!(error.what.contains("(Range)") && error.asked >= 1 << 40, "{error}");
        // A table of two lists, each as long as the file may be.
        let (rows, columns) =
            (Tensor { dims: vec![1 << 12, 1], ..integers("rows", &[1; 1 << 12]) }, integers("columns", &[1; 1 << 12]));
        let error = refused(made("Add", &["rows", "columns"]), vec![rows, columns]);
        assert!(error.what.contains("(Add)") && error.asked >= 1 << 24, "{error}");
        // Joined to itself again and again.
        let mut nodes: Vec<writer::Node> = (0..40)
            .map(|place| node("Concat", &[&format!("s{place}"), &format!("s{place}")], &format!("s{}", place + 1)))
            .collect();
        nodes.iter_mut().for_each(|node| node.attributes.push(("axis", Attribute::Int(0))));
        nodes.push(node("Reshape", &["b", "s40"], "y"));
        let error = refused(nodes, vec![integers("s0", &[1])]);
        assert!(error.what.contains("(Concat)") && error.unit.starts_with("numbers"), "{error}");
    }

    #[test]
    fn dimensions_and_attributes_without_end() {
        let unsqueeze = node("Unsqueeze", &["b"], "x").with("axes", Attribute::Ints((1..100_000).collect()));
        assert_eq!(refused(vec![unsqueeze], vec![]).unit, "dimensions");
        let shape = integers("shape", &vec![1; 100_000]);
        let error = refused(vec![node("Reshape", &["b", "shape"], "x")], vec![shape]);
        assert_eq!((error.what.as_str(), error.asked, error.unit), ("`Reshape of x` (Reshape)", 100_000, "dimensions"));
        let dims = Tensor::floats("long", &[1; 100], &[0.5]);
        let error = refused(vec![node("Mul", &["b", "long"], "x")], vec![dims]);
        assert_eq!((error.what.as_str(), error.asked), ("the tensor `long`", 100));
        let mut relu = node("Relu", &["b"], "x");
        relu.attributes = vec![("x", Attribute::Int(0)); 100];
        assert_eq!(
            (refused(vec![relu], vec![]).unit, refused_fields(1 << 22).unit),
            ("attributes", "fields, with all before it,")
        );
    }

    /// Of a file with so many inputs of a node, each empty.
    fn refused_fields(count: usize) -> TooMuch {
        let mut inner = Vec::new();
        (0..count).for_each(|_| writer::bytes(&mut inner, 1, &[]));
        let mut graph = Vec::new();
        writer::bytes(&mut graph, 1, &inner);
        // Two graphs are one.
        let relu = vec![node("Relu", &["image"], "b")];
        let mut file = File::new(32, 16, relu, vec![]).bytes();
        writer::bytes(&mut file, 7, &graph);
        too_much(read(&file))
    }

    fn of_graph(graph: &[u8]) -> Vec<u8> {
        let mut file = vec![8, 8];
        writer::bytes(&mut file, 7, graph);
        writer::bytes(&mut file, 8, &[0x10, 13]);
        file
    }

    #[test]
    fn nodes_of_two_bytes() {
        let graph = |count: usize| {
            let mut graph = Vec::new();
            (0..count).for_each(|_| writer::bytes(&mut graph, 1, &[]));
            graph
        };
        let error = too_much(read(&of_graph(&graph(1_000_000))));
        assert_eq!((error.asked, error.unit, error.bound), (1_000_000, "nodes", 1 << 16));
        // 40 MB of them are not even listed.
        let error = too_much(read(&of_graph(&graph(20_000_000))));
        assert_eq!(error.unit, "fields, with all before it,");
        // Lengths beyond the file.
        for length in [3, 1 << 20, u32::MAX.into(), u64::MAX] {
            let mut file = vec![8, 8, 7 << 3 | 2];
            writer::varint(&mut file, length);
            file.extend([0, 0]);
            let message = read(&file).unwrap_err().to_string();
            assert!(message.contains("the ONNX file is damaged or incomplete"), "{message}");
        }
    }

    /// Rows are cut out by windows as large as the map, again and again.
    #[test]
    fn windows_that_cut_out_rows() {
        let tensors = ["0", "1", "2"].map(|value| integers(value, &[value.parse().unwrap()]));
        let names: Vec<String> = (0..4000).map(|place| format!("x{place}")).collect();
        let mut nodes: Vec<_> = names.iter().map(|name| node("Slice", &["b", "0", "1", "2"], name)).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        nodes.push(node("Concat", &names, "joined").with("axis", Attribute::Int(1)));
        let mut all = vec![node("Conv", &["image", "conv.weight"], "b")];
        all.extend(nodes);
        all.extend([node("GlobalAveragePool", &["joined"], "c"), node("Flatten", &["c"], "feature")]);
        let weight = Tensor::floats("conv.weight", &[4, 3, 1, 1], &[0.5; 12]);
        let error = too_much(read(&File::new(4096, 16, all, [vec![weight], tensors.into()].concat()).bytes()));
        assert!(error.what.contains("(Slice)"), "{error}");
    }
}

mod openvino {
    use super::*;

    struct Xml {
        layers: String,
        edges: String,
        count: usize,
    }

    impl Xml {
        fn new() -> Self {
            let mut xml = Self { layers: String::new(), edges: String::new(), count: 0 };
            xml.layer("Parameter", "shape=\"1,3,32,16\"", &[], "1,3,32,16");
            xml
        }

        /// Adds a layer, whose output has the shape `dims`, and gives its id.
        fn layer(&mut self, kind: &str, data: &str, inputs: &[usize], dims: &str) -> usize {
            let id = self.count;
            self.count += 1;
            let port = inputs.len();
            let dims: String = dims.split(',').map(|dim| format!("<dim>{dim}</dim>")).collect();
            self.layers += &format!(
                "<layer id=\"{id}\" name=\"l{id}\" type=\"{kind}\"><data {data}/><output><port id=\"{port}\">{dims}</port></output></layer>"
            );
            for (to, from) in inputs.iter().enumerate() {
                // The port of an output comes after those of the inputs.
                let port = self.layers.split(&format!("<layer id=\"{from}\"")).nth(1).unwrap();
                let port = port.split("<port id=\"").nth(1).unwrap().split('"').next().unwrap();
                self.edges +=
                    &format!("<edge from-layer=\"{from}\" from-port=\"{port}\" to-layer=\"{id}\" to-port=\"{to}\"/>");
            }
            id
        }

        #[track_caller]
        fn refused(self, bin: &[u8]) -> TooMuch {
            let Self { layers, edges, .. } = self;
            let xml = format!("<net name=\"n\" version=\"11\"><layers>{layers}</layers><edges>{edges}</edges></net>");
            assert!(xml.len() < 1 << 20, "{} bytes", xml.len());
            too_much(read_openvino(xml.as_bytes(), bin))
        }
    }

    #[test]
    fn sizes_that_double() {
        let mut xml = Xml::new();
        let mut last = xml.layer("Const", "element_type=\"i64\" shape=\"1\" offset=\"0\" size=\"8\"", &[], "1");
        for _ in 0..40 {
            last = xml.layer("Concat", "axis=\"0\"", &[last, last], "1");
        }
        let error = xml.refused(&[0; 8]);
        assert!(error.what.ends_with("(Concat)"), "{error}");
        // Some 2²⁰, after as many before.
        assert!(error.unit.starts_with("numbers") && error.asked < 1 << 22, "{error}");
    }

    #[test]
    fn groups_are_not_made_dense() {
        let strides = "strides=\"1,1\" pads_begin=\"0,0\" pads_end=\"0,0\" dilations=\"1,1\"";
        let mut xml = Xml::new();
        let wide = xml.layer(
            "Const",
            "element_type=\"f16\" shape=\"65536,3,1,1\" offset=\"0\" size=\"393216\"",
            &[],
            "65536,3,1,1",
        );
        let grouped = xml.layer(
            "Const",
            "element_type=\"f16\" shape=\"32768,2,2,1,1\" offset=\"0\" size=\"262144\"",
            &[],
            "32768,2,2,1,1",
        );
        let axes = xml.layer("Const", "element_type=\"i64\" shape=\"2\" offset=\"0\" size=\"16\"", &[], "2");
        let x = xml.layer("Convolution", strides, &[0, wide], "1,65536,32,16");
        let x = xml.layer("GroupConvolution", strides, &[x, grouped], "1,65536,32,16");
        let x = xml.layer("ReduceMean", "keep_dims=\"false\"", &[x, axes], "1,65536");
        xml.layer("Result", "", &[x], "1,65536");
        let mut bin = vec![0; 393_216];
        bin[..16].copy_from_slice(&[2, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0]);
        let Xml { layers, edges, .. } = xml;
        let xml = format!("<net name=\"n\" version=\"11\"><layers>{layers}</layers><edges>{edges}</edges></net>");
        let model = read_openvino(xml.as_bytes(), &bin).unwrap();
        let numbers: usize = model.tensors.values().map(|tensor| tensor.values.len()).sum();
        assert_eq!((model.config.features_dim(), numbers), (1 << 16, 5 << 16));
    }

    #[test]
    fn elements_attributes_and_dimensions_without_end() {
        let elements = format!("<net version=\"11\">{}</net>", "<a/>".repeat(2_000_000));
        let error = too_much(read_openvino(elements.as_bytes(), &[]));
        assert_eq!((error.unit, error.bound), ("elements, or more,", 1 << 20));
        let attributes: String = (0..100_000).map(|place| format!(" a{place}=\"\"")).collect();
        let error = too_much(read_openvino(format!("<net{attributes}/>").as_bytes(), &[]));
        assert_eq!((error.what.as_str(), error.unit), ("an element of the .xml", "attributes"));
        let layers = "<layer id=\"0\" name=\"\" type=\"\"/>".repeat(70_000);
        let error =
            too_much(read_openvino(format!("<net version=\"11\"><layers>{layers}</layers></net>").as_bytes(), &[]));
        assert_eq!((error.asked, error.unit), (70_000, "layers"));
        let mut xml = Xml::new();
        let ones = ["1"; 10_000].join(",");
        xml.layer("Const", &format!("element_type=\"f32\" shape=\"{ones}\" offset=\"0\" size=\"4\""), &[], "1");
        assert_eq!(xml.refused(&[0; 4]).unit, "dimensions");
    }
}

mod images {
    use webreid::image::{ImageError, decode};

    fn riff(chunks: &[(&[u8; 4], u32, &[u8])]) -> Vec<u8> {
        let content: Vec<u8> =
            chunks.iter().flat_map(|(name, length, data)| [&name[..], &length.to_le_bytes(), data].concat()).collect();
        [b"RIFF", &(content.len() as u32 + 4).to_le_bytes()[..], b"WEBP", &content].concat()
    }

    /// The canvas of 16×16 with EXIF.
    const CANVAS: &[u8; 10] = &[0x08, 0, 0, 0, 15, 0, 0, 15, 0, 0];

    #[test]
    fn webp_chunks_that_are_longer_than_the_file() {
        let frame = [0x10, 0, 0, 0x9d, 0x01, 0x2a, 16, 0, 16, 0];
        let file = riff(&[(b"VP8X", 10, CANVAS), (b"VP8 ", 10, &frame), (b"EXIF", u32::MAX - 1, b"")]);
        assert_eq!(decode(&file), Err(ImageError::Truncated { format: "WebP" }));
    }

    #[test]
    fn frames_that_are_larger_than_the_canvas() {
        let frame = [0x10, 0, 0, 0x9d, 0x01, 0x2a, 0xff, 0x3f, 0xff, 0x3f];
        let file = riff(&[(b"VP8X", 10, &[0; 10]), (b"VP8 ", 10, &frame)]);
        assert_eq!(decode(&file), Err(ImageError::TooLarge { width: 16_383, height: 16_383 }));
    }

    #[test]
    fn sizes_that_headers_claim() {
        let wide = |side: u16| side.to_be_bytes();
        let jpeg = [
            &[0xff, 0xd8, 0xff, 0xc0, 0, 11, 8][..],
            &wide(65_500),
            &wide(65_500),
            &[1, 1, 0x11, 0, 0xff, 0xda, 0, 8, 1, 1, 0, 0, 63, 0, 0, 0xff, 0xd9],
        ]
        .concat();
        let long = |side: i32| side.to_le_bytes();
        let bmp =
            [b"BM\0\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0", &long(65_535)[..], &long(65_535), &[1, 0, 24, 0], &[0; 24]]
                .concat();
        let lossless = riff(&[(b"VP8L", 6, &[0x2f, 0xfe, 0xbf, 0xff, 0x0f, 0])]);
        for (format, file) in [("JPEG", jpeg), ("BMP", bmp), ("WebP", lossless)] {
            let error = decode(&file).expect_err(format);
            assert_eq!(error.code(), "image-too-large", "{format}: {error}");
        }
    }

    /// A colour profile of half a gigabyte of zeros, packed to some megabytes.
    #[test]
    fn a_profile_that_unpacks_to_more_than_the_picture() {
        // Deflate with fixed codes: a zero, then again and again the 258 bytes before.
        let (mut packed, mut bits, mut used) = (vec![0x78, 0x01], 0_u32, 0);
        let mut write = |code: u32, length: u32| {
            for place in (0..length).rev() {
                bits |= (code >> place & 1) << used;
                used += 1;
                if used == 8 {
                    packed.push(bits as u8);
                    (bits, used) = (0, 0);
                }
            }
        };
        write(0b110, 3);
        write(0b0011_0000, 8);
        (0..2_000_000).for_each(|_| write(0b1100_0101 << 5, 13));
        write(0, 7);
        write(0, 8);
        let chunk = |name: &[u8], data: &[u8]| {
            let body = [name, data].concat();
            let crc = !body.iter().fold(!0_u32, |crc, &byte| {
                (0..8).fold(crc ^ u32::from(byte), |c, _| if c & 1 == 1 { (c >> 1) ^ 0xedb8_8320 } else { c >> 1 })
            });
            [&(data.len() as u32).to_be_bytes()[..], &body, &crc.to_be_bytes()].concat()
        };
        let png = [
            b"\x89PNG\r\n\x1a\n".to_vec(),
            chunk(b"IHDR", &[0, 0, 0, 1, 0, 0, 0, 1, 8, 0, 0, 0, 0]),
            chunk(b"iCCP", &[b"profile\0\0", &packed[..]].concat()),
            chunk(b"IDAT", &[0x78, 0x01, 0x01, 2, 0, 0xfd, 0xff, 0, 7, 0, 9, 0, 8]),
            chunk(b"IEND", &[]),
        ]
        .concat();
        // The picture is read without it.
        assert_eq!(decode(&png).expect("a picture").pixels, [7, 7, 7, 255]);
    }
}

mod tensorflow_js {
    use serde_json::{Value, json};

    use super::*;

    /// A model of an image `[1, 32, 16, 3]` under construction.
    struct Model {
        nodes: Vec<Value>,
        weights: Vec<Value>,
        bin: Vec<u8>,
    }

    impl Model {
        fn new() -> Self {
            let dim: Vec<Value> = [1, 32, 16, 3].iter().map(|size| json!({ "size": size })).collect();
            let attr = json!({ "shape": { "shape": { "dim": dim } } });
            let image = json!({ "name": "0", "op": "Placeholder", "attr": attr });
            Self { nodes: vec![image], weights: Vec::new(), bin: Vec::new() }
        }

        /// The name of what it gives.
        fn node(&mut self, op: &str, inputs: &[&str], attr: Value) -> String {
            let name = self.nodes.len().to_string();
            self.nodes.push(json!({ "name": name, "op": op, "input": inputs, "attr": attr }));
            name
        }

        fn ints(&mut self, list: &[i32]) -> String {
            let name = self.node("Const", &[], json!({}));
            self.weights.push(json!({ "name": name, "shape": [list.len()], "dtype": "int32" }));
            list.iter().for_each(|number| self.bin.extend(number.to_le_bytes()));
            name
        }

        /// What reading says, as a re-identification model and as a detector.
        #[track_caller]
        fn refused(self) -> TooMuch {
            let Self { nodes, weights, bin } = self;
            let manifest = json!([{ "paths": ["a.bin"], "weights": weights }]);
            let model = json!({ "modelTopology": { "node": nodes }, "weightsManifest": manifest }).to_string();
            assert!(model.len() < 1 << 20);
            let error = too_much(read_tfjs(model.as_bytes(), &bin));
            assert_eq!(too_much(read_detector(model.as_bytes(), Some(&bin))), error);
            error
        }
    }

    #[test]
    fn constants_that_are_filled_or_double() {
        let mut model = Model::new();
        let (dims, one) = (model.ints(&[1 << 15, 1 << 15]), model.ints(&[1]));
        let filled = model.node("Fill", &[&dims, &one], json!({}));
        model.node("Add", &["0", &filled], json!({}));
        let error = model.refused();
        assert!(error.what.ends_with("(Fill)") && error.unit.starts_with("numbers"), "{error}");

        let mut model = Model::new();
        let (mut last, axis) = (model.ints(&[1, 2]), model.ints(&[0]));
        for _ in 0..40 {
            last = model.node("ConcatV2", &[&last, &last, &axis], json!({}));
        }
        model.node("Reshape", &["0", &last], json!({}));
        let error = model.refused();
        assert!(error.what.ends_with("(ConcatV2)") && error.asked < 1 << 23, "{error}");
    }

    #[test]
    fn maps_that_are_padded_or_resized_without_end() {
        let mut model = Model::new();
        let size = model.ints(&[1 << 16, 1 << 16]);
        model.node("ResizeBilinear", &["0", &size], json!({ "half_pixel_centers": { "b": true } }));
        let error = model.refused();
        assert!(error.what.ends_with("(ResizeBilinear)"), "{error}");

        let mut model = Model::new();
        let pads = model.ints(&[0, 0, 1 << 14, 1 << 14, 1 << 14, 1 << 14, 0, 0]);
        let name = model.nodes.len() - 1;
        model.weights[0]["shape"] = json!([4, 2]);
        model.node("Pad", &["0", &name.to_string()], json!({}));
        assert_eq!(pads, name.to_string());
        let error = model.refused();
        assert!(error.what.ends_with("(Pad)"), "{error}");
    }

    #[test]
    fn a_detector_of_ours_that_asks_for_more_than_it_holds() {
        let file = |end: &str| {
            std::fs::read(format!("{}/tests/fixtures/tfjs/detector.{end}", env!("CARGO_MANIFEST_DIR"))).unwrap()
        };
        let mut detector = read_detector(&file("json"), Some(&file("bin"))).unwrap();
        let good = detector_to_safetensors(&detector, webreid::weights::Precision::F32).unwrap();
        assert!(read_our_detector(&good).is_ok());
        let nodes = &mut detector.config.network.nodes;
        let input = nodes[1].inputs.clone();
        nodes[1] = Node { op: Op::Tokens, inputs: input, role: Role::Backbone };
        nodes.extend((0..70_000).map(|_| Node { op: Op::Relu, inputs: vec![0], role: Role::Backbone }));
        let error = detector.config.check().unwrap_err().to_string();
        assert!(error.contains("cannot take") || error.contains("nodes"), "{error}");
    }
}
