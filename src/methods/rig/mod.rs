//! The rig: a 3D head model fitted to the portrait's landmarks warps the portrait's pixels, at any size and without a
//! network.
//!
//! The head is fitted once for a portrait (`fit`). For each frame Action Units become coefficients of the head's
//! expressions (`controls`), the head is deformed (`deform`), its movement becomes a displacement of the portrait's
//! pixels (`field`), shading and folds follow the surface (`shading`, `folds`, `creases`), and what the portrait doesn't
//! show is painted: lids and gaze (`eyes`), teeth and tongue (`mouth`). When the head turns, the background is a layer of
//! its own (`matte`, `background`). At last the head is moved and scaled (`place`).

mod background;
mod canvas;
mod colour_model;
mod continuation;
mod controls;
mod creases;
mod deform;
mod eyeball;
mod eyes;
mod field;
mod fit;
mod folds;
mod glasses;
mod glasses_table;
mod grid;
mod image;
pub mod landmarks;
mod lids;
mod lip_frame;
mod matte;
pub mod method;
mod model;
mod mouth;
mod mouth_palette;
mod openings;
mod painter;
mod pixel_box;
mod place;
mod polyline;
mod portrait_mouth;
mod raster;
mod resample;
mod scene;
mod shading;
mod skin_texture;
mod solve;
mod teeth;
#[cfg(test)]
mod testing;
mod tone;
mod turn;
mod window;
