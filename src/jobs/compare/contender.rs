//! Who takes part in a comparison: a method, how it is driven, and by which weights.

use std::path::PathBuf;
use std::sync::Arc;

use crate::document::Document;
use crate::document::Mode;
use crate::error::{CompareError, EngineError};
use crate::methods::ganimation::model::Model;
use crate::methods::mover::{MotionMethod, Mover};
use crate::weights::CropRule;

/// The ways to change a portrait.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Method {
    /// Action Units, redrawn.
    Ganimation,
    /// The motion itself.
    Moving(MotionMethod),
}

impl Method {
    const ALL: [(&'static str, Method); 3] = [
        ("ganimation", Method::Ganimation),
        ("fomm", Method::Moving(MotionMethod::Fomm)),
        ("tps", Method::Moving(MotionMethod::Tps)),
    ];

    /// The name on the command line.
    pub fn key(self) -> &'static str {
        match self {
            Method::Ganimation => "ganimation",
            Method::Moving(MotionMethod::Fomm) => "fomm",
            Method::Moving(MotionMethod::Tps) => "tps",
        }
    }

    /// What a person calls it.
    pub fn title(self) -> &'static str {
        match self {
            Method::Ganimation => "GANimation",
            Method::Moving(method) => method.bundled().title(),
        }
    }
}

/// A method with its mode and weights, as somebody asks for it: `tps`, `tps:avd`, `fomm:standard@vox-cpk`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contender {
    pub method: Method,
    pub mode: Mode,
    /// A file, or the name of installed weights; without, those that come with the program.
    pub weights: Option<PathBuf>,
}

const MODES: [(&str, Mode); 3] = [
    ("standard", Mode::Standard),
    ("relative", Mode::Relative),
    ("avd", Mode::Avd),
];

/// More would be too small to see, and take hours.
const MOST: usize = 12;

impl Contender {
    /// Reads `METHOD[:MODE][@WEIGHTS]`.
    ///
    /// # Errors
    /// [`CompareError`] for what is no method, or a mode that the method hasn't.
    pub fn parse(text: &str) -> Result<Self, EngineError> {
        let (way, weights) = match text.trim().split_once('@') {
            Some((way, weights)) => (way, Some(weights.trim())),
            None => (text.trim(), None),
        };
        let (method, mode) = way.split_once(':').unwrap_or((way, "relative"));
        let known = |name: &str| name.trim().to_lowercase();
        let (wanted, mode) = (known(method), known(mode));
        let found = Method::ALL.into_iter().find(|(key, _)| *key == wanted);
        let Some((_, method)) = found else {
            return Err(CompareError::UnknownMethod {
                text: text.to_owned(),
            }
            .into());
        };
        let found = MODES.into_iter().find(|(key, _)| *key == mode);
        let Some((_, mode)) = found else {
            return Err(CompareError::UnknownMode {
                mode,
                method: method.key(),
            }
            .into());
        };
        if mode == Mode::Avd && method != Method::Moving(MotionMethod::Tps) {
            return Err(CompareError::AvdOfAnother {
                method: method.key(),
            }
            .into());
        }
        if weights == Some("") {
            return Err(CompareError::NoWeightsNamed {
                text: text.to_owned(),
            }
            .into());
        }
        Ok(Self {
            method,
            mode,
            weights: weights.map(PathBuf::from),
        })
    }

    /// Reads several, with commas between.
    ///
    /// # Errors
    /// Those of [`Contender::parse`]; [`CompareError`] for one that is there twice, or too many.
    pub fn list(text: &str) -> Result<Vec<Self>, EngineError> {
        let mut all: Vec<Self> = Vec::new();
        for part in text.split(',') {
            let contender = Self::parse(part)?;
            if all.contains(&contender) {
                return Err(CompareError::Twice {
                    method: contender.to_string(),
                }
                .into());
            }
            all.push(contender);
        }
        if all.len() > MOST {
            return Err(CompareError::TooMany {
                count: all.len(),
                most: MOST,
            }
            .into());
        }
        Ok(all)
    }

    /// The mode's name.
    pub fn mode_key(&self) -> &'static str {
        MODES
            .into_iter()
            .find(|(_, mode)| *mode == self.mode)
            .map_or("", |(key, _)| key)
    }
}

impl std::fmt::Display for Contender {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.method.key(), self.mode_key())?;
        match &self.weights {
            Some(weights) => write!(f, "@{}", weights.display()),
            None => Ok(()),
        }
    }
}

/// What L1, PSNR and SSIM are measured against.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Against {
    /// The portrait: how much changed.
    #[default]
    Source,
    /// The driving clip's frame: for a clip of the portrait's own person.
    Driving,
    /// Another method's result, by its number among the contenders: how far the two agree.
    Contender(usize),
}

