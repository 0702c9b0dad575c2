//! What is compared: methods with modes and weights, and what they are measured against.

use std::path::PathBuf;

use crate::document::{MethodChoice, MethodId, Mode};
use crate::error::CompareError;
use crate::methods::models::MethodKey;
use crate::methods::registry::Registry;
use crate::methods::{DrivenBy, MethodInfo};
use crate::text;

/// A method with its mode and weights, as written by the user: `tps`, `tps:avd`, `fomm:standard@vox-cpk`; with `+rig`, as in
/// `fomm+rig`, the rig draws the expression first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MethodSpec {
    /// The method.
    pub id: MethodId,
    /// The mode; ignored by a method that is driven by expressions.
    pub mode: Mode,
    /// A file, or the name of installed weights; `None` for the method's current weights.
    pub weights: Option<PathBuf>,
    /// Whether the rig draws the expression first, for a method that is driven by pictures.
    pub expression_by_rig: bool,
    driven_by: DrivenBy,
}

/// Suffix of a method's name if the rig draws the expression.
const BY_RIG: &str = "+rig";

/// Maximum number of methods; more would be too small to see, and take hours.
const MAX_METHODS: usize = 12;

impl MethodSpec {
    /// Parses `METHOD[+rig][:MODE][@WEIGHTS]`.
    ///
    /// # Errors
    /// [`CompareError`] for a method that isn't in the registry, or a mode that the method doesn't have.
    pub fn parse(text: &str, registry: &Registry) -> Result<Self, CompareError> {
        let (method, weights) = match text.trim().split_once('@') {
            Some((method, weights)) => (method, Some(weights.trim())),
            None => (text.trim(), None),
        };
        let (method, mode) = match method.split_once(':') {
            Some((method, mode)) => (method, Some(mode)),
            None => (method, None),
        };
        let name = method.trim().to_lowercase();
        let (name, expression_by_rig) = match name.strip_suffix(BY_RIG) {
            Some(name) => (name, true),
            None => (name.as_str(), false),
        };
        let info = MethodId::checked(name).and_then(|id| registry.get(id));
        let fits = |info: &&MethodInfo| !expression_by_rig || info.driven_by == DrivenBy::Picture;
        let Some(info) = info.filter(fits) else {
            let (text, methods) = (text.to_owned(), names(registry));
            return Err(CompareError::UnknownMethod { text, methods });
        };
        let mode = match mode {
            None => Mode::Relative,
            Some(mode) => Mode::from_key(mode).ok_or_else(|| CompareError::UnknownMode {
                mode: mode.trim().to_owned(),
                method: info.id,
            })?,
        };
        if !modes(info).contains(&mode) {
            let others = registry.methods().iter();
            let owner = others.copied().find(|info| modes(info).contains(&mode));
            let owner = owner.unwrap_or(info);
            return Err(CompareError::ModeOfAnother {
                mode,
                owner: owner.title,
                owner_id: owner.id,
                method: info.id,
            });
        }
        if weights == Some("") {
            let text = text.to_owned();
            return Err(CompareError::NoWeightsNamed { text });
        }
        Ok(Self {
            id: info.id,
            mode,
            weights: weights.map(PathBuf::from),
            expression_by_rig,
            driven_by: info.driven_by,
        })
    }

    /// Parses several specs, separated by commas.
    ///
    /// # Errors
    /// Those of [`MethodSpec::parse`]; [`CompareError`] for duplicates, or too many.
    pub fn list(text: &str, registry: &Registry) -> Result<Vec<Self>, CompareError> {
        let mut all: Vec<Self> = Vec::new();
        for part in text.split(',') {
            let spec = Self::parse(part, registry)?;
            if all.contains(&spec) {
                let method = spec.to_string();
                return Err(CompareError::Twice { method });
            }
            all.push(spec);
        }
        if all.len() > MAX_METHODS {
            let count = all.len();
            return Err(CompareError::TooMany {
                count,
                most: MAX_METHODS,
            });
        }
        Ok(all)
    }

    /// The method's name, with the suffix if the rig draws the expression.
    pub fn name(&self) -> String {
        let by_rig = if self.expression_by_rig { BY_RIG } else { "" };
        format!("{}{by_rig}", self.id)
    }

    /// The method and its weights, as the registry opens them.
    pub fn key(&self) -> MethodKey {
        MethodKey {
            id: self.id,
            weights: self.weights.clone(),
        }
    }

    /// Whether it is driven by the motion's Action Units instead of its pictures.
    pub fn needs_a_face(&self) -> bool {
        self.driven_by == DrivenBy::Expression
    }

    /// The mode passed to the method; `None` if it is driven by expressions, because then the motion has the mode.
    pub fn own_mode(&self) -> Option<Mode> {
        (self.driven_by == DrivenBy::Picture).then_some(self.mode)
    }

