//! The published systems: each a network with its configuration and its procedure.

pub mod fomm;
pub mod ganimation;
pub mod mocogan;
pub mod motion;
pub mod tps;
