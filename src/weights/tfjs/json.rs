//! What a `model.json` lists. Of lists no more is kept than any network has, and of attributes those that mean something here.

use std::collections::HashSet;
use std::fmt;
use std::marker::PhantomData;
use std::path::{Component, Path};

use serde::de::{IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::damaged;
use crate::graph::budget::{self, ATTRIBUTES, AXES, LIST, NODES};
use crate::weights::WeightsError;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Model {
    #[serde(default)]
    format: Option<String>,
    #[serde(rename = "modelTopology")]
    topology: Option<Topology>,
    #[serde(default)]
    weights_manifest: List<Group, NODES>,
    #[serde(default)]
    signature: Signature,
    #[serde(default)]
    user_defined_metadata: UserDefinedMetadata,
}

#[derive(Deserialize)]
struct Topology {
    node: Option<List<Node, NODES>>,
}

/// Where older converters put the signature.
#[derive(Default, Deserialize)]
struct UserDefinedMetadata {
    #[serde(default)]
    signature: Signature,
}

/// What goes in and comes out, by the names that people gave.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Signature {
    pub inputs: Map<Info, 64>,
    pub outputs: Map<Info, 1024>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Info {
    /// A node, or one of its outputs.
    pub name: Option<String>,
    pub tensor_shape: Option<Shape>,
}

/// Files that lie one behind the other, and what they hold.
#[derive(Deserialize)]
struct Group {
    #[serde(default)]
    paths: List<String, NODES>,
    #[serde(default)]
    weights: List<Weight, NODES>,
}

#[derive(Deserialize)]
pub(super) struct Weight {
    pub name: String,
    #[serde(default)]
    pub shape: List<u64, { AXES }>,
    pub dtype: String,
    pub quantization: Option<Quantization>,
}

#[derive(Deserialize)]
pub(super) struct Quantization {
    pub dtype: String,
    #[serde(default)]
    pub min: f64,
    #[serde(default = "one")]
    pub scale: f64,
}

fn one() -> f64 {
    1.0
}

/// One operator.
#[derive(Deserialize)]
pub(super) struct Node {
    pub name: String,
    pub op: String,
    #[serde(default)]
    pub input: List<String, LIST>,
    #[serde(default, rename = "attr")]
    pub attributes: Map<Attribute, ATTRIBUTES>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Shape {
    dim: List<Size, { AXES + 1 }>,
}

#[derive(Deserialize)]
struct Size {
    #[serde(default)]
    size: Word,
}

/// The one field of these that an attribute has.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Attribute {
    i: Option<Word>,
    f: Option<Word>,
    b: Option<bool>,
    s: Option<Word>,
    r#type: Option<Word>,
    shape: Option<Box<Shape>>,
    list: Option<Box<Values>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Values {
    i: List<Word, LIST>,
    s: List<Word, ATTRIBUTES>,
}

/// A number or a text: numbers of 64 bits are written as texts.
#[derive(Default)]
enum Word {
    #[default]
    Nothing,
    Number(f64),
    Integer(i64),
    Text(String),
}

impl Model {
    pub fn read(json: &[u8]) -> Result<Self, WeightsError> {
        let json = json.strip_prefix(b"\xef\xbb\xbf").unwrap_or(json);
        let model: Self = serde_json::from_slice(json)
            .map_err(|error| damaged(format!("the .json describes no graph model: {error}")))?;
        let is_layers = model.format.as_deref() == Some("layers-model");
        if is_layers || model.topology.as_ref().is_none_or(|topology| topology.node.is_none()) {
            return Err(WeightsError::Unsupported(
                "this .json describes a TensorFlow.js layers model, or none; graph models are read: convert it with \
                 tensorflowjs_converter --input_format tfjs_layers_model --output_format tfjs_graph_model"
                    .into(),
            ));
        }
        let weights = model.weights_manifest.items.iter().map(|group| group.weights.count).max();
        let nodes = model.topology.as_ref().and_then(|topology| topology.node.as_ref()).map(|nodes| nodes.count);
        for (count, unit) in [
            (nodes.unwrap_or(0), "nodes"),
            (model.weights_manifest.count, "groups of weights"),
            (weights.unwrap_or(0), "weights in a group"),
            (model.signature().outputs.count, "outputs"),
        ] {
            budget::within(|| "the .json".into(), count, unit, NODES as u64)?;
        }
        Ok(model)
    }

    /// The files with the numbers.
    pub fn shards(&self) -> Result<Vec<String>, WeightsError> {
        let paths: Vec<String> =
            self.weights_manifest.items.iter().flat_map(|group| &group.paths.items).cloned().collect();
        let is_below = |path: &&String| {
            let mut parts = Path::new(path.as_str()).components();
            !path.contains(['\\', ':']) && !path.is_empty() && parts.all(|part| matches!(part, Component::Normal(_)))
        };
        if let Some(path) = paths.iter().find(|path| !is_below(path)) {
            return Err(damaged(format!("its numbers are said to lie in {path:?}, which is no file beside it")));
        }
        if paths.iter().collect::<HashSet<_>>().len() < paths.len() {
            return Err(damaged("it names a file of its numbers twice"));
        }
        Ok(paths)
    }

    pub fn signature(&self) -> &Signature {
        let older = &self.user_defined_metadata.signature;
        if self.signature.outputs.items.is_empty() { older } else { &self.signature }
    }

    /// Taken apart: the nodes, and the numbers in the order in which they lie.
    pub fn parts(self) -> (Vec<Node>, Vec<Weight>, Signature) {
        let nodes = self.topology.and_then(|topology| topology.node).map(|nodes| nodes.items);
        let weights = self.weights_manifest.items.into_iter().flat_map(|group| group.weights.items).collect();
        let own = self.signature;
        let signature = if own.outputs.items.is_empty() { self.user_defined_metadata.signature } else { own };
        (nodes.unwrap_or_default(), weights, signature)
    }
}

impl Node {
    fn attribute(&self, name: &str) -> Option<&Attribute> {
        self.attributes.items.iter().find(|(own, _)| own == name).map(|(_, attribute)| attribute)
    }

    pub fn integer(&self, name: &str) -> Option<i64> {
        self.attribute(name)?.i.as_ref()?.integer()
    }

    pub fn float(&self, name: &str) -> Option<f64> {
        self.attribute(name)?.f.as_ref()?.number()
    }

    pub fn flag(&self, name: &str) -> bool {
        self.attribute(name).is_some_and(|attribute| attribute.b == Some(true))
    }

    /// In small letters, as upper and lower case mean the same.
    pub fn text(&self, name: &str) -> Option<String> {
        self.attribute(name)?.s.as_ref().map(Word::decoded)
    }

    /// `DT_FLOAT`, or a number.
    pub fn kind(&self, name: &str) -> Option<String> {
        match self.attribute(name)?.r#type.as_ref()? {
            Word::Text(text) => Some(text.clone()),
            other => other.integer().map(|number| number.to_string()),
        }
    }

    pub fn integers(&self, name: &str) -> Option<Vec<i64>> {
        let list = &self.attribute(name)?.list.as_ref()?.i;
        // What is cut off would mean something else.
        (list.count == list.items.len() as u64).then(|| list.items.iter().map(Word::integer).collect())?
    }

    pub fn texts(&self, name: &str) -> Vec<String> {
        let list = self.attribute(name).and_then(|attribute| attribute.list.as_ref());
        list.map(|list| list.s.items.iter().map(Word::decoded).collect()).unwrap_or_default()
    }

    pub fn shape(&self, name: &str) -> Option<Vec<Option<usize>>> {
        self.attribute(name)?.shape.as_ref().map(|shape| shape.dims())
    }
}

impl Shape {
    /// `None` for a size that is left open.
    pub fn dims(&self) -> Vec<Option<usize>> {
        let size =
            |size: &Size| size.size.integer().and_then(|size| usize::try_from(size).ok()).filter(|size| *size > 0);
        self.dim.items.iter().map(size).collect()
    }
}

impl Word {
    fn integer(&self) -> Option<i64> {
        match self {
            Self::Integer(number) => Some(*number),
            // Whole numbers as JavaScript writes them.
            Self::Number(number) if number.fract() == 0.0 && number.abs() < 1e15 => Some(*number as i64),
            Self::Text(text) => text.parse().ok(),
            _ => None,
        }
    }

    fn number(&self) -> Option<f64> {
        match self {
            Self::Number(number) => Some(*number),
            Self::Integer(number) => Some(*number as f64),
            Self::Text(text) => text.parse().ok(),
            Self::Nothing => None,
        }
    }

    /// Texts are written in base64; one that is not is taken as it is.
    fn decoded(&self) -> String {
        let Self::Text(text) = self else { return String::new() };
        base64(text).and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or_else(|| text.clone()).to_lowercase()
    }
}

/// The bytes that a text in base64 stands for.
fn base64(text: &str) -> Option<Vec<u8>> {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut bytes = Vec::new();
    for four in text.as_bytes().chunks(4) {
        let letters = four.iter().take_while(|letter| **letter != b'=');
        let values: Option<Vec<u32>> =
            letters.map(|letter| LETTERS.iter().position(|own| own == letter).map(|place| place as u32)).collect();
        let values = values.filter(|values| four.len() == 4 && values.len() > 1)?;
        let bits = values.iter().fold(0, |bits, value| bits << 6 | value) << (6 * (4 - values.len()));
        bytes.extend_from_slice(&bits.to_be_bytes()[1..values.len()]);
    }
    Some(bytes)
}

/// A list of which the first `MOST` are kept; all are counted.
pub(super) struct List<T, const MOST: usize> {
    pub items: Vec<T>,
    pub count: u64,
}

impl<T, const MOST: usize> Default for List<T, MOST> {
    fn default() -> Self {
        Self { items: Vec::new(), count: 0 }
    }
}

impl<'de, T: Deserialize<'de>, const MOST: usize> Deserialize<'de> for List<T, MOST> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Items<T, const MOST: usize>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>, const MOST: usize> Visitor<'de> for Items<T, MOST> {
            type Value = List<T, MOST>;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("a list")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut from: A) -> Result<Self::Value, A::Error> {
                let mut list = List::default();
                loop {
                    if list.items.len() < MOST {
                        let Some(item) = from.next_element()? else { break };
                        list.items.push(item);
                    } else if from.next_element::<IgnoredAny>()?.is_none() {
                        break;
                    }
                    list.count += 1;
                }
                Ok(list)
            }

            fn visit_unit<E>(self) -> Result<Self::Value, E> {
                Ok(List::default())
            }
        }

        deserializer.deserialize_any(Items(PhantomData))
    }
}

