//! The canvas in the middle: up to six panes over one portrait, zoomed and panned together.

use std::sync::Arc;

use iced::Size;
use iced::advanced::graphics::core::Bytes;
use iced::widget::image;

use crate::document::{Crop, MethodChoice, MotionId, PaneSpec, PaneView, Project};
use crate::face::view::View;
use crate::media::image::Picture;
use crate::methods::models::Models;
use crate::methods::registry::Registry;
use crate::render::request::{Outcome, Wipe};

use layouts::Layout;

mod canvas;
mod landmarks;
pub mod layouts;
mod view;

/// The space between panes, in logical pixels.
const GUTTER: f32 = 4.0;

/// The height of what stands above each picture.
const HEADER: f32 = 28.0;

/// A picture of fewer bytes is sent to the graphics card at once; larger ones flicker while they load.
const TILE_BYTES: u32 = 2 * 1024 * 1024 - 1;

#[derive(Debug)]
pub struct Panes {
    look: Look,
    /// The room for all panes, in logical pixels.
    area: Size,
    /// Physical pixels a logical pixel.
    scale: f32,
    /// The pane that alone is seen.
    solo: Option<usize>,
    pub wipe: Option<Wipe>,
    pub crop_shown: bool,
    /// Whether the hand moves landmarks.
    pub adjusting: bool,
    /// Whether each pane says what it is.
    pub labels: bool,
    /// Whether the source is held up in place of the result.
    pub holding: bool,
    pictures: Vec<Shown>,
    serial: u64,
    complete: bool,
}

/// What part of the portrait the panes show.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Look {
    /// All of it, whatever the window's size.
    Whole,
    /// The face's crop with some room around it.
    Face,
    /// Where the artist has zoomed and panned to.
    At(View),
}

/// How much more than the crop is shown of the face, in sides of the crop.
const AROUND_FACE: f32 = 1.5;

/// A pane's latest picture, cut so that each tile is sent at once.
#[derive(Debug)]
pub struct Shown {
    method: MethodChoice,
    view: PaneView,
    /// Physical pixels.
    pub size: (u32, u32),
    pub tiles: Vec<Tile>,
    /// Why there is no picture.
    pub problem: Option<String>,
    pub millis: Option<f32>,
    /// Whether the full picture is still to come.
    pub draft: bool,
}

/// Some whole rows of a picture.
#[derive(Debug)]
pub struct Tile {
    pub top: u32,
    pub rows: u32,
    pub handle: image::Handle,
}

#[derive(Debug, Clone)]
pub enum Message {
    Area(Size),
    /// A factor about a point of the pane, in physical pixels.
    Zoomed(f64, (f64, f64)),
    /// Physical pixels.
    Panned((f64, f64)),
    Fit,
    Face,
    Actual,
    WipeToggled,
    Wiped(f32),
    /// The pane that is wiped, and the one on the left of the line.
    WipeOf(usize, Option<usize>),
    CropToggled,
    LabelsToggled,
    Cropped(Crop),
    /// The square is to be turned with the head, or to stand upright again.
    Levelled(bool),
    /// Landmarks are shown to be moved, or no longer.
    AdjustToggled,
    /// A landmark is to lie at a place of the portrait, in its pixels.
    LandmarkMoved(u16, [f32; 2]),
    /// A landmark goes back to where it was found.
    LandmarkReset(u16),
    /// All landmarks go back.
    LandmarksReset,
    /// Another of the portrait's faces is wanted.
    Picked(usize),
    Released,
    Method(usize, MethodChoice),
    View(usize, PaneView),
    /// Whether the rig draws the expression first in this pane.
    ExpressionByRig(usize, bool),
    Motion(usize, Option<MotionId>),
    Add,
    Remove(usize),
    Layout(Layout),
    /// One pane alone, or all again.
    Solo(usize),
}

#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    None,
    Crop(Crop),
    Face(usize),
    Level(bool),
    /// A landmark is to lie at a place of the portrait, in its pixels.
    MoveLandmark(u16, [f32; 2]),
    /// A landmark, or all, go back to where they were found.
    ResetLandmarks(Option<u16>),
    EndGesture,
    /// Other panes are wanted.
    Panes(Vec<PaneSpec>),
}

