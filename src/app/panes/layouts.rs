//! Panes that are often wanted together.

use crate::document::{Mode, PaneSpec, Show, Way};

/// A set of panes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// What the sliders do, and what GANimation says of it.
    Expression,
    /// Every method by the same motion.
    Methods,
    /// What the motion methods say: flow and occlusion beside each result.
    Explained,
    /// The result, large.
    Result,
}

impl Layout {
    /// All, as they stand side by side.
    pub const ALL: [Layout; 4] = [
        Layout::Result,
        Layout::Expression,
        Layout::Methods,
        Layout::Explained,
    ];

    pub fn title(self) -> &'static str {
        match self {
            Layout::Expression => "Expression",
            Layout::Methods => "Methods",
            Layout::Explained => "Flow",
            Layout::Result => "Result",
        }
    }

    pub fn hint(self) -> &'static str {
        match self {
            Layout::Expression => "Source, result, attention and colour of GANimation",
            Layout::Methods => {
                "The source, the motion itself, and the portrait by GANimation, FOMM and TPS"
            }
            Layout::Explained => "FOMM and TPS, each with its optical flow and its occlusion",
            Layout::Result => "One pane with the result, as large as it can be",
        }
    }

    pub fn panes(self) -> Vec<PaneSpec> {
        let fomm = Way::Fomm(Mode::Relative);
        let tps = Way::Tps(Mode::Relative);
        match self {
            Layout::Expression => vec![
                PaneSpec::of(Way::Source),
                PaneSpec::of(Way::Ganimation),
                PaneSpec::showing(Way::Ganimation, Show::Attention),
                PaneSpec::showing(Way::Ganimation, Show::Colour),
            ],
            Layout::Methods => vec![
                PaneSpec::of(Way::Source),
                PaneSpec::of(Way::Motion),
                PaneSpec::of(Way::Ganimation),
                PaneSpec::of(fomm),
                PaneSpec::of(tps),
                PaneSpec::showing(tps, Show::Flow),
            ],
            Layout::Explained => vec![
                PaneSpec::of(fomm),
                PaneSpec::showing(fomm, Show::Flow),
                PaneSpec::showing(fomm, Show::Occlusion(0)),
                PaneSpec::of(tps),
                PaneSpec::showing(tps, Show::Flow),
                PaneSpec::showing(tps, Show::Occlusion(3)),
            ],
            Layout::Result => vec![PaneSpec::of(Way::Ganimation)],
        }
    }
}

/// What is added to these panes: the first way of which there is no result yet.
pub fn next(panes: &[PaneSpec]) -> PaneSpec {
    let there = |way: Way| panes.contains(&PaneSpec::of(way));
    let ways = [
        Way::Ganimation,
        Way::Fomm(Mode::Relative),
        Way::Tps(Mode::Relative),
        Way::Motion,
        Way::Source,
        Way::Tps(Mode::Avd),
    ];
    let free = ways.into_iter().find(|way| !there(*way));
    PaneSpec::of(free.unwrap_or(Way::Ganimation))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_layout_shows_what_its_ways_have_to_show() {
        for layout in Layout::ALL {
            let panes = layout.panes();
            assert!((1..=PaneSpec::MOST).contains(&panes.len()));
            for pane in panes {
                assert!(pane.way.shows().contains(&pane.show), "{pane:?}");
            }
        }
    }

    #[test]
    fn what_is_added_is_new() {
        let mut panes = Layout::Result.panes();
        while panes.len() < PaneSpec::MOST {
            let next = next(&panes);
            assert!(!panes.contains(&next));
            panes.push(next);
        }
    }
}
