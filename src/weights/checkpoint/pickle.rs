//! A pickle interpreter that never executes code: it assembles a pickle's values and calls nothing. A call in the
//! pickle is either known (see `reduce`) or an error with its name.

use std::collections::HashMap;

use super::fault::{Fault, sanitised};
use super::limits;
use super::opcodes::{Cursor, Op};
use super::reduce;
use super::tensor::Storage;
use super::value::{Heap, Id, Node};

/// Reads one pickle from the cursor, up to and including its STOP.
///
/// # Errors
/// [`Fault::Runs`] for a call that isn't known, [`Fault::Excessive`] beyond the `limits`, and [`Fault::Damaged`] or
/// [`Fault::Unsupported`] for what no checkpoint writer produces.
pub(super) fn load<'a>(cursor: &mut Cursor<'a>) -> Result<(Heap<'a>, Id), Fault> {
    let mut machine = Machine::default();
    for _ in 0..limits::OPCODES {
        match Op::read(cursor)? {
            Op::Stop => {
                let root = machine.pop()?;
                return Ok((machine.heap, root));
            }
            op => machine.step(op)?,
        }
    }
    Err(Fault::excessive(format!(
        "over {} instructions in its pickle",
        limits::OPCODES
    )))
}

#[derive(Default)]
struct Machine<'a> {
    heap: Heap<'a>,
    stack: Vec<Id>,
    /// The height of the stack at each mark.
    marks: Vec<usize>,
    memo: HashMap<u64, Id>,
}

impl<'a> Machine<'a> {
    fn step(&mut self, op: Op<'a>) -> Result<(), Fault> {
        match op {
            Op::Skip | Op::Stop => Ok(()),
            Op::Mark => {
                self.marks.push(self.stack.len());
                Ok(())
            }
            Op::Pop => self.discard(),
            Op::PopMark => self.since_mark().map(drop),
            Op::Dup => {
                let top = self.top()?;
                self.stack.push(top);
                Ok(())
            }
            Op::None => self.push(Node::None),
            Op::Bool(value) => self.push(Node::Bool(value)),
            Op::Int(value) => self.push(Node::Int(value)),
            Op::Wide(bytes) => self.push(Node::Wide(bytes)),
            Op::Float(value) => self.push(Node::Float(value)),
            Op::Str(text) => self.push(Node::Str(text)),
            Op::Bytes(bytes) => self.push(Node::Bytes(bytes)),
            Op::Global(module, name) => self.push(Node::Global(module, name)),
            Op::EmptyTuple => self.push(Node::Tuple(Box::default())),
            Op::EmptyList => self.push(Node::List(Vec::new())),
            Op::EmptyDict => self.push(Node::Dict(Vec::new())),
            Op::TupleOf(count) => {
                let items = self.last(count)?;
                self.push(Node::Tuple(items.into()))
            }
            Op::TupleFromMark => {
                let items = self.since_mark()?;
                self.push(Node::Tuple(items.into()))
            }
            Op::FrozenSet => {
                let items = self.since_mark()?;
                self.push(Node::List(items))
            }
            Op::Append => {
                let item = self.pop()?;
                self.extend(&[item])
            }
            Op::Appends => {
                let items = self.since_mark()?;
                self.extend(&items)
            }
            Op::SetItem => {
                let items = self.last(2)?;
                self.set(&items)
            }
            Op::SetItems => {
                let items = self.since_mark()?;
                self.set(&items)
            }
            Op::Get(key) => self.recall(key),
            Op::Put(key) => self.keep(key),
            Op::Memoize => self.keep(self.memo.len() as u64),
            Op::StackGlobal => self.stack_global(),
            Op::PersistentId => self.persistent(),
            Op::Reduce => self.reduce(),
            Op::Build => self.build(),
            Op::NewObj => self.instance(2),
            Op::NewObjEx => self.instance(3),
            Op::Inst(module, name) => Err(Fault::Runs(sanitised(&format!("{module}.{name}")))),
            Op::Obj => {
                let items = self.since_mark()?;
                let class = items.first().copied();
                Err(Fault::Runs(class.map_or_else(String::new, |class| {
                    reduce::callable(&self.heap, class)
                })))
            }
            Op::Extension => Err(Fault::Runs("a registered extension".to_owned())),
        }
    }

    fn push(&mut self, node: Node<'a>) -> Result<(), Fault> {
        let id = self.heap.add(node)?;
        self.stack.push(id);
        Ok(())
    }

    /// Values below the last mark can't be popped.
    fn floor(&self) -> usize {
        self.marks.last().copied().unwrap_or_default()
    }

    fn top(&self) -> Result<Id, Fault> {
        let since_mark = self.stack.get(self.floor()..).unwrap_or_default();
        since_mark.last().copied().ok_or_else(missing)
    }

    fn pop(&mut self) -> Result<Id, Fault> {
        let top = self.top()?;
        self.stack.pop();
        Ok(top)
    }

