//! Preset layouts: sets of panes that are often used together.

use crate::app::strings::panes::layouts as strings;
use crate::document::{MethodChoice, Mode, PaneSpec, PaneView};

/// A set of panes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// What the sliders do, and GANimation's diagnostics.
    Expression,
    /// Every method, driven by the same motion.
    Methods,
    /// The motion methods explained: flow and occlusion next to each result.
    Explained,
    /// The result, large.
    Result,
}

impl Layout {
    /// All layouts, in the order of their buttons.
    pub const ALL: [Layout; 4] = [
        Layout::Result,
        Layout::Expression,
        Layout::Methods,
        Layout::Explained,
    ];

    pub fn title(self) -> &'static str {
        match self {
            Layout::Expression => strings::EXPRESSION,
            Layout::Methods => strings::METHODS,
            Layout::Explained => strings::FLOW,
            Layout::Result => strings::RESULT,
        }
    }

    pub fn hint(self) -> &'static str {
        match self {
            Layout::Expression => strings::EXPRESSION_HINT,
            Layout::Methods => strings::METHODS_HINT,
            Layout::Explained => strings::FLOW_HINT,
            Layout::Result => strings::RESULT_HINT,
        }
    }

    /// Its panes; the rig needs a face.
    pub fn panes(self, has_face: bool) -> Vec<PaneSpec> {
        let fomm = MethodChoice::in_mode("fomm", Mode::Relative);
        let tps = MethodChoice::in_mode("tps", Mode::Relative);
        match self {
            Layout::Expression => PaneSpec::usual(has_face),
            Layout::Methods => {
                let mut panes = vec![
                    PaneSpec::of(MethodChoice::Source),
                    PaneSpec::of(MethodChoice::Motion),
                    PaneSpec::of(MethodChoice::GANIMATION),
                    PaneSpec::of(fomm),
                    PaneSpec::of(tps),
                ];
                if has_face {
                    panes.insert(2, PaneSpec::of(MethodChoice::RIG));
                } else {
                    panes.push(PaneSpec::showing(tps, PaneView::Flow));
                }
                panes
            }
            Layout::Explained => vec![
                PaneSpec::of(fomm),
                PaneSpec::showing(fomm, PaneView::Flow),
                PaneSpec::showing(fomm, PaneView::Occlusion(0)),
                PaneSpec::of(tps),
                PaneSpec::showing(tps, PaneView::Flow),
                PaneSpec::showing(tps, PaneView::Occlusion(3)),
            ],
            Layout::Result => vec![PaneSpec::of(MethodChoice::of_expressions(has_face))],
        }
    }
}

/// The pane to add next: the first method without a result pane.
pub fn next(panes: &[PaneSpec], has_face: bool) -> PaneSpec {
    let there = |method: MethodChoice| panes.contains(&PaneSpec::of(method));
    let ways = [
        MethodChoice::of_expressions(has_face),
        MethodChoice::GANIMATION,
        MethodChoice::in_mode("fomm", Mode::Relative),
        MethodChoice::in_mode("tps", Mode::Relative),
        MethodChoice::Motion,
        MethodChoice::Source,
        MethodChoice::in_mode("tps", Mode::Avd),
    ];
    let free = ways.into_iter().find(|way| !there(*way));
    PaneSpec::of(free.unwrap_or(MethodChoice::GANIMATION))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::methods::registry::Registry;

    #[test]
    fn every_layout_shows_only_views_its_methods_support() {
        for layout in Layout::ALL {
            for has_face in [false, true] {
                let panes = layout.panes(has_face);
                assert!((1..=PaneSpec::MAX).contains(&panes.len()));
                for pane in panes {
                    let views = Registry::default().views(pane.method);
                    assert!(views.contains(&pane.view), "{pane:?}");
                    assert!(has_face || pane.method != MethodChoice::RIG);
                }
            }
        }
    }

    #[test]
    fn an_added_pane_differs_from_all_others() {
        let mut panes = Layout::Result.panes(true);
        while panes.len() < PaneSpec::MAX {
            let next = next(&panes, true);
            assert!(!panes.contains(&next));
            panes.push(next);
        }
    }
}