/// Values by their names, in the file's order, of which the first `MOST` are kept; all are counted.
pub(super) struct Map<T, const MOST: usize> {
    pub items: Vec<(String, T)>,
    pub count: u64,
}

impl<T, const MOST: usize> Default for Map<T, MOST> {
    fn default() -> Self {
        Self { items: Vec::new(), count: 0 }
    }
}

impl<'de, T: Deserialize<'de>, const MOST: usize> Deserialize<'de> for Map<T, MOST> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Items<T, const MOST: usize>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>, const MOST: usize> Visitor<'de> for Items<T, MOST> {
            type Value = Map<T, MOST>;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("values by their names")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut from: A) -> Result<Self::Value, A::Error> {
                let mut map = Map::default();
                while let Some(name) = from.next_key::<String>()? {
                    if map.items.len() < MOST {
                        map.items.push((name, from.next_value()?));
                    } else {
                        from.next_value::<IgnoredAny>()?;
                    }
                    map.count += 1;
                }
                Ok(map)
            }

            fn visit_unit<E>(self) -> Result<Self::Value, E> {
                Ok(Map::default())
            }
        }

        deserializer.deserialize_any(Items(PhantomData))
    }
}

impl<'de> Deserialize<'de> for Word {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct One;

        impl<'de> Visitor<'de> for One {
            type Value = Word;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("a number or a text")
            }

