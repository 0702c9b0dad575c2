//! Whether the frame of glasses stays rigid while the face behind it moves.

use serde::{Deserialize, Serialize};

/// What a method that bends the face does with the frame of glasses.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Glasses {
    /// Keeps it rigid where the portrait seems to show glasses.
    #[default]
    Auto,
    /// Keeps it rigid.
    Rigid,
    /// Lets it bend with the face, for portraits where glasses are detected by mistake.
    Bend,
}

impl Glasses {
    /// All choices, in the order of menus.
    pub const ALL: [Glasses; 3] = [Glasses::Auto, Glasses::Rigid, Glasses::Bend];

    /// The name in menus.
    pub fn title(self) -> &'static str {
        match self {
            Glasses::Auto => "Auto",
            Glasses::Rigid => "Rigid",
            Glasses::Bend => "Bend",
        }
    }

    /// The name in project files and on the command line.
    pub fn key(self) -> &'static str {
        match self {
            Glasses::Auto => "auto",
            Glasses::Rigid => "rigid",
            Glasses::Bend => "bend",
        }
    }

    /// Whether the choice depends on the portrait.
    pub fn is_auto(&self) -> bool {
        *self == Glasses::Auto
    }
}
