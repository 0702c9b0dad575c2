//! The loaded networks: each is opened when first needed and shared by all holders.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use crate::document::{MethodChoice, MethodId};
use crate::error::{EngineError, MethodError};
use crate::methods::ganimation::model::Model;
use crate::methods::ganimation::session::Ganimation;
use crate::methods::mocogan::sampler::Sampler;
use crate::methods::registry::Registry;
use crate::methods::{Method, MethodInfo};
use crate::weights::{Bundled, CropRule};

/// A method and the weights to open it with.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct MethodKey {
    /// The method.
    pub id: MethodId,
    /// A path, or the name of installed weights; `None` for the weights chosen for the method.
    pub weights: Option<PathBuf>,
}

impl MethodKey {
    /// A method with the weights chosen for it.
    pub fn chosen(id: MethodId) -> Self {
        Self { id, weights: None }
    }

    /// The method of a choice with these weights; `None` if the choice is the portrait or the motion itself.
    pub fn of(method: MethodChoice, weights: Option<&Path>) -> Option<Self> {
        let weights = weights.map(Path::to_owned);
        method.id().map(|id| Self { id, weights })
    }
}

type Opened = HashMap<MethodKey, Arc<dyn Method>>;

/// The networks of a project. GANimation is open from the start: portraits are cropped by its rule, and it renders the
/// driving pictures of other methods if no face was found.
pub struct Models {
    registry: Registry,
    ganimation: Arc<Model>,
    /// Weights that replace the bundled ones, by the method's name.
    chosen: BTreeMap<String, PathBuf>,
    opened: Mutex<Opened>,
    sampler: Mutex<Option<Arc<Sampler>>>,
}

impl Models {
    /// GANimation as given, the other methods with their bundled weights.
    pub fn new(ganimation: Arc<Model>) -> Self {
        Self::chosen(ganimation, &BTreeMap::new())
    }

    /// GANimation as given, the other methods with the weights that `names` lists by method, or the bundled ones if it
    /// lists none.
    pub fn chosen(ganimation: Arc<Model>, names: &BTreeMap<String, String>) -> Self {
        let chosen = names
            .iter()
            .filter(|(method, _)| *method != Bundled::Ganimation.architecture())
            .map(|(method, weights)| (method.clone(), PathBuf::from(weights)));
        Self {
            registry: Registry::default(),
            chosen: chosen.collect(),
            opened: Mutex::default(),
            sampler: Mutex::default(),
            ganimation,
        }
        .with_ganimation()
    }

    /// Replaces the list of methods to choose from.
    pub fn with_registry(mut self, registry: Registry) -> Self {
        self.registry = registry;
        self
    }

    fn with_ganimation(self) -> Self {
        let key = MethodKey::chosen(crate::methods::ganimation::session::INFO.id);
        let method = Arc::new(Ganimation::new(Arc::clone(&self.ganimation)));
        self.lock().insert(key, method);
        self
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Opened> {
        // A panic can't leave a partial entry in the map.
        self.opened.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A copy with other weights for one method: a path, or the name of installed ones. They are opened immediately; the
    /// other methods are unchanged.
    ///
    /// # Errors
    /// [`EngineError`] if `weights` is neither a file nor a name, or `which` can't be replaced; [`EngineError::Weights`]
    /// for a file that can't be used.
    pub fn with(&self, which: Bundled, weights: &Path) -> Result<Self, EngineError> {
        if which == Bundled::FaceLandmarker {
            return Err(MethodError::FixedWeights.into());
        }
        let mut models = Self {
            registry: self.registry.clone(),
            ganimation: Arc::clone(&self.ganimation),
            chosen: self.chosen.clone(),
            opened: Mutex::new(self.lock().clone()),
            sampler: Mutex::new(self.lock_sampler().clone()),
        };
        if which == Bundled::Ganimation {
            models.ganimation = Arc::new(Model::open(Some(weights))?);
            return Ok(models.with_ganimation());
        }
        let name = which.architecture();
        models.chosen.insert(name.to_owned(), weights.to_owned());
        if which == Bundled::Mocogan {
            *models.lock_sampler() = None;
            models.sampler()?;
        } else if let Some(id) = MethodId::checked(name) {
            models.lock().remove(&MethodKey::chosen(id));
            models.method(&MethodKey::chosen(id))?;
        }
        Ok(models)
    }

    /// The methods that can be opened.
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// The name of a method's weights, whether opened or not.
    pub fn name(&self, which: Bundled) -> String {
        if which == Bundled::Ganimation {
            return self.ganimation.name().to_owned();
        }
        let chosen = self.chosen.get(which.architecture());
        chosen.and_then(|path| path.file_stem()).map_or_else(
            || which.name().to_owned(),
            |stem| stem.to_string_lossy().into_owned(),
        )
    }

    /// The rule by which a portrait's square is found.
    pub fn crop_rule(&self) -> &CropRule {
        self.ganimation.crop()
    }

    /// The open GANimation model.
    pub fn ganimation(&self) -> &Arc<Model> {
        &self.ganimation
    }

    /// The static description of a method.
    ///
    /// # Errors
    /// [`EngineError`] if the registry doesn't have it.
    pub fn info(&self, id: MethodId) -> Result<&'static MethodInfo, EngineError> {
        let info = self.registry.get(id);
        Ok(info.ok_or(MethodError::Unknown(id))?)
    }

    /// The method, opened on first use.
    ///
    /// # Errors
    /// Those of [`MethodInfo::open`]; [`EngineError`] if the registry doesn't have it.
    pub fn method(&self, key: &MethodKey) -> Result<Arc<dyn Method>, EngineError> {
        if let Some(method) = self.lock().get(key) {
            return Ok(Arc::clone(method));
        }
        let info = self.info(key.id)?;
        let weights = match &key.weights {
            Some(weights) => Some(weights.as_path()),
            None => self.chosen.get(key.id.as_str()).map(PathBuf::as_path),
        };
        // Opened without holding the lock: it may take seconds, and the window asks for names meanwhile.
        let method = (info.open)(weights)?;
        let mut opened = self.lock();
        Ok(Arc::clone(opened.entry(key.clone()).or_insert(method)))
    }

    /// The name of a choice's weights, if they are open.
    pub fn weights_of(&self, choice: MethodChoice) -> Option<String> {
        let key = MethodKey::chosen(choice.id()?);
        let opened = self.lock();
        Some(opened.get(&key)?.weights().to_owned())
    }

    fn lock_sampler(&self) -> std::sync::MutexGuard<'_, Option<Arc<Sampler>>> {
        self.sampler.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// MoCoGAN, opened on first use.
    ///
    /// # Errors
    /// Those of [`Sampler::open`].
    pub fn sampler(&self) -> Result<Arc<Sampler>, EngineError> {
        let mut sampler = self.lock_sampler();
        if let Some(sampler) = &*sampler {
            return Ok(Arc::clone(sampler));
        }
        let weights = self.chosen.get(Bundled::Mocogan.architecture());
        let opened = Arc::new(Sampler::open(weights.map(PathBuf::as_path))?);
        *sampler = Some(Arc::clone(&opened));
        Ok(opened)
    }
}

impl std::fmt::Debug for Models {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Models")
            .field("ganimation", &self.ganimation)
            .finish_non_exhaustive()
    }
}
