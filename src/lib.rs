//! Mien: a desktop studio for artists who edit the expression in a portrait.
//!
//! The modules from the top down; each imports only from those below it:
//! [`cli`] and [`app`] (the command line and the iced window), [`jobs`] (export, compare, measure, import), [`render`]
//! (renders a portrait under a motion), [`drive`] (motions and their values over time), [`project`] (project files and
//! settings), [`methods`] (the published systems), [`face`], [`metrics`], [`document`] (the artist's document as plain
//! data), [`weights`], [`media`] and [`nn`].

#![deny(missing_docs)]
// A panic loses the artist's work, and eprintln! panics when standard error is closed. clippy.toml allows all four in tests.
#![warn(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stderr,
    clippy::print_stdout
)]

pub mod app;
pub mod cli;
pub mod document;
pub mod drive;
pub mod error;
pub mod face;
pub mod folders;
pub mod jobs;
mod lru_cache;
pub mod math;
pub mod media;
pub mod methods;
pub mod metrics;
pub mod nn;
pub mod progress;
pub mod project;
mod regular_file;
pub mod render;
mod text;
pub mod weights;
