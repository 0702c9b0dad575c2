//! What a pane shows: the result, or what a network says of how it came about.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

/// A picture of a network's work on the portrait.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Show {
    #[default]
    Result,
    /// What GANimation edits.
    Attention,
    /// What GANimation would paint.
    Colour,
    /// Where FOMM or TPS moves things.
    Flow,
    /// What FOMM or TPS paints anew, at one of its resolutions: 0 is the coarsest. A number beyond the finest means the
    /// finest.
    Occlusion(u8),
    /// The points by which FOMM or TPS moves the portrait.
    KeyPoints,
    /// How much each of FOMM's or TPS' motions counts where.
    Contributions,
    /// How far the result departs from the portrait.
    Difference,
}

impl Show {
    /// All of them, of the occlusions only the coarsest.
    pub const ALL: [Show; 8] = [
        Show::Result,
        Show::Attention,
        Show::Colour,
        Show::Flow,
        Show::Occlusion(0),
        Show::KeyPoints,
        Show::Contributions,
        Show::Difference,
    ];

    /// The name in the window; of occlusions the number follows, but for the coarsest.
    pub fn title(self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Show::Result => "Result",
            Show::Attention => "Attention",
            Show::Colour => "Colour",
            Show::Flow => "Flow",
            Show::Occlusion(0) => "Occlusion",
            Show::Occlusion(level) => return Cow::Owned(format!("Occlusion {level}")),
            Show::KeyPoints => "Key points",
            Show::Contributions => "Contributions",
            Show::Difference => "Difference",
        })
    }

    /// The name on the command line: `occlusion` is the coarsest, `occlusion-1` the next finer, and so on.
    pub fn key(self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Show::Result => "result",
            Show::Attention => "attention",
            Show::Colour => "colour",
            Show::Flow => "flow",
            Show::Occlusion(0) => "occlusion",
            Show::Occlusion(level) => return Cow::Owned(format!("occlusion-{level}")),
            Show::KeyPoints => "keypoints",
            Show::Contributions => "contributions",
            Show::Difference => "difference",
        })
    }

    /// What has this name on the command line; "color" is understood too.
    pub fn from_key(key: &str) -> Option<Self> {
        if let Some(level) = key.strip_prefix("occlusion-") {
            return level.parse().ok().map(Show::Occlusion);
        }
        let key = if key == "color" { "colour" } else { key };
        Self::ALL.into_iter().find(|show| show.key() == key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_understood_and_no_other() {
        let finer = (0..=u8::MAX).map(Show::Occlusion);
        for show in Show::ALL.into_iter().chain(finer) {
            assert_eq!(Show::from_key(&show.key()), Some(show));
            let json = serde_json::to_string(&show).unwrap();
            assert_eq!(serde_json::from_str::<Show>(&json).unwrap(), show);
        }
        assert_eq!(Show::from_key("color"), Some(Show::Colour));
        assert_eq!(Show::Occlusion(2).key(), "occlusion-2");
        for key in ["", "Flow", "occlusion-", "occlusion-256", "occlusion-x"] {
            assert_eq!(Show::from_key(key), None, "{key}");
        }
    }
}
