//! A pickle machine that cannot run anything: it makes tensors, numbers, strings, tuples, lists and dictionaries, and knows
//! the few names that a state dict needs. Whatever else a pickle calls becomes an [`Object::Instance`], of which only the
//! name and the attributes are kept, so that what lies beside the weights keeps nobody from them. A file that asks for what
//! would start programs is refused as a whole.
//!
//! The opcodes are those of protocols 2 to 5 (`pickletools` in Python's library documents each).
//! Objects lie in one flat list and refer to each other by index, so neither reading nor dropping ever recurses.

use std::collections::HashMap;
use std::fmt;

use super::WeightsError;
use super::element::Element;

/// The most opcodes that a pickle may have, which bounds every object, list and memo it makes. A ResNet-101 with its
/// optimiser's state has a hundred thousand.
const MAX_OPCODES: usize = 1 << 21;
/// The most dimensions of a tensor.
const MAX_RANK: usize = 8;

/// The index of an object in [`Pickle`].
pub(super) type Id = usize;

/// What a pickle can make here. Text and keys are borrowed from the file.
#[derive(Clone, Debug)]
pub(super) enum Object<'a> {
    /// A value that no weight depends on: None, an optimiser's float, a date.
    Inert,
    Bool(bool),
    Int(i64),
    Text(&'a str),
    Tuple(Vec<Id>),
    List(Vec<Id>),
    Dict(Vec<(Id, Id)>),
    Global(Global),
    /// A class or function that is not known here.
    Class(Class<'a>),
    /// What a call of an unknown class would have made.
    Instance(Instance<'a>),
    Storage(Storage<'a>),
    Tensor(Box<TensorView<'a>>),
}

/// A name that is not known here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Class<'a> {
    module: &'a str,
    name: &'a str,
}

impl Class<'_> {
    /// Whether it is a module that TorchScript compiled.
    pub fn is_script(&self) -> bool {
        self.module == "__torch__" || self.module.starts_with("__torch__.")
    }
}

impl fmt::Display for Class<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.module, self.name)
    }
}

/// An object of an unknown class.
#[derive(Clone, Copy, Debug)]
pub(super) struct Instance<'a> {
    pub class: Class<'a>,
    /// What its attributes would have been.
    state: Option<Id>,
}

/// The names that a pickle may call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Global {
    Dict,
    Size,
    RebuildTensor,
    RebuildParameter,
    /// A tensor or parameter that has attributes of its own: the call that makes it, and they.
    RebuildFromType,
    Storage(Element),
}

/// Modules whose functions start programs or run code that lies in the file. Nothing of a pickle is run here, but a file
/// that asks for these was made to do harm.
const CODE: [&str; 14] = [
    "os",
    "posix",
    "nt",
    "subprocess",
    "shutil",
    "socket",
    "pty",
    "importlib",
    "runpy",
    "ctypes",
    "webbrowser",
    "pickle",
    "_pickle",
    "marshal",
];
/// The like among Python's builtins.
const CODE_BUILTINS: [&str; 8] = ["eval", "exec", "execfile", "compile", "__import__", "open", "input", "breakpoint"];

fn is_code(module: &str, name: &str) -> bool {
    let package = module.split('.').next().unwrap_or(module);
    let builtin = matches!(module, "builtins" | "__builtin__") && CODE_BUILTINS.contains(&name);
    // What such a function told of the machine is kept by some: `os.uname()`.
    let told = name.ends_with("_result") || name == "terminal_size";
    builtin || CODE.contains(&package) && !told
}

