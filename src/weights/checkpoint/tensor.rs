//! Tensors as described in a pickle (views of storages), and as read (contiguous, little endian).

use half::{bf16, f16};

use super::fault::{Fault, sanitised};
use super::limits;
use super::value::{Heap, Id, Node};

/// The element type of a [`RawTensor`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DType {
    /// IEEE half precision.
    F16,
    /// bfloat16.
    BF16,
    /// Single precision.
    F32,
    /// Double precision.
    F64,
    /// Signed, 64 bits.
    I64,
    /// Signed, 32 bits.
    I32,
    /// Unsigned, 8 bits.
    U8,
    /// One byte, 0 or 1.
    Bool,
}

impl DType {
    /// Returns the size of one element in bytes.
    pub fn size(self) -> usize {
        match self {
            Self::U8 | Self::Bool => 1,
            Self::F16 | Self::BF16 => 2,
            Self::F32 | Self::I32 => 4,
            Self::F64 | Self::I64 => 8,
        }
    }
}

/// Returns whether every element is finite as an `f32`. `data` is little endian; an incomplete element at its end is ignored.
#[expect(
    clippy::cast_possible_truncation,
    reason = "rounded is what is asked for"
)]
pub(crate) fn is_finite(dtype: DType, data: &[u8]) -> bool {
    /// Processes blocks, so that the loop over each is free of branches.
    fn each<const N: usize>(data: &[u8], is_finite: impl Fn([u8; N]) -> bool) -> bool {
        let numbers = data.as_chunks::<N>().0;
        let mut blocks = numbers.chunks(1 << 12);
        blocks.all(|block| {
            block
                .iter()
                .fold(true, |all, &bytes| all & is_finite(bytes))
        })
    }
    match dtype {
        DType::F16 => each(data, |bytes| u16::from_le_bytes(bytes) & 0x7c00 != 0x7c00),
        DType::BF16 => each(data, |bytes| u16::from_le_bytes(bytes) & 0x7f80 != 0x7f80),
        DType::F32 => each(data, |bytes| f32::from_le_bytes(bytes).is_finite()),
        DType::F64 => each(data, |bytes| (f64::from_le_bytes(bytes) as f32).is_finite()),
        DType::I64 | DType::I32 | DType::U8 | DType::Bool => true,
    }
}

/// A tensor read from a checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawTensor {
    /// Dimensions, outermost first; empty for a scalar.
    pub shape: Vec<usize>,
    /// The element type.
    pub dtype: DType,
    /// The elements in row-major order, contiguous and little endian: `shape`'s product times [`DType::size`] bytes.
    pub data: Vec<u8>,
}

impl RawTensor {
    /// Returns whether every element is finite as an `f32`.
    pub fn is_finite(&self) -> bool {
        is_finite(self.dtype, &self.data)
    }

    /// Returns the elements as `f32`, rounded to nearest; `Bool` becomes 0 and 1.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "rounded is what is asked for"
    )]
    pub fn to_f32(&self) -> Vec<f32> {
        fn each<const N: usize>(data: &[u8], number: impl Fn([u8; N]) -> f32) -> Vec<f32> {
            data.as_chunks::<N>().0.iter().map(|&b| number(b)).collect()
        }
        let data = &self.data;
        match self.dtype {
            DType::F16 => each(data, |bytes| f16::from_le_bytes(bytes).to_f32()),
            DType::BF16 => each(data, |bytes| bf16::from_le_bytes(bytes).to_f32()),
            DType::F32 => each(data, f32::from_le_bytes),
            DType::F64 => each(data, |bytes| f64::from_le_bytes(bytes) as f32),
            DType::I64 => each(data, |bytes| i64::from_le_bytes(bytes) as f32),
            DType::I32 => each(data, |bytes| i32::from_le_bytes(bytes) as f32),
            DType::U8 => each(data, |[byte]: [u8; 1]| f32::from(byte)),
            DType::Bool => each(data, |[byte]: [u8; 1]| f32::from(u8::from(byte != 0))),
        }
    }
}

