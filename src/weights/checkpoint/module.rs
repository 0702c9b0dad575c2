//! Collects tensors with their state_dict names, from nested dictionaries and from whole modules.

use super::fault::{Fault, sanitised};
use super::limits;
use super::tensor::View;
use super::value::{Heap, Id, Node};

/// Returns every tensor below `root` with its dotted name, such as "generator.first.conv.weight". Optimizer states
/// are skipped.
///
/// # Errors
/// [`Fault::Excessive`] for nesting beyond the limits, which includes cycles, and where the names alone would exceed
/// `budget`, from which they are deducted.
pub(super) fn tensors<'h, 'a>(
    heap: &'h Heap<'a>,
    root: Id,
    budget: &mut limits::Budget,
) -> Result<Vec<(String, &'h View<'a>)>, Fault> {
    let mut walk = Walk {
        heap,
        found: Vec::new(),
        visits: 0,
        budget,
    };
    walk.value(root, "", 0)?;
    Ok(walk.found)
}

/// Whether `root` is a pickled module rather than a dictionary of tensors.
pub(super) fn is_module(heap: &Heap<'_>, root: Id) -> bool {
    module_state(heap, root).is_some()
}

/// The `__dict__` of a module.
fn module_state(heap: &Heap<'_>, id: Id) -> Option<Id> {
    let Node::Object(object) = heap.get(id) else {
        return None;
    };
    let state = object.state?;
    heap.entry(state, "_modules")?;
    Some(state)
}

struct Walk<'h, 'a, 'b> {
    heap: &'h Heap<'a>,
    found: Vec<(String, &'h View<'a>)>,
    visits: usize,
    budget: &'b mut limits::Budget,
}

impl Walk<'_, '_, '_> {
    fn value(&mut self, id: Id, name: &str, depth: usize) -> Result<(), Fault> {
        self.count(1)?;
        if depth > limits::DEPTH {
            return Err(Fault::excessive(format!(
                "values nested over {} deep, or one that contains itself",
                limits::DEPTH
            )));
        }
        let heap = self.heap;
        match heap.get(id) {
            Node::Tensor(view) => {
                let name = if name.is_empty() { "tensor" } else { name };
                self.budget.spend(limits::TENSOR + name.len() as u64)?;
                self.found.push((name.to_owned(), view));
            }
            Node::Tuple(_) | Node::List(_) => {
                let items = heap.items(id).unwrap_or_default();
                for (index, &item) in items.iter().enumerate() {
                    // Numbers and strings, which may be a long list, need no name.
                    self.count(1)?;
                    if self.may_hold(item) {
                        self.value(item, &joined(name, &index.to_string())?, depth + 1)?;
                    }
                }
            }
            Node::Dict(_) => self.dict(id, name, depth)?,
            Node::Object(object) => match object.state {
                Some(state) => {
                    self.count(heap.pairs(state).map_or(0, <[_]>::len))?;
                    match module_state(heap, id) {
                        Some(state) => self.module(state, name, depth)?,
                        None => self.dict(id, name, depth)?,
                    }
                }
                None => self.dict(id, name, depth)?,
            },
            _ => {}
        }
        Ok(())
    }

    fn dict(&mut self, id: Id, name: &str, depth: usize) -> Result<(), Fault> {
        let heap = self.heap;
        let pairs = heap.pairs(id).unwrap_or_default();
        self.count(2 * pairs.len())?;
        if heap.entry(id, "param_groups").is_some() && heap.entry(id, "state").is_some() {
            return Ok(());
        }
        for &(key, value) in pairs {
            if !self.may_hold(value) {
                continue;
            }
            match *heap.get(key) {
                Node::Str(key) if training_only(key) => {}
                Node::Str(key) => self.value(value, &joined(name, key)?, depth + 1)?,
                Node::Int(key) => self.value(value, &joined(name, &key.to_string())?, depth + 1)?,
                _ => {}
            }
        }
        Ok(())
    }

    /// Visits parameters, buffers, then submodules: the order of `state_dict()`.
    fn module(&mut self, state: Id, name: &str, depth: usize) -> Result<(), Fault> {
        let heap = self.heap;
        let passing = heap.entry(state, "_non_persistent_buffers_set");
        let passing = passing.and_then(|set| heap.items(set)).unwrap_or_default();
        for part in ["_parameters", "_buffers", "_modules"] {
            let entries = heap.entry(state, part);
            let entries = entries.and_then(|id| heap.pairs(id)).unwrap_or_default();
            self.count(entries.len())?;
            for &(key, value) in entries {
                let Some(key) = heap.str(key) else { continue };
                if part == "_buffers" {
                    self.count(passing.len())?;
                    if passing.iter().any(|&id| heap.str(id) == Some(key)) {
                        continue;
                    }
                }
                if self.may_hold(value) {
                    self.value(value, &joined(name, key)?, depth + 1)?;
                }
            }
        }
        Ok(())
    }

    fn may_hold(&self, id: Id) -> bool {
        matches!(
            self.heap.get(id),
            Node::Tensor(_) | Node::Dict(_) | Node::List(_) | Node::Tuple(_) | Node::Object(_)
        )
    }

    fn count(&mut self, visits: usize) -> Result<(), Fault> {
        self.visits = self.visits.saturating_add(visits);
        if self.visits > limits::VISITS {
            return Err(Fault::excessive(format!(
                "over {} values, or some that contain each other repeatedly",
                limits::VISITS
            )));
        }
        Ok(())
    }
}

/// Returns whether the value under this key is only for training.
fn training_only(key: &str) -> bool {
    key.starts_with("optim") || key.contains("scheduler")
}

fn joined(name: &str, key: &str) -> Result<String, Fault> {
    if name.len() + key.len() >= limits::NAME {
        return Err(Fault::excessive(format!(
            "the name of a tensor over {} bytes long, {}",
            limits::NAME,
            sanitised(key)
        )));
    }
    Ok(if name.is_empty() {
        key.to_owned()
    } else {
        format!("{name}.{key}")
    })
}
