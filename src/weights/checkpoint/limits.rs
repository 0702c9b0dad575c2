//! How far a checkpoint may go. Each bound is many times what any published one needs, and none is taken on a header's
//! word: memory grows with the bytes that are really there.

use super::fault::Fault;

/// Opcodes in one pickle; a network of a thousand tensors with its optimizer states takes some hundred thousand.
pub(super) const OPCODES: usize = 2_000_000;
/// Entries that one pickle may keep for later.
pub(super) const MEMO: usize = 1_000_000;
/// Bytes of one string or number; the longest that are met are the source texts next to a module's class.
pub(super) const STRING: u64 = 16 << 20;
/// Dictionaries, lists and modules inside each other.
pub(super) const DEPTH: usize = 64;
/// Values looked at while the tensors are found, a shared one each time it is met.
pub(super) const VISITS: usize = 2_000_000;
/// Bytes of a tensor's dotted name.
pub(super) const NAME: usize = 1024;
/// Dimensions of a tensor.
pub(super) const DIMENSIONS: usize = 16;
/// Bytes of all tensors together with their names, in file sizes: tied weights and expanded views are stored once and
/// given each time.
pub(super) const EXPANSION: u64 = 8;
/// Bytes that a file of any size may give.
pub(super) const FLOOR: u64 = 1 << 20;
/// Bytes that a tensor takes besides its name and its numbers.
pub(super) const TENSOR: u64 = 128;

/// Bytes that may still be taken for tensors.
pub(super) struct Budget(u64);

impl Budget {
    /// For a file of this many bytes.
    pub(super) fn of(length: u64) -> Self {
        Self(length.saturating_mul(EXPANSION).saturating_add(FLOOR))
    }

    /// # Errors
    /// [`Fault::Excessive`] where fewer bytes are left.
    pub(super) fn spend(&mut self, bytes: u64) -> Result<(), Fault> {
        let left = self.0.checked_sub(bytes);
        self.0 = left.ok_or_else(|| {
            Fault::excessive(format!(
                "its tensors would take over {EXPANSION} times its own size"
            ))
        })?;
        Ok(())
    }
}
