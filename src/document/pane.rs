//! Panes: the method that draws a pane, the motion that drives it, and the view it shows.

use std::fmt;

use serde::de::{self, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::document::motion::MotionId;
use crate::document::pane_view::PaneView;

/// How a driving face moves the portrait's.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// The portrait takes over the driving face as it is, including its position and shape.
    Standard,
    /// The portrait moves as the driving face moved since the reference frame.
    #[default]
    Relative,
    /// The portrait's shape in the driving pose, by TPS' animation-via-disentanglement network.
    Avd,
}

impl Mode {
    /// All modes, in the order of menus.
    pub const ALL: [Mode; 3] = [Mode::Standard, Mode::Relative, Mode::Avd];

    /// The name in files, in menus and on the command line.
    pub fn key(self) -> &'static str {
        match self {
            Mode::Standard => "standard",
            Mode::Relative => "relative",
            Mode::Avd => "avd",
        }
    }

    /// Returns the mode with this name, ignoring case.
    pub fn from_key(key: &str) -> Option<Self> {
        let key = key.trim().to_lowercase();
        Self::ALL.into_iter().find(|mode| mode.key() == key)
    }
}

/// The short name of a method in the registry, such as `fomm`: up to 15 bytes of ASCII, stored inline.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MethodId {
    bytes: [u8; Self::LONGEST],
    length: u8,
}

impl MethodId {
    const LONGEST: usize = 15;

    /// # Panics
    /// If the name is empty, isn't ASCII or is longer than 15 bytes. Meant for constants, where this fails the build.
    pub const fn new(name: &str) -> Self {
        match Self::checked(name) {
            Some(id) => id,
            None => panic!("a method's name is up to 15 bytes of ASCII"),
        }
    }

    /// Returns `None` for a name that isn't ASCII, is empty or is longer than 15 bytes.
    pub const fn checked(name: &str) -> Option<Self> {
        let name = name.as_bytes();
        if name.is_empty() || name.len() > Self::LONGEST || !name.is_ascii() {
            return None;
        }
        let mut bytes = [0; Self::LONGEST];
        let mut i = 0;
        while i < name.len() {
            bytes[i] = name[i];
            i += 1;
        }
        Some(Self {
            bytes,
            length: name.len() as u8,
        })
    }

    /// The name: ASCII, 1 to 15 bytes.
    pub fn as_str(&self) -> &str {
        let name = &self.bytes[..usize::from(self.length)];
        std::str::from_utf8(name).unwrap_or_default()
    }
}

impl fmt::Debug for MethodId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for MethodId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What draws a pane: a method of the registry with its mode, or no method at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MethodChoice {
    /// The portrait as it is.
    Source,
    /// The motion itself: the frames of the clip or the sample, or a drawing of an expression track.
    Motion,
    /// The mode is `None` for a method that has only one.
    Method(MethodId, Option<Mode>),
}

impl MethodChoice {
    /// The method of a new project's result.
    pub const RIG: Self = Self::method("rig");
    /// The method of a new project's attention and colour panes.
    pub const GANIMATION: Self = Self::method("ganimation");

    /// The method that draws expressions: the rig if a face was found, or else GANimation, which needs none.
    pub const fn of_expressions(has_face: bool) -> Self {
        if has_face {
            Self::RIG
        } else {
            Self::GANIMATION
        }
    }

    /// A method without modes.
    pub const fn method(name: &str) -> Self {
        Self::Method(MethodId::new(name), None)
    }

    /// A method in one of its modes.
    pub const fn in_mode(name: &str, mode: Mode) -> Self {
        Self::Method(MethodId::new(name), Some(mode))
    }

    /// The method's name; `None` for the source and the motion.
    pub fn id(self) -> Option<MethodId> {
        match self {
            Self::Source | Self::Motion => None,
            Self::Method(id, _) => Some(id),
        }
    }

    /// Whether a method draws it.
    pub fn is_method(self) -> bool {
        self.id().is_some()
    }
}

/// Serialized in project files as `"source"`, `"ganimation"`, or with a mode `{"fomm": "relative"}`.
impl Serialize for MethodChoice {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Source => serializer.serialize_str("source"),
            Self::Motion => serializer.serialize_str("motion"),
            Self::Method(id, None) => serializer.serialize_str(id.as_str()),
            Self::Method(id, Some(mode)) => serializer.collect_map([(id.as_str(), mode)]),
        }
    }
}

