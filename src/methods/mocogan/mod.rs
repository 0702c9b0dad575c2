//! MoCoGAN: clips sampled from noise, with separate codes for content and motion.
//!
//! Sergey Tulyakov, Ming-Yu Liu, Xiaodong Yang, Jan Kautz, "MoCoGAN: Decomposing Motion and Content for Video
//! Generation", CVPR 2018, [arXiv 1707.04993](https://arxiv.org/abs/1707.04993).
//!
//! A frame is generated from `z = [content | category | motion]` (Sec. 3). The content code and the category (one-hot)
//! are constant over the clip; the motion codes are the states of a GRU whose input is new noise for each frame: `m_k =
//! GRU(e_k, m_(k-1))`. The initial state `m_0 = h0` isn't a frame's code. All noise is drawn from N(0, 1).
//!
//! This is the network of the authors' released code. In the paper the category is an input of the GRU instead of the
//! image generator, frames have 96 pixels a side and rectifiers are leaky; no weights of that form are known.
//!
//! Frames are `[N, channels, 64, 64]` in `[-1, 1]`, at 8 frames per second.

mod config;
mod generator;
mod motion;
pub mod sampler;

pub use config::Config;
pub use generator::{MoCoGan, Prepared};