/// The element type of a storage: a [`DType`], or a type of which only the size is known, which is needed to skip it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Element<'a> {
    Known(DType),
    Unread { class: &'a str, size: usize },
}

impl<'a> Element<'a> {
    fn of(class: &'a str) -> Option<Self> {
        let skipped = |size| Some(Self::Unread { class, size });
        Some(Self::Known(match class {
            "HalfStorage" => DType::F16,
            "BFloat16Storage" => DType::BF16,
            "FloatStorage" => DType::F32,
            "DoubleStorage" => DType::F64,
            "LongStorage" => DType::I64,
            "IntStorage" => DType::I32,
            "ByteStorage" => DType::U8,
            "BoolStorage" => DType::Bool,
            "CharStorage" | "QInt8Storage" | "QUInt8Storage" | "UntypedStorage" => {
                return skipped(1);
            }
            "ShortStorage" => return skipped(2),
            "QInt32Storage" => return skipped(4),
            "ComplexFloatStorage" => return skipped(8),
            "ComplexDoubleStorage" => return skipped(16),
            _ => return None,
        }))
    }

    pub(super) fn size(self) -> usize {
        match self {
            Self::Known(dtype) => dtype.size(),
            Self::Unread { size, .. } => size,
        }
    }
}

/// A storage's location in the file. The original device doesn't matter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Storage<'a> {
    pub key: &'a str,
    pub element: Element<'a>,
    /// Only these elements, start and count, of the storage with the key: a `storage_view` of torch 0.3.
    pub part: Option<(u64, u64)>,
}

impl<'a> Storage<'a> {
    /// Parses a storage from its persistent id: its class, its key and, in the legacy format, its view.
    pub(super) fn described(
        heap: &Heap<'a>,
        class: Id,
        key: Id,
        part: Option<Id>,
    ) -> Result<Self, Fault> {
        let &Node::Global("torch" | "torch.cuda" | "torch.storage", class) = heap.get(class) else {
            return Err(Fault::damaged("its pickle has a storage without a class"));
        };
        let element = Element::of(class)
            .ok_or_else(|| Fault::unsupported(format!("a {}", sanitised(class))))?;
        let key = heap.str(key);
        let part = match part.map(|part| (heap.get(part), heap.items(part))) {
            None | Some((Node::None, _)) => None,
            Some((_, Some(&[_, from, count]))) => heap
                .count(from)
                .zip(heap.count(count))
                .map(Some)
                .ok_or_else(invalid_tensor)?,
            Some(_) => return Err(invalid_tensor()),
        };
        Ok(Self {
            key: key.ok_or_else(invalid_tensor)?,
            element,
            part,
        })
    }
}

/// A tensor as a view of a storage, in elements.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct View<'a> {
    pub storage: Storage<'a>,
    pub offset: u64,
    pub shape: Vec<u64>,
    pub stride: Vec<u64>,
}

impl<'a> View<'a> {
    /// Parses the arguments of `_rebuild_tensor` and `_rebuild_tensor_v2`: storage, offset, sizes, strides, and ignored ones.
    pub(super) fn described(heap: &Heap<'a>, args: Id) -> Result<Self, Fault> {
        let Some(&[storage, offset, shape, stride, ..]) = heap.items(args) else {
            return Err(invalid_tensor());
        };
        let Node::Storage(storage) = heap.get(storage) else {
            return Err(invalid_tensor());
        };
        let counts = |id: Id| -> Result<Vec<u64>, Fault> {
            let items = heap.items(id).ok_or_else(invalid_tensor)?;
            if items.len() > limits::DIMENSIONS {
                let count = items.len();
                return Err(Fault::excessive(format!("a tensor of {count} dimensions")));
            }
            let counts = items.iter().map(|&item| heap.count(item));
            counts.collect::<Option<_>>().ok_or_else(invalid_tensor)
        };
        let view = Self {
            storage: **storage,
            offset: heap.count(offset).ok_or_else(invalid_tensor)?,
            shape: counts(shape)?,
            stride: counts(stride)?,
        };
        if view.shape.len() != view.stride.len() {
            return Err(invalid_tensor());
        }
        Ok(view)
    }

