//! Limits on a checkpoint's contents. Each is many times what any published one needs, and nothing is allocated from a
//! header's claim: memory grows with the bytes that are really there.

use super::fault::Fault;

/// Opcodes in one pickle; a network of a thousand tensors with its optimizer states has some hundred thousand.
pub(super) const OPCODES: usize = 2_000_000;
/// Memo entries in one pickle.
pub(super) const MEMO: usize = 1_000_000;
/// Bytes of one string or number; the longest in practice are the source texts next to a module's class.
pub(super) const STRING: u64 = 16 << 20;
/// Nesting depth of dictionaries, lists and modules.
pub(super) const DEPTH: usize = 64;
/// Values visited in the search for tensors, counting shared ones each time.
pub(super) const VISITS: usize = 2_000_000;
/// Bytes of a tensor's dotted name.
pub(super) const NAME: usize = 1024;
/// Dimensions of a tensor.
pub(super) const DIMENSIONS: usize = 16;
/// Bytes of all tensors and their names, relative to the file size: tied weights and expanded views are stored once
/// and returned each time.
pub(super) const EXPANSION: u64 = 8;
/// Bytes allowed for a file of any size.
pub(super) const FLOOR: u64 = 1 << 20;
/// Bytes charged for a tensor, excluding its name and elements.
pub(super) const TENSOR: u64 = 128;

/// Remaining bytes for tensors.
pub(super) struct Budget(u64);

impl Budget {
    /// Creates the budget for a file of this size in bytes.
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
