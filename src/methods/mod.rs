//! The published systems: each a network with its configuration and its procedure.

pub mod device;
pub mod diagnostics;
pub mod fomm;
pub mod ganimation;
mod loading;
pub mod mocogan;
pub mod models;
pub mod motion;
pub mod mover;
#[cfg(test)]
mod on_a_card;
pub mod tps;

/// Asked between layers, on a thread of the pool: whether what is in the making is no longer wanted.
pub type Stop<'a> = &'a (dyn Fn() -> bool + Sync);
