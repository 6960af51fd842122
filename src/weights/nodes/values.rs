//! The values of a network while a format spells it.

use std::rc::Rc;

use super::{Named, Numbers, Shaped, Stored, ValueId};
use crate::weights::WeightsError;

/// Those of the file, and constants that are made of what it has as attributes.
#[derive(Default)]
pub(in crate::weights) struct Values<'a>(pub Vec<Named<'a>>);

impl<'a> Values<'a> {
    pub fn add(&mut self, value: Named<'a>) -> ValueId {
        self.0.push(value);
        self.0.len() - 1
    }

    pub fn constant(&mut self, name: Rc<str>, read: impl Fn() -> Result<Shaped, WeightsError> + 'a) -> ValueId {
        self.add(Named { name, constant: Some(Stored { read: Rc::new(read) }), stated: None })
    }

    /// A list of whole numbers.
    pub fn list(&mut self, list: Vec<i64>) -> ValueId {
        self.constant("".into(), move || Ok((vec![list.len()], Numbers::Integers(list.clone()))))
    }

    pub fn number(&mut self, number: f32) -> ValueId {
        self.constant("".into(), move || Ok((vec![], Numbers::Floats(vec![number]))))
    }
}
