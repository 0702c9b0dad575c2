//! A pickle's values in one flat table with indices, so that cycles are harmless.

use super::fault::Fault;
use super::tensor::{Storage, View};

/// The index of a value in its [`Heap`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Id(u32);

/// An instance of a class, stored as opaque data.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Object {
    /// Its state, such as a module's `__dict__`.
    pub state: Option<Id>,
    /// Items set on it as on a dictionary.
    pub pairs: Vec<(Id, Id)>,
}

/// One value.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Node<'a> {
    None,
    Bool(bool),
    Int(i64),
    /// An integer beyond 64 bits, little endian.
    Wide(&'a [u8]),
    Float(f64),
    Str(&'a str),
    Bytes(&'a [u8]),
    /// Tuples and `torch.Size`.
    Tuple(Box<[Id]>),
    /// Lists and sets.
    List(Vec<Id>),
    /// Dictionaries of every kind, in file order.
    Dict(Vec<(Id, Id)>),
    /// A class or function, by name.
    Global(&'a str, &'a str),
    Storage(Box<Storage<'a>>),
    Tensor(Box<View<'a>>),
    Object(Box<Object>),
}

/// All values of a pickle.
#[derive(Debug, Default)]
pub(super) struct Heap<'a> {
    nodes: Vec<Node<'a>>,
}

impl<'a> Heap<'a> {
    /// Adds a value.
    ///
    /// # Errors
    /// [`Fault::Excessive`] beyond 2^32 values.
    pub(super) fn add(&mut self, node: Node<'a>) -> Result<Id, Fault> {
        let id =
            u32::try_from(self.nodes.len()).map_err(|_| Fault::excessive("2^32 values or more"))?;
        self.nodes.push(node);
        Ok(Id(id))
    }

    pub(super) fn get(&self, id: Id) -> &Node<'a> {
        self.nodes.get(id.0 as usize).unwrap_or(&Node::None)
    }

    pub(super) fn get_mut(&mut self, id: Id) -> Option<&mut Node<'a>> {
        self.nodes.get_mut(id.0 as usize)
    }

    pub(super) fn str(&self, id: Id) -> Option<&'a str> {
        match *self.get(id) {
            Node::Str(text) => Some(text),
            _ => None,
        }
    }

    /// Returns a non-negative integer.
    pub(super) fn count(&self, id: Id) -> Option<u64> {
        match *self.get(id) {
            Node::Int(number) => u64::try_from(number).ok(),
            _ => None,
        }
    }

    /// Returns the items of a tuple, list or set.
    pub(super) fn items(&self, id: Id) -> Option<&[Id]> {
        match self.get(id) {
            Node::Tuple(items) => Some(items),
            Node::List(items) => Some(items),
            _ => None,
        }
    }

    /// Returns the items of a dictionary, or of an object used as one.
    pub(super) fn pairs(&self, id: Id) -> Option<&[(Id, Id)]> {
        match self.get(id) {
            Node::Dict(pairs) => Some(pairs),
            Node::Object(object) => Some(&object.pairs),
            _ => None,
        }
    }

    /// Returns the value last set under a key of a dictionary.
    pub(super) fn entry(&self, dict: Id, key: &str) -> Option<Id> {
        let pairs = self.pairs(dict)?;
        let found = pairs.iter().rev().find(|(k, _)| self.str(*k) == Some(key));
        found.map(|(_, value)| *value)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Node<'a>> {
        self.nodes.iter()
    }
}
