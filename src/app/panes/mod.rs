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

/// The height of the header above each picture, in logical pixels.
const HEADER: f32 = 28.0;

/// iced uploads smaller pictures to the GPU synchronously; larger ones flicker while they load.
const TILE_BYTES: u32 = 2 * 1024 * 1024 - 1;

#[derive(Debug)]
pub struct Panes {
    look: ViewMode,
    /// The space for all panes, in logical pixels.
    area: Size,
    /// Physical pixels per logical pixel.
    scale: f32,
    /// The only visible pane, if one is shown alone.
    solo: Option<usize>,
    pub wipe: Option<Wipe>,
    pub crop_shown: bool,
    /// Whether dragging moves landmarks.
    pub adjusting: bool,
    /// Whether each pane has a label.
    pub labels: bool,
    /// Whether the source is shown in place of the result while a key is held.
    pub holding: bool,
    pictures: Vec<PanePicture>,
    serial: u64,
    complete: bool,
}

/// What part of the portrait the panes show.
#[derive(Debug, Clone, Copy, PartialEq)]
enum ViewMode {
    /// All of it, at any window size.
    Fit,
    /// The face's crop with a margin.
    Face,
    /// The view the artist has zoomed and panned to.
    At(View),
}

/// Side of the region shown around a face, in crop sides.
const AROUND_FACE: f32 = 1.5;

/// A pane's latest picture, split into tiles small enough to upload synchronously.
#[derive(Debug)]
pub struct PanePicture {
    method: MethodChoice,
    view: PaneView,
    /// Physical pixels.
    pub size: (u32, u32),
    pub tiles: Vec<Tile>,
    /// Why there is no picture.
    pub problem: Option<String>,
    pub millis: Option<f32>,
    /// Whether the full-quality picture is still to come.
    pub draft: bool,
}

/// Some full rows of a picture.
#[derive(Debug)]
pub struct Tile {
    pub top: u32,
    pub rows: u32,
    pub handle: image::Handle,
}

#[derive(Debug, Clone)]
pub enum Message {
    Area(Size),
    /// The factor, and the fixed point in the pane, in physical pixels.
    Zoomed(f64, (f64, f64)),
    /// Physical pixels.
    Panned((f64, f64)),
    Fit,
    Face,
    Actual,
    WipeToggled,
    Wiped(f32),
    /// The wiped pane, and the one left of the line; `None` is the source.
    WipeOf(usize, Option<usize>),
    CropToggled,
    LabelsToggled,
    Cropped(Crop),
    /// Rotate the crop with the head (`true`), or make it upright.
    Levelled(bool),
    /// Start or stop editing landmarks.
    AdjustToggled,
    /// Move a landmark to a position in the portrait's pixels.
    LandmarkMoved(u16, [f32; 2]),
    /// Reset a landmark to where it was found.
    LandmarkReset(u16),
    /// Reset all landmarks.
    LandmarksReset,
    /// Edit another of the portrait's faces.
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
    /// Show one pane alone, or all again.
    Solo(usize),
}

#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    None,
    Crop(Crop),
    Face(usize),
    Level(bool),
    /// Move a landmark to a position in the portrait's pixels.
    MoveLandmark(u16, [f32; 2]),
    /// Reset a landmark, or all, to where they were found.
    ResetLandmarks(Option<u16>),
    EndGesture,
    /// Replace the panes.
    Panes(Vec<PaneSpec>),
}

/// What the panes' names and lists of motions are made of.
pub struct Names<'a> {
    pub project: &'a Project,
    pub models: &'a Models,
}

