//! The calls that a checkpoint's pickle may contain. Each is replaced by its result; nothing is ever called.

use super::fault::{Fault, sanitised};
use super::tensor::View;
use super::value::{Heap, Id, Node};

/// Returns the result of calling `callable` with the tuple `args`.
///
/// # Errors
/// [`Fault::Runs`] with the callable's name where it isn't one that checkpoints need.
pub(super) fn apply<'a>(heap: &mut Heap<'a>, callable: Id, args: Id) -> Result<Id, Fault> {
    let &Node::Global(module, name) = heap.get(callable) else {
        return Err(Fault::Runs(self::callable(heap, callable)));
    };
    let Some(items) = heap.items(args) else {
        return Err(Fault::damaged(
            "its pickle calls something without a tuple of arguments",
        ));
    };
    let first = items.first().copied();
    match (module, name) {
        ("torch._utils", "_rebuild_tensor" | "_rebuild_tensor_v2") => {
            let view = View::described(heap, args)?;
            heap.add(Node::Tensor(Box::new(view)))
        }
        // A subclass, or a tensor with attributes: the constructor of the plain tensor, its class, and its arguments.
        ("torch._tensor", "_rebuild_from_type_v2") => match *items {
            [make, _, with, ..] if plain_tensor(heap, make) => apply(heap, make, with),
            [make, ..] => Err(Fault::Runs(self::callable(heap, make))),
            [] => Err(without(name)),
        },
        // Unwraps a parameter to its tensor: torch 0.4 and later, then torch 0.3 and before.
        ("torch._utils", "_rebuild_parameter" | "_rebuild_parameter_with_state")
        | ("torch.nn.parameter", "Parameter" | "Buffer")
        | ("torch.autograd.variable" | "torch.autograd", "Variable") => {
            first.ok_or_else(|| without(name))
        }
        // Uses the argument list itself as the tuple or set, without copying it.
        ("torch", "Size")
        | ("builtins" | "__builtin__", "tuple" | "list" | "set" | "frozenset") => match first {
            Some(first) if heap.items(first).is_some() => Ok(first),
            _ => heap.add(Node::List(Vec::new())),
        },
        ("collections", "OrderedDict" | "Counter") | ("builtins" | "__builtin__", "dict") => {
            match first {
                Some(first) if heap.pairs(first).is_some() => Ok(first),
                Some(first) => ordered(heap, first),
                None => heap.add(Node::Dict(Vec::new())),
            }
        }
        // Its one argument is the factory for missing values.
        ("collections", "defaultdict") => heap.add(Node::Dict(Vec::new())),
        _ if is_data(module, name) => heap.add(Node::Object(Box::default())),
        _ => Err(Fault::Runs(self::callable(heap, callable))),
    }
}

/// Returns a callable's name for errors, such as "os.system".
pub(super) fn callable(heap: &Heap<'_>, id: Id) -> String {
    match heap.get(id) {
        Node::Global(module, name) => sanitised(&format!("{module}.{name}")),
        _ => "something without a name".to_owned(),
    }
}

/// Creates a dictionary from a list of pairs, as Python 2 wrote an `OrderedDict`. The list is consumed, so that a
/// pickle can't have one list copied many times.
fn ordered<'a>(heap: &mut Heap<'a>, id: Id) -> Result<Id, Fault> {
    let items = match heap.get_mut(id) {
        Some(Node::List(items)) => std::mem::take(items),
        _ => Vec::new(),
    };
    let pair = |item: Id| match heap.items(item) {
        Some(&[key, value]) => Some((key, value)),
        _ => None,
    };
    let pairs = items.into_iter().filter_map(pair).collect();
    heap.add(Node::Dict(pairs))
}

fn plain_tensor(heap: &Heap<'_>, make: Id) -> bool {
    matches!(
        heap.get(make),
        Node::Global(
            "torch._utils",
            "_rebuild_tensor" | "_rebuild_tensor_v2" | "_rebuild_parameter"
        )
    )
}

/// Plain data next to the weights (options, random states, scores), stored as opaque objects.
fn is_data(module: &str, name: &str) -> bool {
    matches!(
        (module, name),
        ("torch", "device")
            | ("torch.nn.backends.thnn", "_get_thnn_function_backend")
            | ("numpy", "dtype" | "ndarray")
            | (
                "numpy.core.multiarray" | "numpy._core.multiarray",
                "scalar" | "_reconstruct"
            )
            | ("numpy.core.numeric" | "numpy._core.numeric", "_frombuffer")
            | ("_codecs", "encode")
            | ("copy_reg" | "copyreg", "_reconstructor" | "__newobj__")
            | (
                "builtins" | "__builtin__",
                "object" | "complex" | "slice" | "range" | "xrange" | "bytearray" | "bytes"
            )
            | ("datetime", "datetime" | "date" | "timedelta")
            | ("pathlib", "PosixPath" | "WindowsPath" | "PurePosixPath")
            | ("argparse", "Namespace")
    )
}

fn without(name: &str) -> Fault {
    Fault::damaged(format!(
        "its pickle has a {} without arguments",
        sanitised(name)
    ))
}
