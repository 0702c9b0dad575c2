//! Panes: any motion on any method, and what to show of it.

use serde::{Deserialize, Serialize};

use crate::document::motion::MotionId;
use crate::document::show::Show;

/// How a clip's face drives the portrait's.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// The portrait takes over the clip's face as it is, its place and shape too.
    Standard,
    /// The portrait moves as the clip's face moved since the reference frame.
    #[default]
    Relative,
    /// The portrait's shape in the clip's pose, by TPS' own network for it.
    Avd,
}

/// How the pictures of a pane come to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// The portrait as it is.
    Source,
    /// The motion itself: the clip's frames, the sample's, or what GANimation draws of a track.
    Motion,
    Ganimation,
    Fomm(Mode),
    Tps(Mode),
}

impl Way {
    /// All ways, as the menu lists them.
    pub const ALL: [Way; 8] = [
        Way::Source,
        Way::Motion,
        Way::Ganimation,
        Way::Fomm(Mode::Relative),
        Way::Fomm(Mode::Standard),
        Way::Tps(Mode::Relative),
        Way::Tps(Mode::Standard),
        Way::Tps(Mode::Avd),
    ];

    /// What there is to see of it, the result first. `occlusions` is how many resolutions the method's masks have.
    pub fn shows(self) -> Vec<Show> {
        let occlusions = |count: u8| (0..count).map(Show::Occlusion);
        match self {
            Way::Source | Way::Motion => vec![Show::Result],
            Way::Ganimation => vec![
                Show::Result,
                Show::Attention,
                Show::Colour,
                Show::Difference,
            ],
            Way::Fomm(_) => [Show::Result, Show::Flow]
                .into_iter()
                .chain(occlusions(1))
                .chain([Show::KeyPoints, Show::Difference])
                .collect(),
            Way::Tps(_) => [Show::Result, Show::Flow]
                .into_iter()
                .chain(occlusions(4))
                .chain([Show::KeyPoints, Show::Contributions, Show::Difference])
                .collect(),
        }
    }
}

impl std::fmt::Display for Way {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Way::Source => "Source",
            Way::Motion => "The motion itself",
            Way::Ganimation => "GANimation",
            Way::Fomm(Mode::Standard) => "FOMM standard",
            Way::Fomm(_) => "FOMM relative",
            Way::Tps(Mode::Standard) => "TPS standard",
            Way::Tps(Mode::Relative) => "TPS relative",
            Way::Tps(Mode::Avd) => "TPS avd",
        })
    }
}

/// One pane.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct PaneSpec {
    /// The motion that drives it; that which is chosen in the list where nothing is said.
    pub motion: Option<MotionId>,
    pub way: Way,
    pub show: Show,
}

impl PaneSpec {
    /// How many panes there can be.
    pub const MOST: usize = 6;

    /// The result of a way by the chosen motion.
    pub const fn of(way: Way) -> Self {
        Self::showing(way, Show::Result)
    }

    pub const fn showing(way: Way, show: Show) -> Self {
        Self {
            motion: None,
            way,
            show,
        }
    }

    /// Takes another way; what that way can't show becomes its result.
    pub fn go(&mut self, way: Way) {
        self.way = way;
        if !way.shows().contains(&self.show) {
            self.show = Show::Result;
        }
    }
}