    /// Copies the view's elements from `bytes`, the whole storage of its key. Their size is deducted from `budget` before
    /// anything is allocated.
    ///
    /// # Errors
    /// [`Fault::Damaged`] where the view is outside the storage, [`Fault::Excessive`] where the budget is exceeded,
    /// [`Fault::Unsupported`] for elements that aren't a [`DType`].
    pub(super) fn contiguous(
        &self,
        bytes: &[u8],
        budget: &mut limits::Budget,
    ) -> Result<RawTensor, Fault> {
        let dtype = match self.storage.element {
            Element::Known(dtype) => dtype,
            Element::Unread { class, .. } => {
                return Err(Fault::unsupported(format!(
                    "a tensor of {}",
                    sanitised(class)
                )));
            }
        };
        let part = part(bytes, self.storage.part, dtype.size() as u64).ok_or_else(outside)?;
        let shape: Option<Vec<usize>> = self.shape.iter().map(|&n| n.try_into().ok()).collect();
        let shape = shape.ok_or_else(outside)?;

        let elements = shape.iter().try_fold(1_usize, |all, &n| all.checked_mul(n));
        let size = elements.and_then(|elements| elements.checked_mul(dtype.size()));
        let size = size.filter(|&size| isize::try_from(size).is_ok());
        let size = size.ok_or_else(|| Fault::excessive("a tensor of 2^63 bytes or more"))?;
        if size == 0 {
            let data = Vec::new();
            return Ok(RawTensor { shape, dtype, data });
        }
        if !self.lies_in((part.len() / dtype.size()) as u64) {
            return Err(outside());
        }
        budget.spend(size as u64)?;

        let data = self.copied(part, dtype.size(), size).ok_or_else(outside)?;
        Ok(RawTensor { shape, dtype, data })
    }

    /// Returns whether the last element reached by the strides is within `count`; the view must not be empty.
    fn lies_in(&self, count: u64) -> bool {
        let mut axes = self.shape.iter().zip(&self.stride);
        let last = axes.try_fold(self.offset, |last, (&n, &stride)| {
            last.checked_add(n.checked_sub(1)?.checked_mul(stride)?)
        });
        last.is_some_and(|last| last < count)
    }

    /// Copies the longest contiguous runs, in order; `None` only where [`Self::lies_in`] would be false.
    fn copied(&self, bytes: &[u8], element: usize, size: usize) -> Option<Vec<u8>> {
        // The axes from `inner` on are contiguous.
        let (mut inner, mut run) = (self.shape.len(), 1_u64);
        while inner > 0 && (self.stride[inner - 1] == run || self.shape[inner - 1] == 1) {
            inner -= 1;
            run *= self.shape[inner];
        }
        let run = usize::try_from(run).ok()?.checked_mul(element)?;

        let mut data = Vec::with_capacity(size);
        let mut index = vec![0; inner];
        let mut at = self.offset;
        loop {
            let start = usize::try_from(at).ok()?.checked_mul(element)?;
            data.extend_from_slice(bytes.get(start..start.checked_add(run)?)?);
            let mut axis = inner;
            loop {
                let Some(outer) = axis.checked_sub(1) else {
                    return (data.len() == size).then_some(data);
                };
                axis = outer;
                index[axis] += 1;
                at += self.stride[axis];
                if index[axis] < self.shape[axis] {
                    break;
                }
                at -= self.shape[axis] * self.stride[axis];
                index[axis] = 0;
            }
        }
    }
}

fn part(bytes: &[u8], part: Option<(u64, u64)>, element: u64) -> Option<&[u8]> {
    let Some((from, count)) = part else {
        return Some(bytes);
    };
    let from = usize::try_from(from.checked_mul(element)?).ok()?;
    let size = usize::try_from(count.checked_mul(element)?).ok()?;
    bytes.get(from..from.checked_add(size)?)
}

fn invalid_tensor() -> Fault {
    Fault::damaged("its pickle describes a tensor as PyTorch never does")
}

fn outside() -> Fault {
    Fault::damaged("a tensor reaches beyond its storage")
}
