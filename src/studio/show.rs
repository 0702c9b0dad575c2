//! What a pane shows of a method's work.

use serde::{Deserialize, Serialize};

/// The result, or one of the research pictures that explain it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Show {
    #[default]
    Result,
    Attention,
    Colour,
    Flow,
    /// At a resolution, 0 the coarsest.
    Occlusion(u8),
    KeyPoints,
    Contributions,
    Difference,
}
