//! The networks, each opened when first asked for.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use crate::error::{EngineError, MethodError};
use crate::methods::ganimation::model::Model;
use crate::methods::mocogan::sampler::Sampler;
use crate::methods::mover::{MotionMethod, Mover};
use crate::weights::Bundled;

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
    opened: Arc<OnceLock<Result<Arc<T>, Arc<EngineError>>>>,
}

impl<T> Clone for Lazy<T> {
    fn clone(&self) -> Self {
        Self {
            weights: self.weights.clone(),
            opened: Arc::clone(&self.opened),
        }
    }
}

impl<T> Lazy<T> {
    fn new(weights: Option<PathBuf>) -> Self {
        Self {
            weights,
            opened: Arc::default(),
        }
    }

    fn get(
        &self,
        open: impl FnOnce(Option<&Path>) -> Result<T, EngineError>,
    ) -> Result<&Arc<T>, EngineError> {
        self.opened
            .get_or_init(|| {
                open(self.weights.as_deref())
                    .map(Arc::new)
                    .map_err(Arc::new)
            })
            .as_ref()
            .map_err(|error| EngineError::Shared(Arc::clone(error)))
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

    /// GANimation's, and of the others those of these names by their architectures; where none is named, those that
    /// come with the program.
    pub fn chosen(ganimation: Arc<Model>, names: &BTreeMap<String, String>) -> Self {
        let named = |which: Bundled| names.get(which.architecture()).map(PathBuf::from);
        Self {
            ganimation,
            fomm: Lazy::new(named(Bundled::Fomm)),
            tps: Lazy::new(named(Bundled::Tps)),
            mocogan: Lazy::new(named(Bundled::Mocogan)),
        }
    }

    /// The same with other weights for a method: a file, or the name of installed ones. They are opened at once; the others stay
    /// as they are.
    ///
    /// # Errors
    /// [`EngineError::Method`] for neither a file nor a name, and for what isn't chosen; [`EngineError::Weights`] for a file
    /// that can't be used.
    pub fn with(&self, which: Bundled, weights: &Path) -> Result<Self, EngineError> {
        let mut models = Self {
            ganimation: Arc::clone(&self.ganimation),
            fomm: self.fomm.clone(),
            tps: self.tps.clone(),
            mocogan: self.mocogan.clone(),
        };
        let named = Some(weights.to_owned());
        match which {
            Bundled::Ganimation => models.ganimation = Arc::new(Model::open(Some(weights))?),
            Bundled::Fomm => {
                models.fomm = Lazy::new(named);
                models.mover(MotionMethod::Fomm)?;
            }
            Bundled::Tps => {
                models.tps = Lazy::new(named);
                models.mover(MotionMethod::Tps)?;
            }
            Bundled::Mocogan => {
                models.mocogan = Lazy::new(named);
                models.sampler()?;
            }
            Bundled::FaceLandmarker => {
                return Err(MethodError::FixedWeights.into());
            }
        }
        Ok(models)
    }

    /// What the weights of a method are called, opened or not.
    pub fn name(&self, which: Bundled) -> String {
        let named = match which {
            Bundled::Ganimation => return self.ganimation.name().to_owned(),
            Bundled::Fomm => &self.fomm.weights,
            Bundled::Tps => &self.tps.weights,
            Bundled::Mocogan => &self.mocogan.weights,
            Bundled::FaceLandmarker => &None,
        };
        let stem = named.as_ref().and_then(|path| path.file_stem());
        stem.map_or_else(
            || which.name().to_owned(),
            |stem| stem.to_string_lossy().into_owned(),
        )
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
