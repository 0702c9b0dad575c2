//! Bounds-checked random access to a file: never past its end, and never more at once than a note can have.

use std::io::{Read, Seek, SeekFrom};

use crate::media::provenance::error::ProvenanceError;

/// The longest range that is read at once. Packets are a few thousand bytes; some editors store a history in theirs.
const MAX_READ_BYTES: usize = 4 << 20;

/// Bytes read ahead for single reads.
const WINDOW: u64 = 4096;

/// A file of known length.
pub(super) struct BoundedReader<R> {
    file: R,
    length: u64,
    kind: &'static str,
    /// The bytes from `window_start`: a GIF may need thousands of adjacent single bytes.
    window: Vec<u8>,
    window_start: u64,
}

impl<R: Read + Seek> BoundedReader<R> {
    /// `kind` names the file in errors.
    pub(super) fn new(mut file: R, kind: &'static str) -> Result<Self, ProvenanceError> {
        let length = file.seek(SeekFrom::End(0))?;
        Ok(Self {
            file,
            length,
            kind,
            window: Vec::new(),
            window_start: 0,
        })
    }

    /// The file's length in bytes.
    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// The error for a file that violates its format.
    pub(super) fn damaged(&self, reason: &'static str) -> ProvenanceError {
        ProvenanceError::Damaged {
            kind: self.kind,
            reason,
        }
    }

    /// `start + length`, if that is within the file.
    pub(super) fn end(&self, start: u64, length: u64) -> Result<u64, ProvenanceError> {
        start
            .checked_add(length)
            .filter(|end| *end <= self.length)
            .ok_or_else(|| self.damaged("it ends too early"))
    }

    /// The `N` bytes at `at`.
    pub(super) fn array<const N: usize>(&mut self, at: u64) -> Result<[u8; N], ProvenanceError> {
        let end = self.end(at, N as u64)?;
        if at < self.window_start || end > self.window_start + self.window.len() as u64 {
            self.window_start = at;
            self.window = self.read_range(at, self.length.min(at + WINDOW.max(N as u64)))?;
        }
        let start = usize::try_from(at - self.window_start).ok();
        let bytes = start.and_then(|start| self.window.get(start..)?.first_chunk());
        bytes
            .copied()
            .ok_or_else(|| self.damaged("it ends too early"))
    }

    /// The bytes from `start` to `end`; an error for more than [`MAX_READ_BYTES`].
    pub(super) fn read_range(&mut self, start: u64, end: u64) -> Result<Vec<u8>, ProvenanceError> {
        let length = end.saturating_sub(start);
        self.end(start, length)?;
        let length = usize::try_from(length)
            .ok()
            .filter(|length| *length <= MAX_READ_BYTES);
        let length = length.ok_or_else(|| self.damaged("it has a text of unbelievable length"))?;
        let mut bytes = vec![0; length];
        self.file.seek(SeekFrom::Start(start))?;
        self.file.read_exact(&mut bytes)?;
        Ok(bytes)
    }

    /// Whether the bytes from `start` to `end` begin with `prefix`.
    pub(super) fn begins(
        &mut self,
        start: u64,
        end: u64,
        prefix: &[u8],
    ) -> Result<bool, ProvenanceError> {
        let length = prefix.len() as u64;
        if end.saturating_sub(start) < length {
            return Ok(false);
        }
        Ok(self.read_range(start, start + length)? == prefix)
    }
}

/// The bytes from `start` to `end` of a file that is in memory, whose bounds were checked before.
pub(super) fn slice(bytes: &[u8], start: u64, end: u64) -> &[u8] {
    let range = usize::try_from(start).ok().zip(usize::try_from(end).ok());
    let part = range.and_then(|(start, end)| bytes.get(start..end));
    part.unwrap_or_default()
}
