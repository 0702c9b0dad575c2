//! MoCoGAN: clips sampled from noise, with content and motion apart.
//!
//! Sergey Tulyakov, Ming-Yu Liu, Xiaodong Yang, Jan Kautz, "MoCoGAN: Decomposing Motion and Content for Video
//! Generation", CVPR 2018, [arXiv 1707.04993](https://arxiv.org/abs/1707.04993).
//!
//! A frame is drawn from `z = [content | category | motion]` (Sec. 3). The content code and the category (one-hot) hold
//! for the whole clip; the motion codes are the states of a GRU that is given fresh noise each frame:
//! `m_k = GRU(e_k, m_(k-1))`. The start `m_0 = h0` is itself not a frame. All noises are drawn from N(0, 1).
//!
//! This is the network of the authors' released code. The paper gives the category to the GRU instead of the image
//! generator, draws 96 pixels and rectifies with a slope; weights of that form are not known to exist.
//!
//! Frames are `[N, channels, 64, 64]` in `[-1, 1]`, made for eight a second.

mod config;
mod generator;
mod motion;
pub mod sampler;

pub use config::Config;
pub use generator::{MoCoGan, Prepared};