/// What each pane's name and motion list are made of.
pub struct Names<'a> {
    pub project: &'a Project,
    pub models: &'a Models,
}

impl Default for Panes {
    fn default() -> Self {
        Self {
            look: Look::Face,
            area: Size::new(800.0, 560.0),
            scale: 1.0,
            solo: None,
            wipe: None,
            crop_shown: true,
            adjusting: false,
            labels: true,
            holding: false,
            pictures: Vec::new(),
            serial: 0,
            complete: false,
        }
    }
}

impl Panes {
    /// The number of the request of which every pane is shown.
    pub fn serial(&self) -> u64 {
        if self.complete { self.serial } else { 0 }
    }

    pub fn set_scale(&mut self, scale: f32) {
        self.scale = scale.max(0.1);
    }

    /// Another portrait: its face is shown where it is known, else the whole of it.
    pub fn show_face(&mut self, known: bool) {
        self.look = if known { Look::Face } else { Look::Whole };
    }

    /// The panes that are seen, by their place in the project.
    pub fn visible(&self, project: &Project) -> Vec<usize> {
        let count = project.panes().len();
        match self.solo.filter(|solo| *solo < count) {
            Some(solo) => vec![solo],
            None => (0..count).collect(),
        }
    }

    /// The wipe as far as its panes are there: undo may have taken them away.
    fn wipe_within(&self, panes: usize) -> Option<Wipe> {
        let wipe = self.wipe.filter(|wipe| wipe.pane < panes)?;
        Some(Wipe {
            under: wipe.under.filter(|under| *under < panes),
            ..wipe
        })
    }

    /// The wipe among the panes that are seen.
    pub fn wipe_of(&self, project: &Project) -> Option<Wipe> {
        let visible = self.visible(project);
        let place = |pane: usize| visible.iter().position(|other| *other == pane);
        let wipe = self.wipe?;
        Some(Wipe {
            pane: place(wipe.pane)?,
            under: wipe.under.and_then(place),
            ..wipe
        })
    }

    /// What every pane shows of the portrait, in physical pixels.
    pub fn view_of(&self, project: &Project) -> View {
        let document = project.document();
        let portrait = (document.portrait.width, document.portrait.height);
        let (_, cell) = self.layout(self.visible(project).len());
        let pixels = |side: f32| ((side * self.scale).round() as u32).max(1);
        let (width, height) = (pixels(cell.width), pixels(cell.height - HEADER));
        match self.look {
            Look::At(view) if (view.width, view.height) == (width, height) => view,
            Look::At(view) => view.resized(width, height),
            Look::Whole => View::fit(width, height, portrait),
            Look::Face => {
                let crop = document.crop;
                let middle = (
                    f64::from(crop.x + crop.side / 2.0),
                    f64::from(crop.y + crop.side / 2.0),
                );
                View::about(width, height, middle, f64::from(crop.side * AROUND_FACE))
            }
        }
    }

    /// Takes the worker's pictures unless newer ones are shown already; true when they were taken.
    pub fn take(&mut self, outcome: &Outcome) -> bool {
        if outcome.serial < self.serial {
            return false;
        }
        if outcome.serial > self.serial {
            self.serial = outcome.serial;
            self.complete = false;
        }
        self.complete |= outcome.complete;
        let panes = &outcome.request.composition.panes;
        if self.pictures.len() > panes.len() && outcome.complete {
            self.pictures.truncate(panes.len());
        }
        for pane in &outcome.panes {
            let Some(source) = panes.get(pane.index) else {
                continue;
            };
            let shown = Shown {
                method: source.method,
                view: source.view,
                size: pane.picture.as_ref().map_or((1, 1), |p| p.size()),
                tiles: pane.picture.as_ref().map_or(Vec::new(), tiles),
                problem: pane.picture.as_ref().err().cloned(),
                millis: pane.millis,
                draft: pane.is_draft,
            };
            if pane.index < self.pictures.len() {
                self.pictures[pane.index] = shown;
            } else {
                // Those before it that aren't drawn yet keep their place.
                while self.pictures.len() < pane.index {
                    self.pictures.push(Shown::nothing());
                }
                self.pictures.push(shown);
            }
        }
        true
    }