impl Default for Panes {
    fn default() -> Self {
        Self {
            look: ViewMode::Face,
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
    /// The serial of the latest request if every pane of it is drawn, otherwise 0.
    pub fn serial(&self) -> u64 {
        if self.complete { self.serial } else { 0 }
    }

    pub fn set_scale(&mut self, scale: f32) {
        self.scale = scale.max(0.1);
    }

    /// Shows the face of a new portrait if it is `known`, otherwise the whole portrait.
    pub fn show_face(&mut self, known: bool) {
        self.look = if known { ViewMode::Face } else { ViewMode::Fit };
    }

    /// Indices in the project of the visible panes.
    pub fn visible(&self, project: &Project) -> Vec<usize> {
        let count = project.panes().len();
        match self.solo.filter(|solo| *solo < count) {
            Some(solo) => vec![solo],
            None => (0..count).collect(),
        }
    }

    /// The wipe, limited to existing panes: undo may have removed some.
    fn wipe_within(&self, panes: usize) -> Option<Wipe> {
        let wipe = self.wipe.filter(|wipe| wipe.pane < panes)?;
        Some(Wipe {
            under: wipe.under.filter(|under| *under < panes),
            ..wipe
        })
    }

    /// The wipe, with indices among the visible panes.
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

    /// The region of the portrait that every pane shows, in physical pixels.
    pub fn view_of(&self, project: &Project) -> View {
        let document = project.document();
        let portrait = (document.portrait.width, document.portrait.height);
        let (_, cell) = self.layout(self.visible(project).len());
        let pixels = |side: f32| ((side * self.scale).round() as u32).max(1);
        let (width, height) = (pixels(cell.width), pixels(cell.height - HEADER));
        match self.look {
            ViewMode::At(view) if (view.width, view.height) == (width, height) => view,
            ViewMode::At(view) => view.resized(width, height),
            ViewMode::Fit => View::fit(width, height, portrait),
            ViewMode::Face => {
                let crop = document.crop;
                let middle = (
                    f64::from(crop.x + crop.side / 2.0),
                    f64::from(crop.y + crop.side / 2.0),
                );
                View::about(width, height, middle, f64::from(crop.side * AROUND_FACE))
            }
        }
    }

    /// Takes the worker's pictures unless newer ones are shown; returns whether they were taken.
    pub fn show_outcome(&mut self, outcome: &Outcome) -> bool {
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
            let shown = PanePicture {
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
                // Panes before it that aren't drawn yet get a placeholder.
                while self.pictures.len() < pane.index {
                    self.pictures.push(PanePicture::nothing());
                }
                self.pictures.push(shown);
            }
        }
        true
    }

    /// Replaces the times that the panes took, which differ from run to run.
    #[cfg(test)]
    pub fn set_millis(&mut self, millis: f32) {
        for picture in &mut self.pictures {
            picture.millis = picture.millis.map(|_| millis);
        }
    }

    /// The picture of a visible pane; `index` counts visible panes.
    fn picture(&self, index: usize, spec: &PaneSpec) -> Option<&PanePicture> {
        let fits = |shown: &&PanePicture| (shown.method, shown.view) == (spec.method, spec.view);
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
                self.preserve_zoom(view);
                self.area = area;
            }
            Message::Zoomed(factor, at) => self.look = ViewMode::At(view.zoomed(factor, at)),
            Message::Panned(by) => self.look = ViewMode::At(view.panned(by, portrait)),
            Message::Fit => self.look = ViewMode::Fit,
            Message::Face => self.look = ViewMode::Face,
            Message::Actual => {
                let centre = (f64::from(view.width) / 2.0, f64::from(view.height) / 2.0);
                self.look = ViewMode::At(view.zoomed(1.0 / view.zoom, centre));
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
                // The view stays fixed while the crop is dragged.
                self.look = ViewMode::At(view);
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
                    *pane = registry.with_method(*pane, method);
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
            Message::Add if panes.len() < PaneSpec::MAX => {
                self.preserve_zoom(view);
                self.solo = None;
                let has_face = document.face.is_some();
                panes.push(layouts::next(&panes, has_face));
                return Action::Panes(panes);
            }
            Message::Remove(index) if panes.len() > 1 && index < panes.len() => {
                self.preserve_zoom(view);
                self.solo = None;
                panes.remove(index);
                self.wipe = self.wipe.and_then(|wipe| without(wipe, index));
                return Action::Panes(panes);
            }
            Message::Add | Message::Remove(_) => {}
            Message::Layout(layout) => {
                self.preserve_zoom(view);
                self.solo = None;
                self.wipe = None;
                let has_face = document.face.is_some();
                return Action::Panes(layout.panes(has_face));
            }
            Message::Solo(index) => {
                if index < panes.len() {
                    self.preserve_zoom(view);
                    self.solo = match self.solo {
                        Some(solo) if solo == index => None,
                        _ => Some(index),
                    };
                }
            }
        }
        Action::None
    }

    /// Preserves the artist's zoom when the layout changes.
    fn preserve_zoom(&mut self, view: View) {
        if let ViewMode::At(_) = self.look {
            self.look = ViewMode::At(view);
        }
    }

    /// Number of columns, and the size of a pane in whole logical pixels. Maximises the size of a face (about as wide as
    /// high), then minimises the number of empty cells. Independent of the zoom.
    fn layout(&self, count: usize) -> (usize, Size) {
        let cell = |columns: usize| {
            let rows = count.div_ceil(columns);
            let side = |space: f32, n: usize| {
                ((space - GUTTER * (n - 1) as f32) / n as f32)
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
            // One percent more size is not worth an empty cell.
            size.width.min(size.height - HEADER) * (1.0 - 0.01 * empty as f32)
        };
        (1..=count)
            .map(|columns| (columns, cell(columns)))
            .max_by(|a, b| merit(a.0, a.1).total_cmp(&merit(b.0, b.1)))
            .unwrap_or((1, self.area))
    }
}

impl PanePicture {
    /// A placeholder for a pane that hasn't been drawn.
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

/// The first pane that shows an edited portrait.
fn result_pane(panes: &[PaneSpec]) -> Option<usize> {
    let moved =
        |pane: &PaneSpec| !matches!(pane.method, MethodChoice::Source | MethodChoice::Motion);
    let result = |pane: &PaneSpec| moved(pane) && pane.view == PaneView::Result;
    panes
        .iter()
        .position(result)
        .or_else(|| panes.iter().position(moved))
}

/// The wipe after a pane is removed.
fn without(wipe: Wipe, gone: usize) -> Option<Wipe> {
    let moved = |pane: usize| if pane > gone { pane - 1 } else { pane };
    (wipe.pane != gone).then(|| Wipe {
        pane: moved(wipe.pane),
        under: wipe.under.filter(|under| *under != gone).map(moved),
        ..wipe
    })
}

/// A picture's bytes, shared with iced's renderer without a copy.
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
