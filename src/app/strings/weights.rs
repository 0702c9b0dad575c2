//! Texts of the dialog about weights.

use super::common;

/// The heading of the list of installed weights.
pub const WEIGHTS: &str = "Weights";
pub const ONLY: &str =
    "the only ones installed; import published ones with the command “mien weights import”";
pub const SCOPE: &str = "for all panes and exports, also after a restart";

/// `apart` if the weights use another crop of the face.
pub fn chosen(method: &str, name: &str, apart: bool) -> String {
    let mut words = format!("{method} now uses {name}.");
    if apart {
        words += " These weights use a different face crop. Reopen the portrait to recompute it.";
    }
    words
}

pub fn open_bug() -> String {
    common::bug("The weights could not be opened")
}

/// `problem` is a sentence that says why the chosen weights can't be used.
pub fn built_in_used(problem: &str) -> String {
    format!("The built-in weights are used. {problem}")
}