    /// The picture of a pane that is seen, by its place there.
    fn picture(&self, index: usize, spec: &PaneSpec) -> Option<&Shown> {
        let fits = |shown: &&Shown| (shown.method, shown.view) == (spec.method, spec.view);
        let here = self.pictures.get(index).filter(fits);
        here.or_else(|| self.pictures.iter().find(fits))
    }

    pub fn update(&mut self, message: Message, project: &Project, registry: &Registry) -> Action {
        let document = project.document();
        let portrait = (document.portrait.width, document.portrait.height);
        let view = self.view_of(project);
        let mut panes = project.panes().to_vec();
        match message {
            Message::Area(area) => {
                self.hold(view);
                self.area = area;
            }
            Message::Zoomed(factor, at) => self.look = Look::At(view.zoomed(factor, at)),
            Message::Panned(by) => self.look = Look::At(view.panned(by, portrait)),
            Message::Fit => self.look = Look::Whole,
            Message::Face => self.look = Look::Face,
            Message::Actual => {
                let centre = (f64::from(view.width) / 2.0, f64::from(view.height) / 2.0);
                self.look = Look::At(view.zoomed(1.0 / view.zoom, centre));
            }
            Message::WipeToggled => {
                self.wipe = match self.wipe_within(panes.len()) {
                    Some(_) => None,
                    None => result_pane(&panes).map(|pane| Wipe {
                        pane,
                        under: None,
                        place: 0.5,
                    }),
                };
            }
            Message::WipeOf(pane, under) => {
                let place = self.wipe.map_or(0.5, |wipe| wipe.place);
                self.wipe = Some(Wipe { pane, under, place });
            }
            Message::Wiped(place) => {
                if let Some(wipe) = &mut self.wipe {
                    wipe.place = place.clamp(0.0, 1.0);
                }
            }
            Message::CropToggled => self.crop_shown = !self.crop_shown,
            Message::LabelsToggled => self.labels = !self.labels,
            Message::Cropped(crop) => {
                // The view stays put while the crop is under the hand.
                self.look = Look::At(view);
                return Action::Crop(crop.fitted(portrait.0, portrait.1));
            }
            Message::Levelled(level) => return Action::Level(level),
            Message::AdjustToggled => self.adjusting = !self.adjusting,
            Message::LandmarkMoved(landmark, place) => {
                return Action::MoveLandmark(landmark, place);
            }
            Message::LandmarkReset(landmark) => return Action::ResetLandmarks(Some(landmark)),
            Message::LandmarksReset => return Action::ResetLandmarks(None),
            Message::Picked(index) => return Action::Face(index),
            Message::Released => return Action::EndGesture,
            Message::Method(index, method) => {
                if let Some(pane) = panes.get_mut(index) {
                    *pane = registry.changed(*pane, method);
                }
                return Action::Panes(panes);
            }
            Message::View(index, show) => {
                if let Some(pane) = panes.get_mut(index) {
                    pane.view = show;
                }
                return Action::Panes(panes);
            }
            Message::ExpressionByRig(index, by_rig) => {
                if let Some(pane) = panes.get_mut(index) {
                    pane.expression_by_rig = by_rig;
                }
                return Action::Panes(panes);
            }
            Message::Motion(index, motion) => {
                if let Some(pane) = panes.get_mut(index) {
                    pane.motion = motion;
                }
                return Action::Panes(panes);
            }
            Message::Add if panes.len() < PaneSpec::MOST => {
                self.hold(view);
                self.solo = None;
                let has_face = document.face.is_some();
                panes.push(layouts::next(&panes, has_face));
                return Action::Panes(panes);
            }
            Message::Remove(index) if panes.len() > 1 && index < panes.len() => {
                self.hold(view);
                self.solo = None;
                panes.remove(index);
                self.wipe = self.wipe.and_then(|wipe| without(wipe, index));
                return Action::Panes(panes);
            }
            Message::Add | Message::Remove(_) => {}
            Message::Layout(layout) => {
                self.hold(view);
                self.solo = None;
                self.wipe = None;
                let has_face = document.face.is_some();
                return Action::Panes(layout.panes(has_face));
            }
            Message::Solo(index) => {
                if index < panes.len() {
                    self.hold(view);
                    self.solo = match self.solo {
                        Some(solo) if solo == index => None,
                        _ => Some(index),
                    };
                }
            }
        }
        Action::None
    }