impl<'de> Deserialize<'de> for MethodChoice {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;

        fn id<E: de::Error>(name: &str) -> Result<MethodId, E> {
            MethodId::checked(name).ok_or_else(|| E::custom(format!("{name:?} is not a method")))
        }

        impl<'de> Visitor<'de> for Reader {
            type Value = MethodChoice;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a method's name, or a method's name with a mode")
            }

            fn visit_str<E: de::Error>(self, name: &str) -> Result<MethodChoice, E> {
                Ok(match name {
                    "source" => MethodChoice::Source,
                    "motion" => MethodChoice::Motion,
                    name => MethodChoice::Method(id(name)?, None),
                })
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<MethodChoice, A::Error> {
                let entry = map.next_entry::<String, Mode>()?;
                let (name, mode) =
                    entry.ok_or_else(|| de::Error::custom("a method's name is missing"))?;
                Ok(MethodChoice::Method(id(&name)?, Some(mode)))
            }
        }

        deserializer.deserialize_any(Reader)
    }
}

/// One pane.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct PaneSpec {
    /// The motion that drives it; `None` follows the motion chosen in the list.
    pub motion: Option<MotionId>,
    /// What draws the pane.
    #[serde(rename = "way")]
    pub method: MethodChoice,
    /// What the pane shows of it.
    #[serde(rename = "show")]
    pub view: PaneView,
    /// Whether the rig draws the motion's expression first, for a method that is driven by pictures: such methods
    /// transfer the head's movement but little of the expression.
    #[serde(default, skip_serializing_if = "is_false")]
    pub expression_by_rig: bool,
}

fn is_false(value: &bool) -> bool {
    !value
}

impl PaneSpec {
    /// The maximum number of panes.
    pub const MAX: usize = 6;

    /// The panes of a new project: the portrait, the result, and GANimation's intermediate outputs.
    pub fn usual(has_face: bool) -> Vec<Self> {
        let mut panes = vec![
            Self::of(MethodChoice::Source),
            Self::of(MethodChoice::GANIMATION),
            Self::showing(MethodChoice::GANIMATION, PaneView::Attention),
        ];
        if has_face {
            panes.insert(1, Self::of(MethodChoice::RIG));
        } else {
            panes.push(Self::showing(MethodChoice::GANIMATION, PaneView::Colour));
        }
        panes
    }

    /// A method's result, driven by the chosen motion.
    pub const fn of(method: MethodChoice) -> Self {
        Self::showing(method, PaneView::Result)
    }

    /// A pane that shows a view of a method, with the default settings.
    pub const fn showing(method: MethodChoice, view: PaneView) -> Self {
        Self {
            motion: None,
            method,
            view,
            expression_by_rig: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rig_expression_field_is_saved_only_when_set() {
        let pane = PaneSpec::of(MethodChoice::in_mode("fomm", Mode::Relative));
        let json = r#"{"motion":null,"way":{"fomm":"relative"},"show":"result"}"#;
        assert_eq!(serde_json::to_string(&pane).unwrap(), json);
        assert_eq!(serde_json::from_str::<PaneSpec>(json).unwrap(), pane);
        let pane = PaneSpec {
            expression_by_rig: true,
            ..pane
        };
        let json = serde_json::to_string(&pane).unwrap();
        assert!(json.ends_with(r#""expression_by_rig":true}"#), "{json}");
        assert_eq!(serde_json::from_str::<PaneSpec>(&json).unwrap(), pane);
    }

    #[test]
    fn method_choices_are_saved_in_the_project_file_format() {
        for (choice, json) in [
            (MethodChoice::Source, r#""source""#),
            (MethodChoice::Motion, r#""motion""#),
            (MethodChoice::GANIMATION, r#""ganimation""#),
            (MethodChoice::in_mode("tps", Mode::Avd), r#"{"tps":"avd"}"#),
        ] {
            assert_eq!(serde_json::to_string(&choice).unwrap(), json);
            assert_eq!(serde_json::from_str::<MethodChoice>(json).unwrap(), choice);
        }
        for json in [
            "7",
            r#""a-name-that-is-too-long""#,
            r#"{"tps":"fast"}"#,
            "{}",
        ] {
            assert!(
                serde_json::from_str::<MethodChoice>(json).is_err(),
                "{json}"
            );
        }
    }
}
