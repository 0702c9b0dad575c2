//! Layout of the panes and their toolbar.

use std::sync::Arc;

use iced::widget::tooltip::Position;
use iced::widget::{button, column, container, pick_list, row, sensor, space, stack, text};
use iced::{Alignment, Element, Length};

use crate::app::strings::panes as strings;
use crate::app::widgets::controls::{action, hinted, hinted_by, toggle};
use crate::app::widgets::theme;
use crate::document::{MethodChoice, MotionId, PaneSpec, PaneView};
use crate::face::found::FoundFace;
use crate::face::view::View;

use super::canvas::{Overlay, picture};
use super::layouts::Layout;
use super::{GUTTER, HEADER, Message, Names, PanePicture, Panes, ViewMode};

/// From this width on, in logical pixels, a pane's views are buttons side by side.
const CHIPS: f32 = 560.0;

/// Below this width the toolbar leaves out what the mouse wheel also does.
const NARROW: f32 = 780.0;

/// The space between toolbar buttons below that width.
const TIGHT: f32 = 3.0;

/// From this width on, the list of motions fits next to the others; below it is a button.
const MIN_LIST_WIDTH: f32 = 300.0;

/// A motion in a pane's list.
#[derive(Debug, Clone, PartialEq)]
struct Choice {
    id: Option<MotionId>,
    name: String,
}

impl std::fmt::Display for Choice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.name)
    }
}

/// A method in a pane's list, with its title.
#[derive(Debug, Clone, PartialEq)]
struct MethodItem {
    method: MethodChoice,
    title: String,
}

impl std::fmt::Display for MethodItem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.title)
    }
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Picked(PaneView);

impl std::fmt::Display for Picked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0.title())
    }
}