    /// Keeps what is zoomed to through a change of the layout.
    fn hold(&mut self, view: View) {
        if let Look::At(_) = self.look {
            self.look = Look::At(view);
        }
    }

    /// Columns, and the size of a pane in whole logical pixels: whatever shows a face (which is about as wide as high)
    /// largest, and of those what leaves the fewest places empty. It depends on nothing that zooming changes.
    fn layout(&self, count: usize) -> (usize, Size) {
        let cell = |columns: usize| {
            let rows = count.div_ceil(columns);
            let side = |room: f32, n: usize| {
                ((room - GUTTER * (n - 1) as f32) / n as f32)
                    .floor()
                    .max(1.0)
            };
            Size::new(
                side(self.area.width, columns),
                side(self.area.height, rows).max(HEADER + 1.0),
            )
        };
        let merit = |columns: usize, size: Size| {
            let empty = columns * count.div_ceil(columns) - count;
            // A percent larger is not worth an empty place.
            size.width.min(size.height - HEADER) * (1.0 - 0.01 * empty as f32)
        };
        (1..=count)
            .map(|columns| (columns, cell(columns)))
            .max_by(|a, b| merit(a.0, a.1).total_cmp(&merit(b.0, b.1)))
            .unwrap_or((1, self.area))
    }
}

impl Shown {
    /// What stands where nothing has been drawn.
    fn nothing() -> Self {
        Self {
            method: MethodChoice::Source,
            view: PaneView::Result,
            size: (1, 1),
            tiles: Vec::new(),
            problem: None,
            millis: None,
            draft: false,
        }
    }
}

/// The first pane that shows what has become of the portrait.
fn result_pane(panes: &[PaneSpec]) -> Option<usize> {
    let moved =
        |pane: &PaneSpec| !matches!(pane.method, MethodChoice::Source | MethodChoice::Motion);
    let result = |pane: &PaneSpec| moved(pane) && pane.view == PaneView::Result;
    panes
        .iter()
        .position(result)
        .or_else(|| panes.iter().position(moved))
}

/// A wipe when a pane is gone.
fn without(wipe: Wipe, gone: usize) -> Option<Wipe> {
    let moved = |pane: usize| if pane > gone { pane - 1 } else { pane };
    (wipe.pane != gone).then(|| Wipe {
        pane: moved(wipe.pane),
        under: wipe.under.filter(|under| *under != gone).map(moved),
        ..wipe
    })
}

/// A picture's bytes for the renderer, which holds the picture and copies nothing.
struct Pixels(Arc<Picture>);

impl AsRef<[u8]> for Pixels {
    fn as_ref(&self) -> &[u8] {
        self.0.rgba()
    }
}

fn tiles(picture: &Arc<Picture>) -> Vec<Tile> {
    let (width, height) = picture.size();
    let rows = (TILE_BYTES / (width * 4).max(1)).max(1);
    let pitch = width as usize * 4;
    let pixels = Bytes::from_owner(Pixels(Arc::clone(picture)));
    (0..height)
        .step_by(rows as usize)
        .map(|top| {
            let rows = rows.min(height - top);
            let first = top as usize * pitch;
            let bytes = pixels.slice(first..first + rows as usize * pitch);
            Tile {
                top,
                rows,
                handle: image::Handle::from_rgba(width, rows, bytes),
            }
        })
        .collect()
}

#[cfg(test)]
mod tests;
