//! Decodes a pickle's opcodes: protocols 2 to 5, with those of protocols 0 and 1 that Python 2 still wrote in 2.

use super::fault::Fault;
use super::limits;

/// A reader over bytes.
#[derive(Debug, Clone)]
pub(super) struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// Returns the next `count` bytes.
    ///
    /// # Errors
    /// [`Fault::Damaged`] where fewer are left.
    pub(super) fn take(&mut self, count: u64) -> Result<&'a [u8], Fault> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let taken = usize::try_from(count)
            .ok()
            .and_then(|count| rest.get(..count));
        let taken = taken.ok_or_else(|| {
            Fault::damaged(format!(
                "{count} bytes should follow byte {}, but {} do",
                self.at,
                rest.len()
            ))
        })?;
        self.at += taken.len();
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Fault> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N as u64)?);
        Ok(array)
    }

    fn u8(&mut self) -> Result<u8, Fault> {
        Ok(self.array::<1>()?[0])
    }

    fn u32(&mut self) -> Result<u32, Fault> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    pub(super) fn u64(&mut self) -> Result<u64, Fault> {
        Ok(u64::from_le_bytes(self.array()?))
    }

    fn string(&mut self, length: u64) -> Result<&'a [u8], Fault> {
        if length > limits::STRING {
            return Err(Fault::excessive(format!("a string of {length} bytes")));
        }
        self.take(length)
    }

    fn string8(&mut self) -> Result<&'a [u8], Fault> {
        let length = self.u8()?;
        self.string(length.into())
    }

    fn string32(&mut self) -> Result<&'a [u8], Fault> {
        let length = self.u32()?;
        self.string(length.into())
    }

    fn string64(&mut self) -> Result<&'a [u8], Fault> {
        let length = self.u64()?;
        self.string(length)
    }

    fn line(&mut self) -> Result<&'a str, Fault> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let end = rest.iter().take(512).position(|&byte| byte == b'\n');
        let end = end.ok_or_else(|| Fault::damaged(format!("no name ends at byte {}", self.at)))?;
        let line = self.take(end as u64)?;
        self.at += 1;
        std::str::from_utf8(line)
            .map_err(|_| Fault::damaged(format!("no name stands before byte {}", self.at)))
    }
}

