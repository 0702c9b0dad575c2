//! The weights: their model cards, and the choice among the installed ones of each method.

pub mod card;