            fn visit_i64<E>(self, number: i64) -> Result<Word, E> {
                Ok(Word::Integer(number))
            }

            fn visit_u64<E>(self, number: u64) -> Result<Word, E> {
                Ok(Word::Integer(i64::try_from(number).unwrap_or(i64::MAX)))
            }

            fn visit_f64<E>(self, number: f64) -> Result<Word, E> {
                Ok(Word::Number(number))
            }

            fn visit_str<E>(self, text: &str) -> Result<Word, E> {
                Ok(Word::Text(text.to_owned()))
            }

            fn visit_unit<E>(self) -> Result<Word, E> {
                Ok(Word::Nothing)
            }

            /// A text as the list of its bytes, which some converters write.
            fn visit_seq<A: SeqAccess<'de>>(self, mut from: A) -> Result<Word, A::Error> {
                let mut text = String::new();
                while let Some(byte) = from.next_element::<u8>()? {
                    text.push(byte.into());
                }
                Ok(Word::Text(text))
            }
        }

        deserializer.deserialize_any(One)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_base64() {
        let decoded = |text: &str| Word::Text(text.into()).decoded();
        assert_eq!(decoded("VkFMSUQ="), "valid");
        assert_eq!(decoded("U0FNRQ=="), "same");
        assert_eq!(decoded("Qmlhc0FkZA=="), "biasadd");
        assert_eq!((decoded("SAME!"), decoded("")), ("same!".into(), String::new()));
        assert_eq!((base64("A==="), base64("AAA"), base64("AA==")), (None, None, Some(vec![0])));
    }

    #[test]
    fn lists_are_counted_beyond_what_is_kept() {
        let list: List<u64, 2> = serde_json::from_str("[1, 2, 3, {\"a\": []}]").expect("a list");
        assert_eq!((list.items, list.count), (vec![1, 2], 4));
        let map: Map<Word, 1> = serde_json::from_str("{\"b\": \"7\", \"a\": 1}").expect("values");
        assert_eq!((map.items[0].0.as_str(), map.items[0].1.integer(), map.count), ("b", Some(7), 2));
    }
}
