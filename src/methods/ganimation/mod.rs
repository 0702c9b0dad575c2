//! GANimation: repaints a face for given Action Units.
//!
//! Albert Pumarola, Antonio Agudo, Aleix M. Martinez, Alberto Sanfeliu, Francesc
//! Moreno-Noguer, "GANimation: Anatomically-aware Facial Animation from a Single Image",
//! ECCV 2018, [arXiv 1807.09251](https://arxiv.org/abs/1807.09251).
//!
//! The generator takes a picture `I` and target Action Units `y`, and predicts a colour picture `C` and an attention mask
//! `A`. The result (Eq. 1, with the authors' code's meaning of `A`) is `A * I + (1 - A) * C`: where `A` is 1 the source
//! pixel is preserved. Show an artist `1 - A`.
//!
//! Pictures and colours are in `[-1, 1]`, attention in `[0, 1]`; Action Units are
//! OpenFace's intensities (0 to 5) divided by 5.
//!
//! The authors published no weights, but two other code bases did: [`Dialect`] is the naming scheme of a file's tensors.

mod config;
mod dialect;
mod generator;
pub mod model;
pub mod session;

pub use config::Config;
pub use dialect::Dialect;
pub use generator::{Generator, Output, Prepared, result};