impl Global {
    fn find(module: &str, name: &str) -> Option<Self> {
        Some(match (module, name) {
            ("collections", "OrderedDict" | "defaultdict") | ("builtins" | "__builtin__", "dict") => Self::Dict,
            ("torch", "Size") => Self::Size,
            ("torch._utils", "_rebuild_tensor" | "_rebuild_tensor_v2") => Self::RebuildTensor,
            ("torch._utils", "_rebuild_parameter" | "_rebuild_parameter_with_state") => Self::RebuildParameter,
            ("torch._tensor", "_rebuild_from_type" | "_rebuild_from_type_v2") => Self::RebuildFromType,
            ("torch" | "torch.cuda" | "torch.storage", storage) => Self::Storage(match storage {
                "FloatStorage" => Element::F32,
                "HalfStorage" => Element::F16,
                "BFloat16Storage" => Element::Bf16,
                "DoubleStorage" => Element::F64,
                // What is no weight has only a size.
                "ComplexDoubleStorage" => Element::Integer(16),
                "LongStorage" | "ComplexFloatStorage" => Element::Integer(8),
                "IntStorage" | "QInt32Storage" => Element::Integer(4),
                "ShortStorage" => Element::Integer(2),
                "CharStorage" | "ByteStorage" | "BoolStorage" | "UntypedStorage" => Element::Integer(1),
                "QInt8Storage" | "QUInt8Storage" | "QUInt4x2Storage" | "QUInt2x4Storage" => Element::Integer(1),
                _ => return None,
            }),
            _ => return None,
        })
    }
}

/// Where a tensor's numbers lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Storage<'a> {
    pub key: &'a str,
    pub element: Element,
    /// Elements before the part of the stored numbers that this storage is (legacy files have such views).
    pub start: usize,
}

/// A window on a storage, in elements.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct TensorView<'a> {
    pub storage: Storage<'a>,
    pub offset: usize,
    pub shape: Vec<usize>,
    pub strides: Vec<usize>,
}

/// What one pickle made.
#[derive(Debug)]
pub(super) struct Pickle<'a> {
    objects: Vec<Object<'a>>,
    root: Id,
    /// The bytes up to and with its STOP.
    pub length: usize,
    /// Every storage that it names, by key.
    pub storages: HashMap<&'a str, Element>,
}

impl<'a> Pickle<'a> {
    /// Reads the one pickle that `bytes` begins with.
    pub fn read(bytes: &'a [u8]) -> Result<Self, WeightsError> {
        let mut machine = Machine {
            bytes,
            at: 0,
            objects: Vec::new(),
            stack: Vec::new(),
            marks: Vec::new(),
            memo: HashMap::new(),
            storages: HashMap::new(),
            work: 0,
        };
        let root = loop {
            if let Some(root) = machine.step()? {
                break root;
            }
        };
        Ok(Self { objects: machine.objects, root, length: machine.at, storages: machine.storages })
    }

    pub fn root(&self) -> &Object<'a> {
        self.get(self.root)
    }

    pub fn get(&self, id: Id) -> &Object<'a> {
        self.objects.get(id).unwrap_or(&Object::Inert)
    }

    /// What an object's attributes would have been: a dictionary, where it is an ordinary object.
    pub fn attributes(&self, instance: &Instance<'a>) -> &Object<'a> {
        instance.state.map_or(&Object::Inert, |state| self.get(state))
    }

    /// The entries of a dictionary whose keys are text; nothing for anything else.
    pub fn entries<'s>(&'s self, object: &'s Object<'a>) -> impl Iterator<Item = (&'a str, &'s Object<'a>)> {
        let entries = if let Object::Dict(entries) = object { entries.as_slice() } else { &[] };
        entries.iter().filter_map(|&(key, value)| match self.get(key) {
            Object::Text(key) => Some((*key, self.get(value))),
            _ => None,
        })
    }
}

struct Machine<'a> {
    bytes: &'a [u8],
    at: usize,
    objects: Vec<Object<'a>>,
    stack: Vec<Id>,
    /// The lengths that the stack had at each open MARK.
    marks: Vec<usize>,
    memo: HashMap<u32, Id>,
    storages: HashMap<&'a str, Element>,
    work: usize,
}

impl<'a> Machine<'a> {
    fn damaged(&self, reason: impl Into<String>) -> WeightsError {
        WeightsError::Damaged {
            format: "PyTorch",
            reason: format!("{} at byte {} of the pickle", reason.into(), self.at),
        }
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8], WeightsError> {
        let end = self.at.checked_add(count);
        let part = end.and_then(|end| self.bytes.get(self.at..end)).ok_or_else(|| self.damaged("it ends"))?;
        self.at += count;
        Ok(part)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], WeightsError> {
        let part = self.take(N)?;
        part.try_into().map_err(|_| self.damaged("it ends"))
    }