    /// What a pane of this method draws.
    pub fn choice(&self) -> MethodChoice {
        MethodChoice::Method(self.id, self.own_mode())
    }
}

/// The modes in which a method can be compared: expressions can be taken as they are, or relative to the reference frame.
fn modes(info: &MethodInfo) -> &'static [Mode] {
    match info.driven_by {
        DrivenBy::Expression => &[Mode::Relative, Mode::Standard],
        DrivenBy::Picture => info.modes,
    }
}

/// The methods' names, listed for a sentence.
fn names(registry: &Registry) -> String {
    let names: Vec<&str> = registry
        .methods()
        .iter()
        .map(|info| info.id.as_str())
        .collect();
    match names.split_last() {
        Some((last, others)) if !others.is_empty() => format!("{} or {last}", others.join(", ")),
        _ => names.join(""),
    }
}

impl std::fmt::Display for MethodSpec {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.name(), self.mode.key())?;
        match &self.weights {
            Some(weights) => write!(f, "@{}", text::path(weights)),
            None => Ok(()),
        }
    }
}

/// What L1, PSNR and SSIM are measured against.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Against {
    /// The portrait: measures how much changed.
    #[default]
    Source,
    /// The driving clip's frame: for a clip of the portrait's person.
    Driving,
    /// Another method's result, by its index among the specs: measures how far the two agree.
    Method(usize),
}

impl Against {
    /// Parses `source`, `driving`, or one of the specs: in full, or by its method's name if only one spec has it.
    ///
    /// # Errors
    /// [`CompareError`] for anything else.
    pub fn parse(
        text: &str,
        specs: &[MethodSpec],
        registry: &Registry,
    ) -> Result<Self, CompareError> {
        let wanted = text.trim();
        match wanted {
            "source" => return Ok(Against::Source),
            "driving" => return Ok(Against::Driving),
            _ => {}
        }
        let parsed = MethodSpec::parse(wanted, registry).ok();
        let exact = specs.iter().position(|spec| Some(spec) == parsed.as_ref());
        let mut of_method = specs
            .iter()
            .enumerate()
            .filter(|(_, spec)| spec.id.as_str() == wanted);
        let only = of_method.next().filter(|_| of_method.next().is_none());
        exact
            .or(only.map(|(index, _)| index))
            .map(Against::Method)
            .ok_or_else(|| {
                let methods = specs.iter().map(MethodSpec::to_string).collect();
                let text = text.to_owned();
                CompareError::UnknownReference { text, methods }
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(text: &str) -> Result<Vec<MethodSpec>, CompareError> {
        MethodSpec::list(text, &Registry::default())
    }

    #[test]
    fn method_specs_round_trip_through_text() {
        let all = list("ganimation, TPS:avd,fomm:standard@vox-cpk,fomm+rig").unwrap();
        let names: Vec<String> = all.iter().map(MethodSpec::to_string).collect();
        let wanted = [
            "ganimation:relative",
            "tps:avd",
            "fomm:standard@vox-cpk",
            "fomm+rig:relative",
        ];
        assert_eq!(names, wanted);
        for (name, spec) in names.iter().zip(&all) {
            assert_eq!(
                &MethodSpec::parse(name, &Registry::default()).unwrap(),
                spec
            );
        }
    }

    #[test]
    fn unknown_methods_and_modes_are_errors() {
        for (text, part) in [
            ("pixel2style", "is not a method"),
            ("", "is not a method"),
            ("ganimation+rig", "is not a method"),
            ("tps:fast", "is not a mode of tps"),
            ("fomm:avd", "use tps:avd"),
            ("ganimation:avd", "ganimation:relative"),
            ("tps@", "after the @"),
            ("tps,tps:relative", "twice"),
            (
                "fomm@1,fomm@2,fomm@3,fomm@4,fomm@5,fomm@6,fomm@7,fomm@8,fomm@9,fomm@a,fomm@b,fomm@c,fomm@d",
                "at most 12",
            ),
        ] {
            let said = list(text).unwrap_err().to_string();
            assert!(said.contains(part), "{said}");
        }
    }

    #[test]
    fn the_reference_is_found_by_its_name() {
        let all = list("ganimation,tps,tps:avd").unwrap();
        let of = |text| Against::parse(text, &all, &Registry::default());
        assert_eq!(of("source").unwrap(), Against::Source);
        assert_eq!(of("driving").unwrap(), Against::Driving);
        assert_eq!(of("ganimation").unwrap(), Against::Method(0));
        assert_eq!(of("tps").unwrap(), Against::Method(1));
        assert_eq!(of("tps:avd").unwrap(), Against::Method(2));
        assert!(of("fomm").unwrap_err().to_string().contains("tps:avd"));
        let avd = list("tps:avd,fomm").unwrap();
        assert_eq!(
            Against::parse("tps", &avd, &Registry::default()).unwrap(),
            Against::Method(0)
        );
    }
}