impl Panes {
    /// `faces` are the faces found; `adjusted` is the edited one, with the artist's landmark offsets applied.
    pub fn view<'a>(
        &'a self,
        names: &Names<'a>,
        faces: &[Arc<FoundFace>],
        adjusted: Option<&Arc<FoundFace>>,
        edited: bool,
    ) -> Element<'a, Message> {
        let project = names.project;
        let document = project.document();
        let visible = self.visible(project);
        let (columns, cell) = self.layout(visible.len());
        let view = self.view_of(project);
        let spec = |pane: usize| project.panes()[pane];
        // The crop is drawn on a pane that shows the source, or otherwise on the first pane.
        let source = |pane: &&usize| spec(**pane).method == MethodChoice::Source;
        let crop_pane = visible.iter().find(source).or(visible.first()).copied();
        // The edited face is marked by the crop instead.
        let others = || -> Vec<(usize, (f32, f32, f32, f32))> {
            let faces = faces.iter().enumerate();
            faces
                .filter(|(index, _)| document.face != Some(*index))
                .map(|(index, face)| (index, face.mesh.bounds()))
                .collect()
        };
        let wipe = self.wipe_of(project);
        let cells: Vec<(usize, usize)> = visible.iter().copied().enumerate().collect();
        let rows = cells.chunks(columns).map(|line| {
            let cells = line.iter().map(|(place, pane)| {
                let spec = spec(*pane);
                let shown = self.picture(*place, &spec);
                let here = crop_pane == Some(*pane);
                let landmarks = adjusted.filter(|_| self.adjusting && here).cloned();
                let marked = self.crop_shown && here && landmarks.is_none();
                let label = if landmarks.is_some() {
                    strings::DRAG_LANDMARKS.to_owned()
                } else {
                    self.label(&spec, names, shown, edited)
                };
                let result =
                    spec.view == PaneView::Result && !matches!(spec.method, MethodChoice::Source);
                let overlay = Overlay {
                    label: self.labels.then_some(label),
                    millis: shown
                        .and_then(|shown| shown.millis)
                        .filter(|_| self.labels && landmarks.is_none()),
                    problem: shown.and_then(|shown| shown.problem.clone()),
                    view,
                    scale: f64::from(self.scale),
                    crop: marked.then_some(document.crop),
                    faces: if marked { others() } else { Vec::new() },
                    landmarks,
                    wipe: wipe
                        .filter(|wipe| wipe.pane == *place)
                        .map(|wipe| wipe.place),
                    holding: self.holding && result,
                };
                let picture = picture(shown);
                let picture = container(stack![picture, overlay.into_element()])
                    .id(format!("pane-{}", pane + 1))
                    .width(cell.width)
                    .height(cell.height - HEADER)
                    .clip(true);
                column![self.header(*pane, spec, names, cell.width), picture].into()
            });
            row(cells).spacing(GUTTER).into()
        });
        let area = sensor(
            container(column(rows).spacing(GUTTER))
                .center(Length::Fill)
                .style(|theme| container::Style {
                    background: Some(theme::colors(theme).ground.into()),
                    ..container::Style::default()
                }),
        )
        .on_show(Message::Area)
        .on_resize(Message::Area);
        column![area, self.toolbar(view, names)].into()
    }

    /// A short label for a pane.
    fn label(
        &self,
        spec: &PaneSpec,
        names: &Names,
        shown: Option<&PanePicture>,
        edited: bool,
    ) -> String {
        let document = names.project.document();
        let result = spec.view == PaneView::Result;
        if self.holding && result && spec.method != MethodChoice::Source {
            return strings::SOURCE_HELD.to_owned();
        }
        let weights = match spec.method {
            MethodChoice::Source => return strings::ORIGINAL.to_owned(),
            MethodChoice::Motion => None,
            method => names.models.weights_of(method),
        };
        let state = if shown.is_none() {
            strings::DRAWING
        } else if shown.is_some_and(|shown| shown.draft) {
            strings::DRAFT
        } else if matches!(spec.method, MethodChoice::RIG | MethodChoice::GANIMATION)
            && result
            && !edited
            && spec.motion.is_none()
        {
            strings::NO_EDIT
        } else {
            ""
        };
        let under = if spec.expression_by_rig && document.face.is_some() {
            strings::WITH_RIG
        } else {
            ""
        };
        match weights {
            Some(weights) => format!("{weights}{under}{state}"),
            None => format!("{}{state}", names.models.registry().title(spec.method)),
        }
    }

    fn header<'a>(
        &self,
        pane: usize,
        spec: PaneSpec,
        names: &Names<'a>,
        width: f32,
    ) -> Element<'a, Message> {
        let project = names.project;
        let registry = names.models.registry();
        let shows = registry.views(spec.method).to_vec();
        // In narrow panes the lists share the width, so that none is pushed out.
        let fill = if width < CHIPS {
            Length::Fill
        } else {
            Length::Shrink
        };
        let choices: Vec<MethodItem> = registry
            .choices()
            .into_iter()
            .map(|method| MethodItem {
                title: registry.title(method),
                method,
            })
            .collect();
        let place = choices
            .iter()
            .position(|choice| choice.method == spec.method);
        let chosen = MethodItem {
            title: registry.title(spec.method),
            method: spec.method,
        };
        let ways = pick_list(choices, Some(chosen), move |choice| {
            Message::Method(pane, choice.method)
        })
        .text_size(theme::SMALL)
        .padding([3, 7])
        .width(fill)
        .style(theme::choice(place.unwrap_or(0)));
        let has_face = project.document().face.is_some();
        let by_rig = (has_face && registry.follows_pictures(spec.method)).then(|| {
            let on = spec.expression_by_rig;
            let name = if width >= CHIPS {
                strings::RIG_EXPRESSION
            } else {
                strings::RIG_EXPRESSION_SHORT
            };
            hinted(
                toggle(name, on, Message::ExpressionByRig(pane, !on)),
                strings::RIG_EXPRESSION_HINT,
                Position::Bottom,
            )
        });
        let shows: Option<Element<'_, Message>> = if shows.len() < 2 {
            None
        } else if width >= CHIPS && shows.len() <= 4 {
            let chips = shows
                .into_iter()
                .map(|show| toggle(show.title(), show == spec.view, Message::View(pane, show)));
            Some(row(chips).spacing(3).into())
        } else {
            let place = shows.iter().position(|show| *show == spec.view);
            let picked: Vec<Picked> = shows.into_iter().map(Picked).collect();
            Some(
                pick_list(picked, Some(Picked(spec.view)), move |Picked(show)| {
                    Message::View(pane, show)
                })
                .text_size(theme::SMALL)
                .padding([3, 7])
                .width(fill)
                .style(theme::choice(place.unwrap_or(0)))
                .into(),
            )
        };
        let several = project.motions().len() > 1 && spec.method != MethodChoice::Source;
        let motion = several.then(|| -> Element<'_, Message> {
            let chosen = Choice {
                id: None,
                name: strings::SELECTED_MOTION.to_owned(),
            };
            let mut choices = vec![chosen];
            choices.extend(project.motions().iter().map(|motion| Choice {
                id: Some(motion.id),
                name: motion.name.clone(),
            }));
            let place = choices.iter().position(|choice| choice.id == spec.motion);
            let place = place.unwrap_or(0);
            let picked = choices[place].clone();
            if width < MIN_LIST_WIDTH {
                // Too narrow for a list: a button shows the motion's number, and a click selects the next one.
                let next = choices[(place + 1) % choices.len()].id;
                let sign = strings::motion_number((place > 0).then_some(place));
                let button = button(text(sign).size(theme::SMALL).font(theme::FIGURES))
                    .on_press(Message::Motion(pane, next))
                    .padding([2, 5])
                    .style(theme::toggled(place > 0));
                let button = container(button).id(format!("pane-motion-{}", pane + 1));
                return hinted_by(
                    button,
                    strings::driven_by_hint(&picked.name),
                    Position::Bottom,
                );
            }
            pick_list(choices, Some(picked), move |choice| {
                Message::Motion(pane, choice.id)
            })
            .text_size(theme::SMALL)
            .padding([3, 7])
            .width(fill)
            .style(theme::choice(place))
            .into()
        });
        let number = button(
            text(format!("{}", pane + 1))
                .size(theme::SMALL)
                .font(theme::FIGURES),
        )
        .on_press(Message::Solo(pane))
        .padding([2, 6])
        .style(theme::toggled(self.solo == Some(pane)));
        let close = (project.panes().len() > 1).then(|| {
            hinted(
                button(text("×").size(theme::NORMAL))
                    .on_press(Message::Remove(pane))
                    .padding([0, 6])
                    .style(theme::flat),
                strings::CLOSE_HINT,
                Position::Bottom,
            )
        });
        let line = row![hinted_by(
            number,
            strings::solo_hint(pane + 1),
            Position::Bottom
        )]
        .push(ways)
        .push(by_rig)
        .push(shows)
        .push(motion)
        .push((width >= CHIPS).then(space::horizontal))
        .push(close)
        .spacing(4)
        .align_y(Alignment::Center);
        container(line)
            .padding([0, 4])
            .width(width)
            .height(HEADER)
            .center_y(HEADER)
            .clip(true)
            .into()
    }

    fn toolbar<'a>(&'a self, view: View, names: &Names<'a>) -> Element<'a, Message> {
        let document = names.project.document();
        let panes = names.project.panes();
        let layouts = Layout::ALL.map(|layout| {
            let on = self.solo.is_none() && panes == layout.panes(document.face.is_some());
            hinted(
                toggle(layout.title(), on, Message::Layout(layout)),
                layout.hint(),
                Position::Top,
            )
        });
        let add = (panes.len() < PaneSpec::MAX).then(|| {
            hinted(
                toggle(strings::ADD, false, Message::Add),
                strings::ADD_HINT,
                Position::Top,
            )
        });
        let wipe = hinted(
            toggle(
                strings::WIPE,
                self.wipe_within(panes.len()).is_some(),
                Message::WipeToggled,
            ),
            strings::WIPE_HINT,
            Position::Top,
        );
        let crop = hinted(
            toggle(strings::CROP, self.crop_shown, Message::CropToggled),
            strings::CROP_HINT,
            Position::Top,
        );
        let turned = document.crop.angle != 0.0;
        let level = document.face.map(|_| {
            hinted(
                toggle(strings::LEVEL, turned, Message::Levelled(!turned)),
                strings::LEVEL_HINT,
                Position::Top,
            )
        });
        let adjust = document.face.map(|_| {
            hinted(
                toggle(strings::LANDMARKS, self.adjusting, Message::AdjustToggled),
                strings::LANDMARKS_HINT,
                Position::Top,
            )
        });
        let moved = self.adjusting && !document.landmarks.is_empty();
        let found = moved.then(|| {
            hinted(
                action(strings::RESET_LANDMARKS, Some(Message::LandmarksReset)),
                strings::RESET_LANDMARKS_HINT,
                Position::Top,
            )
        });
        let fit = hinted(
            toggle(strings::FIT, self.look == ViewMode::Fit, Message::Fit),
            strings::FIT_HINT,
            Position::Top,
        );
        let face = hinted(
            toggle(strings::FACE, self.look == ViewMode::Face, Message::Face),
            strings::FACE_HINT,
            Position::Top,
        );
        let actual = hinted(
            toggle(strings::ACTUAL, false, Message::Actual),
            strings::ACTUAL_HINT,
            Position::Top,
        );
        let percent = text(strings::zoom(view.zoom))
            .size(theme::SMALL)
            .font(theme::FIGURES)
            .style(theme::dim);
        let narrow = self.area.width < NARROW;
        let gap = if narrow { TIGHT } else { theme::GAP };
        // The crop is hidden while landmarks are edited.
        let square =
            (!self.adjusting || adjust.is_none()).then(|| row![crop].push(level).spacing(gap));
        let tools = row(layouts)
            .push(add)
            .push((!narrow).then(|| space::horizontal().width(theme::SPACE)))
            .push(wipe)
            .push(self.wiped(panes))
            .push(square)
            .push(adjust)
            .push(found)
            .push(space::horizontal())
            .push((!narrow).then_some(percent))
            .push(face)
            .push(fit)
            .push((!narrow).then_some(actual))
            .spacing(gap)
            .align_y(Alignment::Center);
        container(tools)
            .padding([theme::GAP, theme::SPACE])
            .width(Length::Fill)
            .clip(true)
            .into()
    }

    /// The lists that select which pane is wiped over which.
    fn wiped<'a>(&self, panes: &[PaneSpec]) -> Option<Element<'a, Message>> {
        let wipe = self.wipe_within(panes.len())?;
        let others: Vec<Side> = std::iter::once(Side(None))
            .chain((0..panes.len()).map(|pane| Side(Some(pane))))
            .collect();
        let own: Vec<Side> = others[1..].to_vec();
        let place = |side: Option<usize>| side.map_or(0, |pane| pane + 1);
        let left = pick_list(others, Some(Side(wipe.under)), move |Side(under)| {
            Message::WipeOf(wipe.pane, under)
        })
        .text_size(theme::SMALL)
        .padding([3, 7])
        .style(theme::choice(place(wipe.under)));
        let right = pick_list(own, Some(Side(Some(wipe.pane))), move |Side(pane)| {
            Message::WipeOf(pane.unwrap_or(wipe.pane), wipe.under)
        })
        .text_size(theme::SMALL)
        .padding([3, 7])
        .style(theme::choice(place(Some(wipe.pane))));
        let between = text("|").size(theme::SMALL).style(theme::dim);
        let line = row![left, between, right]
            .spacing(4)
            .align_y(Alignment::Center);
        Some(line.into())
    }
}

/// One side of a wipe.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Side(Option<usize>);

impl std::fmt::Display for Side {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            None => f.write_str(strings::WIPE_SOURCE),
            Some(pane) => f.write_str(&strings::pane(pane)),
        }
    }
}
