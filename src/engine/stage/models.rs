//! The networks, each opened when first asked for.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use crate::engine::{EngineError, Model, MotionMethod, Mover, Sampler};

/// The networks that a project may need. GANimation is there from the start; the others are opened when first asked for,
/// and once for all who share this.
pub struct Models {
    ganimation: Arc<Model>,
    fomm: Lazy<Mover>,
    tps: Lazy<Mover>,
    mocogan: Lazy<Sampler>,
}

struct Lazy<T> {
    /// A file, or the name of installed weights; without, those that come with the program.
    weights: Option<PathBuf>,
    opened: OnceLock<Result<Arc<T>, String>>,
}

impl<T> Lazy<T> {
    fn new(weights: Option<PathBuf>) -> Self {
        Self {
            weights,
            opened: OnceLock::new(),
        }
    }

    fn get(
        &self,
        open: impl FnOnce(Option<&std::path::Path>) -> Result<T, EngineError>,
    ) -> Result<&Arc<T>, EngineError> {
        self.opened
            .get_or_init(|| {
                open(self.weights.as_deref())
                    .map(Arc::new)
                    .map_err(|error| error.to_string())
            })
            .as_ref()
            .map_err(|reason| EngineError::Refused(reason.clone()))
    }
}

impl Models {
    /// GANimation's, and of the others those that come with the program.
    pub fn new(ganimation: Arc<Model>) -> Self {
        Self {
            ganimation,
            fomm: Lazy::new(None),
            tps: Lazy::new(None),
            mocogan: Lazy::new(None),
        }
    }

    pub fn ganimation(&self) -> &Arc<Model> {
        &self.ganimation
    }

    /// A motion method.
    ///
    /// # Errors
    /// Those of [`Mover::open`].
    pub fn mover(&self, method: MotionMethod) -> Result<&Arc<Mover>, EngineError> {
        let lazy = match method {
            MotionMethod::Fomm => &self.fomm,
            MotionMethod::Tps => &self.tps,
        };
        lazy.get(|weights| Mover::open(method, weights))
    }

    /// MoCoGAN.
    ///
    /// # Errors
    /// Those of [`Sampler::open`].
    pub fn sampler(&self) -> Result<&Arc<Sampler>, EngineError> {
        self.mocogan.get(Sampler::open)
    }

    /// The weights of a motion method, if it was asked for already.
    pub fn mover_name(&self, method: MotionMethod) -> Option<&str> {
        let lazy = match method {
            MotionMethod::Fomm => &self.fomm,
            MotionMethod::Tps => &self.tps,
        };
        let opened = lazy.opened.get()?.as_ref().ok()?;
        Some(opened.name())
    }
}

impl std::fmt::Debug for Models {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Models")
            .field("ganimation", &self.ganimation)
            .finish_non_exhaustive()
    }
}
