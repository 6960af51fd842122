//! Where in a pickle the weights are: training scripts put the state dict under a name of their choice, beside their
//! optimiser's state, their arguments and averaged copies; some save the whole module.

use std::borrow::Cow;

use super::WeightsError;
use super::error::list;
use super::pickle::{Instance, Object, Pickle, TensorView};

/// The names under which training scripts keep the state dict, the usual ones first: where a file has several, the first is
/// read. A name that only some scripts use is found as well, when it is the only one that holds weights.
const KEYS: [&str; 16] = [
    "state_dict",
    "model_state_dict",
    "model",
    "net_dict",
    "net",
    "network",
    "weights",
    "params",
    "model_state",
    "model_dict",
    "module",
    "ema_state_dict",
    "state_dict_ema",
    "model_ema",
    "params_ema",
    "ema",
];
/// How deep such entries may lie in one another.
const MAX_NESTING: usize = 4;
/// How long a name that is put together may become.
const MAX_NAME: usize = 256;
/// How many objects may be looked at: dictionaries may hold one another over and over.
const MAX_VISITS: usize = 1 << 19;
/// Where an `nn.Module` keeps its tensors and its parts.
const MODULE_PARTS: [&str; 3] = ["_parameters", "_buffers", "_modules"];

/// The tensors by their names, and what was chosen on the way to them.
pub(super) struct StateDict<'s, 'a> {
    pub tensors: Vec<(Cow<'a, str>, &'s TensorView<'a>)>,
    pub words: Vec<String>,
}

/// Finds the state dict, wherever the training script put it.
pub(super) fn state_dict<'s, 'a>(pickle: &'s Pickle<'a>) -> Result<StateDict<'s, 'a>, WeightsError> {
    let mut search = Search { pickle, visits: 0 };
    let mut words = Vec::new();
    let mut holder = pickle.root();
    for _ in 0..MAX_NESTING {
        if !matches!(holder, Object::Dict(_)) {
            break;
        }
        let mut inner = Vec::new();
        for (key, value) in pickle.entries(holder) {
            if !is_of_training(key) && search.holds_weights(value, MAX_NESTING)? {
                inner.push((key, value));
            }
        }
        let usual = KEYS.iter().find_map(|wanted| inner.iter().find(|(key, _)| key == wanted));
        let (key, value) = match (usual, &inner[..]) {
            (Some(&found), _) => found,
            (None, _) if has_layers(pickle, holder) => break,
            (None, []) => break,
            (None, &[only]) => only,
            (None, several) => {
                let keys: Vec<_> = several.iter().map(|(key, _)| *key).collect();
                return Err(WeightsError::Unsupported(format!(
                    "the file holds weights under several names, {}; save the one that is meant alone, \
                     torch.save(checkpoint[name], path)",
                    list(&keys)
                )));
            }
        };
        let others: Vec<_> = inner.iter().map(|(key, _)| *key).filter(|other| *other != key).collect();
        if !others.is_empty() {
            words.push(format!("The file holds weights under {} as well; those under {key} are read.", list(&others)));
        }
        holder = value;
    }
    let mut tensors: Vec<_> = match holder {
        Object::Instance(module) => {
            words.push(format!(
                "The file holds a whole module ({}), of which the tensors are read by their names; its code is not run.",
                module.class
            ));
            search.module(module)?
        }
        dict => {
            let is_odd =
                |(name, value): &(&str, &Object<'_>)| name.contains('.') && matches!(value, Object::Instance(_));
            let odd: Vec<_> = pickle.entries(dict).filter(is_odd).map(|(name, _)| name).collect();
            if !odd.is_empty() {
                words.push(format!("Not read, as these are no plain tensors: {}.", list(&odd)));
            }
            tensors_of(pickle, dict).map(|(name, view)| (Cow::Borrowed(name), view)).collect()
        }
    };
    if tensors.is_empty() {
        return Err(WeightsError::NoTensors(nothing(pickle, holder)));
    }
    // A name that comes twice counts as it does in Python: the last does.
    tensors.reverse();
    tensors.sort_by(|(a, _), (b, _)| a.cmp(b));
    tensors.dedup_by(|(a, _), (b, _)| a == b);
    Ok(StateDict { tensors, words })
}

/// Whether a name says that the tensors under it are none of the network's.
fn is_of_training(key: &str) -> bool {
    ["optim", "sched"].iter().any(|word| key.contains(word))
        || ["loss", "criterion"].iter().any(|word| key.ends_with(word))
}

/// What is there where no tensors are.
fn nothing(pickle: &Pickle<'_>, holder: &Object<'_>) -> String {
    let entries = pickle.entries(holder).filter(|(key, _)| KEYS.contains(key)).map(|(_, value)| value);
    let instance = std::iter::once(holder).chain(entries).find_map(|object| match object {
        Object::Instance(instance) => Some(instance),
        _ => None,
    });
    if let Some(Instance { class, .. }) = instance {
        return format!(
            "it holds a {class}, in which no tensors are found; save the state dict alone, \
             torch.save(model.state_dict(), path)"
        );
    }
    let keys: Vec<_> = pickle.entries(holder).map(|(key, _)| key).collect();
    match &keys[..] {
        [] => "save the model's state_dict()".into(),
        keys => format!("it has {} and no state_dict or model among them", list(keys)),
    }
}

fn tensors_of<'s, 'a>(
    pickle: &'s Pickle<'a>,
    dict: &'s Object<'a>,
) -> impl Iterator<Item = (&'a str, &'s TensorView<'a>)> {
    pickle.entries(dict).filter_map(|(name, value)| match value {
        Object::Tensor(view) => Some((name, &**view)),
        _ => None,
    })
}

/// Whether a dictionary has the tensors of layers, whose names have parts: `conv1.weight`, and not a number of its own such
/// as the best accuracy.
fn has_layers(pickle: &Pickle<'_>, dict: &Object<'_>) -> bool {
    tensors_of(pickle, dict).any(|(name, _)| name.contains('.'))
}

/// A search that ends, whatever holds what.
struct Search<'s, 'a> {
    pickle: &'s Pickle<'a>,
    visits: usize,
}

impl<'s, 'a> Search<'s, 'a> {
    fn visit(&mut self, object: &Object<'_>) -> Result<(), WeightsError> {
        self.visits += 1;
        if let Object::Dict(entries) = object {
            self.visits += entries.len();
        }
        if self.visits > MAX_VISITS {
            let reason = "more objects than any model has".to_owned();
            return Err(WeightsError::Damaged { format: "PyTorch", reason });
        }
        Ok(())
    }

    /// Whether an object is a state dict, a module, or a dictionary in which one lies.
    fn holds_weights(&mut self, object: &'s Object<'a>, depth: usize) -> Result<bool, WeightsError> {
        self.visit(object)?;
        match object {
            Object::Instance(instance) => Ok(!self.parts(instance)?.is_empty()),
            Object::Dict(_) if has_layers(self.pickle, object) => Ok(true),
            Object::Dict(_) if depth > 0 => {
                for (_, value) in self.pickle.entries(object) {
                    if self.holds_weights(value, depth - 1)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            _ => Ok(false),
        }
    }

    /// The dictionaries in which a module has its tensors and its parts, none for what is no module: `nn.Module` has three
    /// among its attributes, TorchScript the attributes themselves.
    fn parts(&mut self, instance: &Instance<'a>) -> Result<Vec<&'s Object<'a>>, WeightsError> {
        let pickle = self.pickle;
        let attributes = pickle.attributes(instance);
        self.visit(attributes)?;
        if instance.class.is_script() {
            return Ok(vec![attributes]);
        }
        let parts: Vec<_> = pickle.entries(attributes).filter(|(name, _)| MODULE_PARTS.contains(name)).collect();
        let is_module = parts.iter().any(|(name, _)| *name == "_modules");
        Ok(if is_module { parts.into_iter().map(|(_, part)| part).collect() } else { Vec::new() })
    }

    /// The tensors of a module and of all within it, by the names that its `state_dict()` would give them.
    fn module(&mut self, module: &Instance<'a>) -> Result<Vec<(Cow<'a, str>, &'s TensorView<'a>)>, WeightsError> {
        let mut tensors = Vec::new();
        let mut open: Vec<_> = self.parts(module)?.into_iter().map(|part| (String::new(), part)).collect();
        while let Some((path, part)) = open.pop() {
            self.visit(part)?;
            for (name, value) in self.pickle.entries(part) {
                if path.len() + name.len() > MAX_NAME {
                    let reason = format!("a name of more than {MAX_NAME} letters");
                    return Err(WeightsError::Damaged { format: "PyTorch", reason });
                }
                match value {
                    Object::Tensor(view) => tensors.push((Cow::Owned(format!("{path}{name}")), &**view)),
                    Object::Instance(inner) => {
                        let parts = self.parts(inner)?;
                        open.extend(parts.into_iter().map(|part| (format!("{path}{name}."), part)));
                    }
                    _ => {}
                }
            }
        }
        Ok(tensors)
    }
}