    /// POP, which removes the mark if it is on top.
    fn discard(&mut self) -> Result<(), Fault> {
        if self.stack.len() > self.floor() {
            self.stack.pop();
            return Ok(());
        }
        self.marks.pop().map(drop).ok_or_else(missing)
    }

    /// Pops the last `count` values.
    fn last(&mut self, count: usize) -> Result<Vec<Id>, Fault> {
        match self.stack.len().checked_sub(count) {
            Some(start) if start >= self.floor() => Ok(self.stack.split_off(start)),
            _ => Err(missing()),
        }
    }

    fn since_mark(&mut self) -> Result<Vec<Id>, Fault> {
        let start = self.marks.pop().ok_or_else(missing)?;
        Ok(self.stack.split_off(start.min(self.stack.len())))
    }

    fn keep(&mut self, key: u64) -> Result<(), Fault> {
        let top = self.top()?;
        self.memo.insert(key, top);
        if self.memo.len() > limits::MEMO {
            return Err(Fault::excessive(format!(
                "over {} remembered values",
                limits::MEMO
            )));
        }
        Ok(())
    }

    fn recall(&mut self, key: u64) -> Result<(), Fault> {
        let id = self.memo.get(&key).copied();
        let id = id.ok_or_else(|| {
            Fault::damaged(format!("its pickle recalls {key}, which was never stored"))
        })?;
        self.stack.push(id);
        Ok(())
    }

    fn extend(&mut self, items: &[Id]) -> Result<(), Fault> {
        let target = self.top()?;
        match self.heap.get_mut(target) {
            Some(Node::List(list)) => list.extend_from_slice(items),
            // A subclass of list: its items are ignored.
            Some(Node::Object(_)) => {}
            _ => {
                return Err(Fault::damaged(
                    "its pickle appends to something that isn't a list",
                ));
            }
        }
        Ok(())
    }

    fn set(&mut self, items: &[Id]) -> Result<(), Fault> {
        let target = self.top()?;
        let (new, odd) = items.as_chunks::<2>();
        if !odd.is_empty() {
            return Err(Fault::damaged("its pickle sets a key without a value"));
        }
        let pairs = match self.heap.get_mut(target) {
            Some(Node::Dict(pairs)) => pairs,
            Some(Node::Object(object)) => &mut object.pairs,
            _ => {
                return Err(Fault::damaged(
                    "its pickle sets keys in something that isn't a dictionary",
                ));
            }
        };
        pairs.extend(new.iter().map(|&[key, value]| (key, value)));
        Ok(())
    }

    fn stack_global(&mut self) -> Result<(), Fault> {
        let name = self.pop()?;
        let module = self.pop()?;
        match (self.heap.str(module), self.heap.str(name)) {
            (Some(module), Some(name)) => self.push(Node::Global(module, name)),
            _ => Err(Fault::damaged(
                "its pickle refers to a class without a name",
            )),
        }
    }

    /// `('storage', class, key, location, count[, view])`, or `('module', class, file, source)` for a module's class.
    fn persistent(&mut self) -> Result<(), Fault> {
        let id = self.pop()?;
        let items = self.heap.items(id).unwrap_or_default();
        match (items.first().and_then(|&kind| self.heap.str(kind)), items) {
            (Some("storage"), [_, class, key, _, _, rest @ ..]) => {
                let storage = Storage::described(&self.heap, *class, *key, rest.first().copied())?;
                self.push(Node::Storage(Box::new(storage)))
            }
            (Some("module"), [_, class, ..]) => {
                self.stack.push(*class);
                Ok(())
            }
            _ => Err(Fault::damaged(
                "its pickle refers to neither data nor class",
            )),
        }
    }

    fn reduce(&mut self) -> Result<(), Fault> {
        let args = self.pop()?;
        let callable = self.pop()?;
        let result = reduce::apply(&mut self.heap, callable, args)?;
        self.stack.push(result);
        Ok(())
    }

    /// Sets an object's state. For dictionaries, tensors and parameters the state has only hooks and version numbers.
    fn build(&mut self) -> Result<(), Fault> {
        let state = self.pop()?;
        let target = self.top()?;
        if let Some(Node::Object(object)) = self.heap.get_mut(target) {
            object.state = Some(state);
        }
        Ok(())
    }

    /// Creates an instance of a class as an opaque object, without the class's code.
    fn instance(&mut self, values: usize) -> Result<(), Fault> {
        let items = self.last(values)?;
        match items.first().map(|&class| self.heap.get(class)) {
            Some(Node::Global(..)) => self.push(Node::Object(Box::default())),
            _ => Err(Fault::damaged(
                "its pickle makes an instance of something that isn't a class",
            )),
        }
    }
}

fn missing() -> Fault {
    Fault::damaged("its pickle takes a value from an empty stack")
}
