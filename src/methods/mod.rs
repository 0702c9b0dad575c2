//! The published systems: each a network with its configuration and its procedure.

pub mod ganimation;