    /// Some bytes behind a little-endian length of `N` bytes.
    fn counted<const N: usize>(&mut self) -> Result<&'a [u8], WeightsError> {
        let mut length = [0; 8];
        length[..N].copy_from_slice(&self.array::<N>()?);
        let length = usize::try_from(u64::from_le_bytes(length)).map_err(|_| self.damaged("too long a string"))?;
        self.take(length)
    }

    /// Python's strings, and those of Python 2: text where they are UTF-8, as names of weights are.
    fn text<const N: usize>(&mut self) -> Result<Object<'a>, WeightsError> {
        Ok(std::str::from_utf8(self.counted::<N>()?).map_or(Object::Inert, Object::Text))
    }

    /// A line without its newline.
    fn line(&mut self) -> Result<&'a str, WeightsError> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let length = rest.iter().position(|&byte| byte == b'\n').ok_or_else(|| self.damaged("it ends"))?;
        let line = std::str::from_utf8(self.take(length)?).map_err(|_| self.damaged("a name that is not UTF-8"))?;
        self.take(1)?;
        Ok(line)
    }

    /// Little-endian two's complement; what needs more than 64 bits is of no use here.
    fn integer(bytes: &[u8]) -> Object<'a> {
        let negative = bytes.last().is_some_and(|byte| byte & 0x80 != 0);
        let mut wide = [if negative { 0xff } else { 0 }; 8];
        match wide.get_mut(..bytes.len()) {
            Some(low) => low.copy_from_slice(bytes),
            None => return Object::Inert,
        }
        Object::Int(i64::from_le_bytes(wide))
    }

    fn spend(&mut self, work: usize) -> Result<(), WeightsError> {
        self.work += work;
        if self.work > MAX_OPCODES { Err(self.damaged("more objects than any model has")) } else { Ok(()) }
    }

    fn push(&mut self, object: Object<'a>) {
        self.stack.push(self.objects.len());
        self.objects.push(object);
    }

    fn pop(&mut self) -> Result<Id, WeightsError> {
        // What lies under an open MARK belongs to the one who opened it.
        let floor = self.marks.last().copied().unwrap_or(0);
        if self.stack.len() <= floor {
            return Err(self.damaged("an empty stack"));
        }
        self.stack.pop().ok_or_else(|| self.damaged("an empty stack"))
    }

    fn top(&self) -> Result<Id, WeightsError> {
        self.stack.last().copied().ok_or_else(|| self.damaged("an empty stack"))
    }

    fn object(&self, id: Id) -> Result<&Object<'a>, WeightsError> {
        self.objects.get(id).ok_or_else(|| self.damaged("an unknown object"))
    }

    /// What was pushed since the last MARK.
    fn pop_mark(&mut self) -> Result<Vec<Id>, WeightsError> {
        let mark = self.marks.pop().ok_or_else(|| self.damaged("no mark"))?;
        if mark > self.stack.len() {
            return Err(self.damaged("a lost mark"));
        }
        Ok(self.stack.split_off(mark))
    }

    fn pop_tuple(&mut self, count: usize) -> Result<(), WeightsError> {
        let mut parts = Vec::with_capacity(count);
        for _ in 0..count {
            parts.push(self.pop()?);
        }
        parts.reverse();
        self.push(Object::Tuple(parts));
        Ok(())
    }

    fn pairs(&self, flat: Vec<Id>) -> Result<Vec<(Id, Id)>, WeightsError> {
        let (pairs, rest) = flat.as_chunks::<2>();
        if rest.is_empty() {
            Ok(pairs.iter().map(|&[key, value]| (key, value)).collect())
        } else {
            Err(self.damaged("a key without a value"))
        }
    }

    fn set_items(&mut self, pairs: Vec<(Id, Id)>) -> Result<(), WeightsError> {
        let dict = self.top()?;
        match self.objects.get_mut(dict) {
            Some(Object::Dict(entries)) => entries.extend(pairs),
            // A class that takes entries is a dictionary, whatever else it is.
            Some(object @ Object::Instance(_)) => *object = Object::Dict(pairs),
            Some(Object::Inert) => {}
            _ => return Err(self.damaged("entries of no dictionary")),
        }
        Ok(())
    }

    fn append(&mut self, items: Vec<Id>) -> Result<(), WeightsError> {
        let list = self.top()?;
        match self.objects.get_mut(list) {
            Some(Object::List(entries)) => entries.extend(items),
            Some(Object::Instance(_) | Object::Inert) => {}
            _ => return Err(self.damaged("items of no list")),
        }
        Ok(())
    }

    fn remember(&mut self, index: u32) -> Result<(), WeightsError> {
        let id = self.top()?;
        self.memo.insert(index, id);
        Ok(())
    }

    fn recall(&mut self, index: u32) -> Result<(), WeightsError> {
        let id = self.memo.get(&index).copied().ok_or_else(|| self.damaged("an object that was never stored"))?;
        self.stack.push(id);
        Ok(())
    }

    fn global(&mut self, module: &'a str, name: &'a str) -> Result<(), WeightsError> {
        if is_code(module, name) {
            return Err(WeightsError::Code { global: format!("{module}.{name}") });
        }
        let known = Global::find(module, name).map(Object::Global);
        self.push(known.unwrap_or(Object::Class(Class { module, name })));
        Ok(())
    }

    /// Performs one opcode; gives the result at STOP.
    fn step(&mut self) -> Result<Option<Id>, WeightsError> {
        self.spend(1)?;
        let [opcode] = self.array()?;
        match opcode {
            // PROTO, FRAME
            0x80 => drop(self.take(1)?),
            0x95 => drop(self.take(8)?),
            b'.' => return self.pop().map(Some),
            b'(' => self.marks.push(self.stack.len()),
            // POP, POP_MARK, DUP
            b'0' => drop(self.pop()?),
            b'1' => drop(self.pop_mark()?),
            b'2' => {
                let top = self.top()?;
                self.stack.push(top);
            }
            b'N' => self.push(Object::Inert),
            0x88 => self.push(Object::Bool(true)),
            0x89 => self.push(Object::Bool(false)),
            // BININT, BININT1, BININT2, LONG1, LONG4, BINFLOAT
            b'J' => {
                let value = i32::from_le_bytes(self.array()?);
                self.push(Object::Int(value.into()));
            }
            b'K' => {
                let [value] = self.array()?;
                self.push(Object::Int(value.into()));
            }
            b'M' => {
                let value = u16::from_le_bytes(self.array()?);
                self.push(Object::Int(value.into()));
            }
            0x8a => {
                let value = Self::integer(self.counted::<1>()?);
                self.push(value);
            }
            0x8b => {
                let value = Self::integer(self.counted::<4>()?);
                self.push(value);
            }
            b'G' => {
                self.take(8)?;
                self.push(Object::Inert);
            }
            // SHORT_BINSTRING, BINSTRING, BINUNICODE, SHORT_BINUNICODE, BINUNICODE8
            b'U' => {
                let text = self.text::<1>()?;
                self.push(text);
            }
            b'T' => {
                let text = self.text::<4>()?;
                self.push(text);
            }
            b'X' => {
                let text = self.text::<4>()?;
                self.push(text);
            }
            0x8c => {
                let text = self.text::<1>()?;
                self.push(text);
            }
            0x8d => {
                let text = self.text::<8>()?;
                self.push(text);
            }
            // BINBYTES, SHORT_BINBYTES, BINBYTES8, BYTEARRAY8
            b'B' => {
                self.counted::<4>()?;
                self.push(Object::Inert);
            }
            b'C' => {
                self.counted::<1>()?;
                self.push(Object::Inert);
            }
            0x8e | 0x96 => {
                self.counted::<8>()?;
                self.push(Object::Inert);
            }
            b')' => self.push(Object::Tuple(Vec::new())),
            b't' => {
                let parts = self.pop_mark()?;
                self.push(Object::Tuple(parts));
            }
            0x85..=0x87 => self.pop_tuple(usize::from(opcode - 0x84))?,
            b']' => self.push(Object::List(Vec::new())),
            b'l' => {
                let items = self.pop_mark()?;
                self.push(Object::List(items));
            }
            b'a' => {
                let item = self.pop()?;
                self.append(vec![item])?;
            }
            b'e' => {
                let items = self.pop_mark()?;
                self.append(items)?;
            }
            b'}' => self.push(Object::Dict(Vec::new())),
            b'd' => {
                let flat = self.pop_mark()?;
                let pairs = self.pairs(flat)?;
                self.push(Object::Dict(pairs));
            }
            b's' => {
                let (value, key) = (self.pop()?, self.pop()?);
                self.set_items(vec![(key, value)])?;
            }
            b'u' => {
                let flat = self.pop_mark()?;
                let pairs = self.pairs(flat)?;
                self.set_items(pairs)?;
            }
            // EMPTY_SET, ADDITEMS, FROZENSET
            0x8f => self.push(Object::Inert),
            0x90 => drop(self.pop_mark()?),
            0x91 => {
                self.pop_mark()?;
                self.push(Object::Inert);
            }
            // GLOBAL, STACK_GLOBAL
            b'c' => {
                let (module, name) = (self.line()?, self.line()?);
                self.global(module, name)?;
            }
            0x93 => {
                let (name, module) = (self.pop()?, self.pop()?);
                match (self.object(module)?, self.object(name)?) {
                    (&Object::Text(module), &Object::Text(name)) => self.global(module, name)?,
                    _ => return Err(self.damaged("a name that is no text")),
                }
            }
            // REDUCE and NEWOBJ: callable, arguments
            b'R' | 0x81 => {
                let (arguments, callable) = (self.pop()?, self.pop()?);
                self.call(callable, arguments)?;
            }
            // NEWOBJ_EX: with named arguments
            0x92 => {
                let (_named, arguments, callable) = (self.pop()?, self.pop()?, self.pop()?);
                self.call(callable, arguments)?;
            }
            // BUILD: the object's state, such as a state dict's _metadata
            b'b' => {
                let (state, object) = (self.pop()?, self.top()?);
                if let Some(Object::Instance(instance)) = self.objects.get_mut(object) {
                    instance.state = Some(state);
                }
            }
            b'Q' => self.persistent()?,
            // BINPUT, LONG_BINPUT, MEMOIZE, BINGET, LONG_BINGET
            b'q' => {
                let [index] = self.array()?;
                self.remember(index.into())?;
            }
            b'r' => {
                let index = u32::from_le_bytes(self.array()?);
                self.remember(index)?;
            }
            0x94 => {
                let index = u32::try_from(self.memo.len()).map_err(|_| self.damaged("too many stored objects"))?;
                self.remember(index)?;
            }
            b'h' => {
                let [index] = self.array()?;
                self.recall(index.into())?;
            }
            b'j' => {
                let index = u32::from_le_bytes(self.array()?);
                self.recall(index)?;
            }
            other => return Err(self.damaged(format!("opcode {other:#04x}, which torch.save does not write,"))),
        }
        Ok(None)
    }

    fn call(&mut self, callable: Id, arguments: Id) -> Result<(), WeightsError> {
        let global = match *self.object(callable)? {
            Object::Global(global) => global,
            Object::Class(class) => {
                self.push(Object::Instance(Instance { class, state: None }));
                return Ok(());
            }
            // What an unknown function gave, called in its turn.
            Object::Instance(instance) => {
                self.push(Object::Instance(Instance { state: None, ..instance }));
                return Ok(());
            }
            _ => return Err(self.damaged("a call of something that is no function")),
        };
        let Object::Tuple(arguments) = self.object(arguments)? else {
            return Err(self.damaged("a call without arguments"));
        };
        let made = match global {
            Global::Dict => Object::Dict(self.dict_of(arguments)?),
            Global::RebuildTensor => self.tensor(arguments)?,
            Global::RebuildParameter => self.parameter(arguments)?,
            Global::RebuildFromType => self.tensor_of_type(arguments)?,
            Global::Size => {
                let Some(&shape) = arguments.first() else { return Err(self.damaged("a size without numbers")) };
                self.stack.push(shape);
                return Ok(());
            }
            Global::Storage(_) => Object::Inert,
        };
        if let Object::Dict(entries) = &made {
            let copied = entries.len();
            self.spend(copied)?;
        }
        self.push(made);
        Ok(())
    }

    /// `(tensor, requires_grad, hooks[, attributes])`
    fn parameter(&self, arguments: &[Id]) -> Result<Object<'a>, WeightsError> {
        match arguments.first().map(|&id| self.object(id)).transpose()? {
            Some(Object::Tensor(tensor)) => Ok(Object::Tensor(tensor.clone())),
            Some(_) => Ok(Object::Inert),
            None => Err(self.damaged("a parameter without a tensor")),
        }
    }

    /// `(function, type, arguments, attributes)`
    fn tensor_of_type(&self, arguments: &[Id]) -> Result<Object<'a>, WeightsError> {
        let [function, _type, arguments, ..] = *arguments else {
            return Err(self.damaged("a tensor without its parts"));
        };
        match (self.object(function)?, self.object(arguments)?) {
            (Object::Global(Global::RebuildTensor), Object::Tuple(arguments)) => self.tensor(arguments),
            (Object::Global(Global::RebuildParameter), Object::Tuple(arguments)) => self.parameter(arguments),
            _ => Ok(Object::Inert),
        }
    }

    /// The entries of `OrderedDict()` or of `OrderedDict([[key, value], …])`, as Python 2 wrote it.
    fn dict_of(&self, arguments: &[Id]) -> Result<Vec<(Id, Id)>, WeightsError> {
        let Some(&first) = arguments.first() else { return Ok(Vec::new()) };
        let Object::List(items) = self.object(first)? else { return Ok(Vec::new()) };
        let pair = |&item: &Id| match self.object(item)? {
            Object::List(pair) | Object::Tuple(pair) => match pair[..] {
                [key, value] => Ok((key, value)),
                _ => Err(self.damaged("a key without a value")),
            },
            _ => Err(self.damaged("a key without a value")),
        };
        items.iter().map(pair).collect()
    }

    /// `(storage, offset, shape, strides, …)`
    fn tensor(&self, arguments: &[Id]) -> Result<Object<'a>, WeightsError> {
        let [storage, offset, shape, strides, ..] = *arguments else {
            return Err(self.damaged("a tensor without its shape"));
        };
        match (self.object(storage)?, self.size(offset)) {
            (&Object::Storage(storage), Some(offset)) => {
                let (shape, strides) = (self.sizes(shape)?, self.sizes(strides)?);
                if shape.len() != strides.len() {
                    return Err(self.damaged("a tensor whose strides do not fit its shape"));
                }
                Ok(Object::Tensor(Box::new(TensorView { storage, offset, shape, strides })))
            }
            _ => Err(self.damaged("a tensor without a storage")),
        }
    }

    fn size(&self, id: Id) -> Option<usize> {
        match self.objects.get(id) {
            Some(&Object::Int(value)) => usize::try_from(value).ok(),
            _ => None,
        }
    }

    fn sizes(&self, id: Id) -> Result<Vec<usize>, WeightsError> {
        let sizes = match self.object(id)? {
            Object::Tuple(parts) | Object::List(parts) if parts.len() <= MAX_RANK => {
                parts.iter().map(|&part| self.size(part)).collect()
            }
            _ => None,
        };
        sizes.ok_or_else(|| self.damaged("a tensor whose shape is none"))
    }

    /// `("storage", type, key, location, elements[, (view key, offset, elements)])`, or `("module", class, …)`, as the older
    /// form says what class a module has.
    fn persistent(&mut self) -> Result<(), WeightsError> {
        let id = self.pop()?;
        if let Some(class) = self.module_class(id) {
            self.stack.push(class);
            return Ok(());
        }
        let storage = self.storage(id);
        let storage = storage.ok_or_else(|| self.damaged("a storage that torch.save does not write"))?;
        self.storages.insert(storage.key, storage.element);
        self.push(Object::Storage(storage));
        Ok(())
    }

    fn module_class(&self, id: Id) -> Option<Id> {
        let Object::Tuple(parts) = self.objects.get(id)? else { return None };
        let [kind, class, ..] = parts[..] else { return None };
        matches!(self.objects.get(kind)?, Object::Text("module")).then_some(class)
    }

    fn storage(&self, id: Id) -> Option<Storage<'a>> {
        let Object::Tuple(parts) = self.objects.get(id)? else { return None };
        let part = |index: usize| self.objects.get(*parts.get(index)?);
        let (Object::Text("storage"), Object::Global(Global::Storage(element))) = (part(0)?, part(1)?) else {
            return None;
        };
        let Object::Text(key) = part(2)? else { return None };
        let start = match part(5) {
            Some(Object::Tuple(view)) => self.size(*view.get(1)?)?,
            _ => 0,
        };
        Some(Storage { key, element: *element, start })
    }
}