/// One opcode with its arguments.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Op<'a> {
    /// No operation: the protocol version, a frame's length.
    Skip,
    Stop,
    Mark,
    Pop,
    PopMark,
    Dup,
    None,
    Bool(bool),
    Int(i64),
    /// An integer beyond 64 bits, little endian.
    Wide(&'a [u8]),
    Float(f64),
    Str(&'a str),
    Bytes(&'a [u8]),
    /// Pops this many values.
    TupleOf(usize),
    /// Pops all values since the mark.
    TupleFromMark,
    EmptyTuple,
    EmptyList,
    EmptyDict,
    FrozenSet,
    /// Appends one value to a list.
    Append,
    /// Adds all values since the mark to a list or a set.
    Appends,
    /// Adds one key and value to a dictionary.
    SetItem,
    /// Adds all keys and values since the mark to a dictionary.
    SetItems,
    Get(u64),
    Put(u64),
    /// Put with the next free index.
    Memoize,
    /// A class or function by its module and name.
    Global(&'a str, &'a str),
    StackGlobal,
    PersistentId,
    Reduce,
    Build,
    NewObj,
    NewObjEx,
    /// A class of this module and name, called with the values since the mark.
    Inst(&'a str, &'a str),
    /// The class after the mark, called with the values that follow it.
    Obj,
    /// A callable from the extension registry of the writing program.
    Extension,
}

impl<'a> Op<'a> {
    /// Reads one opcode.
    ///
    /// # Errors
    /// [`Fault::Damaged`] where bytes are missing or not an opcode; [`Fault::Excessive`] for a string beyond the
    /// limit; [`Fault::Unsupported`] for opcodes that no checkpoint writer uses.
    pub(super) fn read(cursor: &mut Cursor<'a>) -> Result<Self, Fault> {
        let at = cursor.at;
        let code = cursor.u8()?;
        Ok(match code {
            0x80 => protocol(cursor.u8()?)?,
            0x95 => {
                cursor.u64()?;
                Op::Skip
            }
            b'.' => Op::Stop,
            b'(' => Op::Mark,
            b'0' => Op::Pop,
            b'1' => Op::PopMark,
            b'2' => Op::Dup,
            b'N' => Op::None,
            0x88 => Op::Bool(true),
            0x89 => Op::Bool(false),
            b'J' => Op::Int(i32::from_le_bytes(cursor.array()?).into()),
            b'K' => Op::Int(cursor.u8()?.into()),
            b'M' => Op::Int(u16::from_le_bytes(cursor.array()?).into()),
            b'I' => decimal(cursor.line()?)?,
            0x8a => cursor.string8().map(long)?,
            0x8b => cursor.string32().map(long)?,
            b'G' => Op::Float(f64::from_be_bytes(cursor.array()?)),
            b'U' | 0x8c => cursor.string8().map(text)?,
            b'T' | b'X' => cursor.string32().map(text)?,
            0x8d => cursor.string64().map(text)?,
            b'C' => Op::Bytes(cursor.string8()?),
            b'B' => Op::Bytes(cursor.string32()?),
            0x8e | 0x96 => Op::Bytes(cursor.string64()?),
            0x85..=0x87 => Op::TupleOf(usize::from(code - 0x84)),
            b't' => Op::TupleFromMark,
            b')' => Op::EmptyTuple,
            b']' | 0x8f => Op::EmptyList,
            b'}' => Op::EmptyDict,
            0x91 => Op::FrozenSet,
            b'a' => Op::Append,
            b'e' | 0x90 => Op::Appends,
            b's' => Op::SetItem,
            b'u' => Op::SetItems,
            b'h' => Op::Get(cursor.u8()?.into()),
            b'j' => Op::Get(cursor.u32()?.into()),
            b'q' => Op::Put(cursor.u8()?.into()),
            b'r' => Op::Put(cursor.u32()?.into()),
            0x94 => Op::Memoize,
            b'c' => Op::Global(cursor.line()?, cursor.line()?),
            0x93 => Op::StackGlobal,
            b'Q' => Op::PersistentId,
            b'R' => Op::Reduce,
            b'b' => Op::Build,
            0x81 => Op::NewObj,
            0x92 => Op::NewObjEx,
            b'i' => Op::Inst(cursor.line()?, cursor.line()?),
            b'o' => Op::Obj,
            0x82..=0x84 => Op::Extension,
            b'F' | b'L' | b'S' | b'V' | b'P' | b'g' | b'p' | b'l' | b'd' => {
                return Err(Fault::unsupported("a pickle of protocol 0"));
            }
            0x97 | 0x98 => return Err(Fault::unsupported("a pickle with buffers outside it")),
            _ => {
                return Err(Fault::damaged(format!(
                    "byte {at} is {code:#04x}, which has no meaning there"
                )));
            }
        })
    }
}

fn protocol<'a>(number: u8) -> Result<Op<'a>, Fault> {
    match number {
        0..=5 => Ok(Op::Skip),
        _ => Err(Fault::damaged(format!("a pickle of protocol {number}"))),
    }
}

/// Python 2 wrote integers beyond 32 bits as text.
fn decimal<'a>(line: &str) -> Result<Op<'a>, Fault> {
    match line {
        "00" => Ok(Op::Bool(false)),
        "01" => Ok(Op::Bool(true)),
        _ => line
            .parse()
            .map(Op::Int)
            .map_err(|_| Fault::damaged("an invalid number")),
    }
}

/// A little-endian two's complement number of any length.
fn long(bytes: &[u8]) -> Op<'_> {
    if bytes.len() > 8 {
        return Op::Wide(bytes);
    }
    let negative = bytes.last().is_some_and(|&byte| byte >= 0x80);
    let mut extended = if negative { [0xff; 8] } else { [0; 8] };
    for (to, from) in extended.iter_mut().zip(bytes) {
        *to = *from;
    }
    Op::Int(i64::from_le_bytes(extended))
}

/// Python 2 used the same opcodes for bytes and text; invalid UTF-8 stays bytes.
fn text(bytes: &[u8]) -> Op<'_> {
    std::str::from_utf8(bytes).map_or(Op::Bytes(bytes), Op::Str)
}
