//! What a pane shows: the result, or an intermediate output of the method.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

/// A view of a method's work on the portrait.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PaneView {
    /// The edited portrait.
    #[default]
    Result,
    /// GANimation's attention mask: where it edits.
    Attention,
    /// GANimation's colour mask: what it would paint.
    Colour,
    /// The motion field of the rig, FOMM or TPS.
    Flow,
    /// The occlusion map of FOMM or TPS, which marks what is inpainted, at one of its resolutions: 0 is the coarsest. A
    /// number beyond the finest means the finest.
    Occlusion(u8),
    /// The key points by which the rig, FOMM or TPS moves the portrait.
    KeyPoints,
    /// The contribution maps of FOMM or TPS: the weight of each motion at each pixel.
    Contributions,
    /// The wireframe of the head mesh by which the rig moves the portrait.
    Mesh,
    /// The depth of that mesh.
    Depth,
    /// How much of each pixel the rig draws over the moved portrait: mouth, eyes, and folds with their light.
    Layers,
    /// The difference between the result and the portrait.
    Difference,
}

impl PaneView {
    /// All views; of the occlusion maps only the coarsest.
    pub const ALL: [PaneView; 11] = [
        PaneView::Result,
        PaneView::Attention,
        PaneView::Colour,
        PaneView::Flow,
        PaneView::Occlusion(0),
        PaneView::KeyPoints,
        PaneView::Contributions,
        PaneView::Mesh,
        PaneView::Depth,
        PaneView::Layers,
        PaneView::Difference,
    ];

    /// The name in the window; occlusion maps other than the coarsest have their number appended.
    pub fn title(self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            PaneView::Result => "Result",
            PaneView::Attention => "Attention",
            PaneView::Colour => "Colour",
            PaneView::Flow => "Flow",
            PaneView::Occlusion(0) => "Occlusion",
            PaneView::Occlusion(level) => return Cow::Owned(format!("Occlusion {level}")),
            PaneView::KeyPoints => "Key points",
            PaneView::Contributions => "Contributions",
            PaneView::Mesh => "Mesh",
            PaneView::Depth => "Depth",
            PaneView::Layers => "Drawn layers",
            PaneView::Difference => "Difference",
        })
    }

    /// The name on the command line: `occlusion` is the coarsest, `occlusion-1` the next finer, and so on.
    pub fn key(self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            PaneView::Result => "result",
            PaneView::Attention => "attention",
            PaneView::Colour => "colour",
            PaneView::Flow => "flow",
            PaneView::Occlusion(0) => "occlusion",
            PaneView::Occlusion(level) => return Cow::Owned(format!("occlusion-{level}")),
            PaneView::KeyPoints => "keypoints",
            PaneView::Contributions => "contributions",
            PaneView::Mesh => "mesh",
            PaneView::Depth => "depth",
            PaneView::Layers => "layers",
            PaneView::Difference => "difference",
        })
    }

    /// Returns the view with this name on the command line; "color" is accepted too.
    pub fn from_key(key: &str) -> Option<Self> {
        if let Some(level) = key.strip_prefix("occlusion-") {
            return level.parse().ok().map(PaneView::Occlusion);
        }
        let key = if key == "color" { "colour" } else { key };
        Self::ALL.into_iter().find(|show| show.key() == key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pane_views_parse_from_their_keys_and_other_text_is_refused() {
        let finer = (0..=u8::MAX).map(PaneView::Occlusion);
        for show in PaneView::ALL.into_iter().chain(finer) {
            assert_eq!(PaneView::from_key(&show.key()), Some(show));
            let json = serde_json::to_string(&show).unwrap();
            assert_eq!(serde_json::from_str::<PaneView>(&json).unwrap(), show);
        }
        assert_eq!(PaneView::from_key("color"), Some(PaneView::Colour));
        assert_eq!(PaneView::Occlusion(2).key(), "occlusion-2");
        for key in ["", "Flow", "occlusion-", "occlusion-256", "occlusion-x"] {
            assert_eq!(PaneView::from_key(key), None, "{key}");
        }
    }
}