impl Against {
    /// Reads `source`, `driving`, or one of the contenders: as it was asked for, or by its method where only one is of it.
    ///
    /// # Errors
    /// [`CompareError`] for anything else.
    pub fn parse(text: &str, contenders: &[Contender]) -> Result<Self, EngineError> {
        let wanted = text.trim();
        match wanted {
            "source" => return Ok(Against::Source),
            "driving" => return Ok(Against::Driving),
            _ => {}
        }
        let parsed = Contender::parse(wanted).ok();
        let exact = contenders
            .iter()
            .position(|contender| Some(contender) == parsed.as_ref());
        let mut of_method = contenders
            .iter()
            .enumerate()
            .filter(|(_, contender)| contender.method.key() == wanted);
        let only = of_method.next().filter(|_| of_method.next().is_none());
        exact
            .or(only.map(|(index, _)| index))
            .map(Against::Contender)
            .ok_or_else(|| {
                EngineError::from(CompareError::UnknownReference {
                    text: text.to_owned(),
                    methods: contenders.iter().map(Contender::to_string).collect(),
                })
            })
    }
}

/// An opened network of a contender; those of one method and weights share it.
#[derive(Debug, Clone)]
pub enum Network {
    Units(Arc<Model>),
    Moving(Arc<Mover>),
}

impl Network {
    /// Opens the network of every contender, each file once.
    ///
    /// # Errors
    /// Those of [`Model::open`] and [`Mover::open`]; [`EngineError::Method`] where weights lack a mode's network.
    pub fn open_all(contenders: &[Contender]) -> Result<Vec<Self>, EngineError> {
        let mut networks: Vec<Self> = Vec::with_capacity(contenders.len());
        for (i, contender) in contenders.iter().enumerate() {
            let same = |other: &Contender| {
                (other.method, &other.weights) == (contender.method, &contender.weights)
            };
            let known = contenders[..i].iter().position(same);
            let network = match (known, contender.method) {
                (Some(known), _) => networks[known].clone(),
                (None, Method::Ganimation) => {
                    Network::Units(Arc::new(Model::open(contender.weights.as_deref())?))
                }
                (None, Method::Moving(method)) => {
                    let mover = Mover::open(method, contender.weights.as_deref())?;
                    Network::Moving(Arc::new(mover))
                }
            };
            if let Network::Moving(mover) = &network {
                mover.check_mode(contender.mode)?;
            }
            networks.push(network);
        }
        Ok(networks)
    }

    /// Where the face must lie in the square that the network sees.
    pub fn crop(&self) -> &CropRule {
        match self {
            Network::Units(model) => model.crop(),
            Network::Moving(mover) => mover.crop(),
        }
    }

    /// The weights' name.
    pub fn name(&self) -> &str {
        match self {
            Network::Units(model) => model.name(),
            Network::Moving(mover) => mover.name(),
        }
    }
}

/// A contender that is ready to begin.
#[derive(Debug, Clone)]
pub struct Standing {
    pub contender: Contender,
    pub network: Network,
    /// The portrait's document with the crop that the network wants.
    pub document: Document,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods_are_read_and_written_alike() {
        let all = Contender::list("ganimation, TPS:avd,fomm:standard@vox-cpk").unwrap();
        let names: Vec<String> = all.iter().map(Contender::to_string).collect();
        let wanted = ["ganimation:relative", "tps:avd", "fomm:standard@vox-cpk"];
        assert_eq!(names, wanted);
        for (name, contender) in names.iter().zip(&all) {
            assert_eq!(&Contender::parse(name).unwrap(), contender);
        }
    }

    #[test]
    fn what_is_no_method_is_told() {
        for (text, part) in [
            ("pixel2style", "is no method"),
            ("", "is no method"),
            ("tps:fast", "is no mode of tps"),
            ("fomm:avd", "use tps:avd"),
            ("ganimation:avd", "ganimation:relative"),
            ("tps@", "behind the @"),
            ("tps,tps:relative", "twice"),
            (
                "fomm@1,fomm@2,fomm@3,fomm@4,fomm@5,fomm@6,fomm@7,fomm@8,fomm@9,fomm@a,fomm@b,fomm@c,fomm@d",
                "at most 12",
            ),
        ] {
            let said = Contender::list(text).unwrap_err().to_string();
            assert!(said.contains(part), "{said}");
        }
    }

    #[test]
    fn the_reference_is_found_by_its_name() {
        let all = Contender::list("ganimation,tps,tps:avd").unwrap();
        let of = |text| Against::parse(text, &all);
        assert_eq!(of("source").unwrap(), Against::Source);
        assert_eq!(of("driving").unwrap(), Against::Driving);
        assert_eq!(of("ganimation").unwrap(), Against::Contender(0));
        assert_eq!(of("tps").unwrap(), Against::Contender(1));
        assert_eq!(of("tps:avd").unwrap(), Against::Contender(2));
        assert!(of("fomm").unwrap_err().to_string().contains("tps:avd"));
        let avd = Contender::list("tps:avd,fomm").unwrap();
        assert_eq!(Against::parse("tps", &avd).unwrap(), Against::Contender(0));
    }
}
