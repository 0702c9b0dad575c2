//! The weights: their model cards, and which of the installed ones each method is drawn by.

pub mod card;
