//! Mien: a desktop studio for artists who edit the expression in a portrait.
//!
//! The rooms, and who may import whom: [`app`] and [`cli`] stand on [`engine`]; the engine on [`methods`], [`face`],
//! [`media`] and [`metrics`]; those on [`nn`] and [`weights`]. [`studio`] is plain data that the upper rooms share. Never upward.

pub mod app;
pub mod cli;
pub mod engine;
pub mod face;
pub mod media;
pub mod methods;
pub mod metrics;
pub mod nn;
pub mod studio;
pub mod weights;
