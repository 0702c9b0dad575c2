//! The published systems: each a network with its configuration and its procedure.

pub mod device;
pub mod diagnostics;
pub mod error;
pub mod fomm;
pub mod ganimation;
pub mod mocogan;
pub mod models;
pub mod motion;
pub mod mover;
#[cfg(test)]
mod on_a_card;
pub mod tps;
