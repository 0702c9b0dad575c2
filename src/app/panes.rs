//! The canvas in the middle: up to four panes over one portrait, zoomed and panned together.

use std::sync::Arc;

use iced::widget::tooltip::Position;
use iced::widget::{column, container, image, row, sensor, space, stack, text};
use iced::{Alignment, Element, Length, Size};

use super::pane::{Overlay, Picture};
use super::theme;
use super::widgets::{hinted, toggle};
use crate::engine::{FoundFace, Outcome, Pane, View};
use crate::studio::{Crop, Document};

/// The space between panes, in logical pixels.
const GUTTER: f32 = 4.0;

/// A picture of fewer bytes is sent to the graphics card at once; larger ones flicker while they load.
const TILE_BYTES: u32 = 2 * 1024 * 1024 - 1;

#[derive(Debug)]
pub struct Panes {
    shown: Vec<Pane>,
    look: Look,
    /// The room for all panes, in logical pixels.
    area: Size,
    /// Physical pixels a logical pixel.
    scale: f32,
    pub wipe: Option<f32>,
    pub crop_shown: bool,
    /// Whether the source is held up in place of the result.
    pub holding: bool,
    pictures: Vec<Shown>,
    serial: u64,
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
    pane: Pane,
    /// Physical pixels.
    pub size: (u32, u32),
    pub tiles: Vec<Tile>,
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
    Toggled(Pane),
    /// A factor about a point of the pane, in physical pixels.
    Zoomed(f64, (f64, f64)),
    /// Physical pixels.
    Panned((f64, f64)),
    Fit,
    Face,
    Actual,
    WipeToggled,
    Wiped(f32),
    CropToggled,
    Cropped(Crop),
    /// The square is to be turned with the head, or to stand upright again.
    Levelled(bool),
    /// Another of the portrait's faces is wanted.
    Picked(usize),
    Released,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    None,
    Crop(Crop),
    Face(usize),
    Level(bool),
    EndGesture,
}

impl Default for Panes {
    fn default() -> Self {
        Self {
            shown: vec![Pane::Source, Pane::Result, Pane::Attention, Pane::Color],
            look: Look::Face,
            area: Size::new(800.0, 560.0),
            scale: 1.0,
            wipe: None,
            crop_shown: true,
            holding: false,
            pictures: Vec::new(),
            serial: 0,
        }
    }
}

impl Panes {
    /// The panes that are seen, in their order.
    pub fn shown(&self) -> &[Pane] {
        &self.shown
    }

    /// The number of the request whose pictures are shown.
    pub fn serial(&self) -> u64 {
        self.serial
    }

    pub fn set_scale(&mut self, scale: f32) {
        self.scale = scale.max(0.1);
    }

    /// Another portrait: its face is shown where it is known, else the whole of it.
    pub fn show_face(&mut self, known: bool) {
        self.look = if known { Look::Face } else { Look::Whole };
    }

    /// What every pane shows of the portrait, in physical pixels.
    pub fn view_of(&self, document: &Document) -> View {
        let portrait = (document.portrait.width, document.portrait.height);
        let (_, cell) = self.layout();
        let pixels = |side: f32| ((side * self.scale).round() as u32).max(1);
        let (width, height) = (pixels(cell.width), pixels(cell.height));
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
        self.serial = outcome.serial;
        let panes = outcome.request.panes.iter();
        self.pictures = panes
            .zip(&outcome.pictures)
            .map(|(pane, picture)| Shown {
                pane: *pane,
                size: picture.size(),
                tiles: tiles(picture.size(), picture.rgba()),
            })
            .collect();
        true
    }

    pub fn update(&mut self, message: Message, document: &Document) -> Action {
        let portrait = (document.portrait.width, document.portrait.height);
        let view = self.view_of(document);
        match message {
            Message::Area(area) => {
                self.hold(view);
                self.area = area;
            }
            Message::Toggled(pane) => {
                self.hold(view);
                toggle_pane(&mut self.shown, pane);
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
                self.wipe = match self.wipe {
                    Some(_) => None,
                    None => Some(0.5),
                };
                if self.wipe.is_some() && !self.shown.contains(&Pane::Result) {
                    toggle_pane(&mut self.shown, Pane::Result);
                }
            }
            Message::Wiped(place) => self.wipe = Some(place.clamp(0.0, 1.0)),
            Message::CropToggled => self.crop_shown = !self.crop_shown,
            Message::Cropped(crop) => {
                // The view stays put while the crop is under the hand.
                self.look = Look::At(view);
                return Action::Crop(crop.fitted(portrait.0, portrait.1));
            }
            Message::Levelled(level) => return Action::Level(level),
            Message::Picked(index) => return Action::Face(index),
            Message::Released => return Action::EndGesture,
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
    fn layout(&self) -> (usize, Size) {
        let count = self.shown.len();
        let cell = |columns: usize| {
            let rows = count.div_ceil(columns);
            let side = |room: f32, n: usize| {
                ((room - GUTTER * (n - 1) as f32) / n as f32)
                    .floor()
                    .max(1.0)
            };
            Size::new(side(self.area.width, columns), side(self.area.height, rows))
        };
        let merit = |columns: usize, size: Size| {
            let empty = columns * count.div_ceil(columns) - count;
            // A percent larger is not worth an empty place.
            size.width.min(size.height) * (1.0 - 0.01 * empty as f32)
        };
        (1..=count)
            .map(|columns| (columns, cell(columns)))
            .max_by(|a, b| merit(a.0, a.1).total_cmp(&merit(b.0, b.1)))
            .unwrap_or((1, self.area))
    }

    pub fn view<'a>(
        &'a self,
        document: &'a Document,
        faces: &[Arc<FoundFace>],
        onset: bool,
    ) -> Element<'a, Message> {
        let (columns, cell) = self.layout();
        let view = self.view_of(document);
        // The crop is drawn where the portrait itself is seen, or failing that on the first pane.
        let crop_pane = self
            .shown
            .iter()
            .find(|pane| **pane == Pane::Source)
            .or(self.shown.first());
        // The one that is edited wears the crop.
        let others = || -> Vec<(usize, (f32, f32, f32, f32))> {
            let faces = faces.iter().enumerate();
            faces
                .filter(|(index, _)| document.face != Some(*index))
                .map(|(index, face)| (index, face.mesh.bounds()))
                .collect()
        };
        let rows = self.shown.chunks(columns).map(|line| {
            let cells = line.iter().map(|pane| {
                let picture = Picture {
                    shown: self.pictures.iter().find(|shown| shown.pane == *pane),
                };
                let marked = self.crop_shown && crop_pane == Some(pane);
                let overlay = Overlay {
                    pane: *pane,
                    view,
                    scale: f64::from(self.scale),
                    crop: marked.then_some(document.crop),
                    faces: if marked { others() } else { Vec::new() },
                    wipe: self.wipe.filter(|_| *pane == Pane::Result),
                    holding: self.holding && *pane == Pane::Result,
                    edited: onset,
                };
                container(stack![picture.into_element(), overlay.into_element()])
                    .id(pane.key())
                    .width(cell.width)
                    .height(cell.height)
                    .clip(true)
                    .into()
            });
            row(cells).spacing(GUTTER).into()
        });
        let area = sensor(
            container(column(rows).spacing(GUTTER))
                .center(Length::Fill)
                .style(|_| container::Style {
                    background: Some(theme::ground().into()),
                    ..container::Style::default()
                }),
        )
        .on_show(Message::Area)
        .on_resize(Message::Area);
        column![area, self.toolbar(view, document)].into()
    }

    fn toolbar(&self, view: View, document: &Document) -> Element<'_, Message> {
        let panes = Pane::ALL.into_iter().map(|pane| {
            let hint = match pane {
                Pane::Source => "The portrait as it is (1)",
                Pane::Result => "The edited portrait (2)",
                Pane::Attention => "What the network edits: dark is kept, bright is redrawn (3)",
                Pane::Color => "What the network would paint in the crop (4)",
            };
            let on = self.shown.contains(&pane);
            hinted(
                toggle(pane.title(), on, Message::Toggled(pane)),
                hint,
                Position::Top,
            )
        });
        let wipe = hinted(
            toggle("Wipe", self.wipe.is_some(), Message::WipeToggled),
            "Source on the left of a line, result on its right; drag the line (W)",
            Position::Top,
        );
        let crop = hinted(
            toggle("Face crop", self.crop_shown, Message::CropToggled),
            "The square that the network sees: drag its edge to move it, a corner to size it (C)",
            Position::Top,
        );
        let turned = document.crop.angle != 0.0;
        let level = document.face.map(|_| {
            hinted(
                toggle("Level", turned, Message::Levelled(!turned)),
                "Turns the square with a head that leans, so that the network sees it upright",
                Position::Top,
            )
        });
        let fit = hinted(
            toggle("Whole", self.look == Look::Whole, Message::Fit),
            "The whole portrait (F)",
            Position::Top,
        );
        let face = hinted(
            toggle("Face", self.look == Look::Face, Message::Face),
            "The face and a little around it (G, or double-click)",
            Position::Top,
        );
        let actual = hinted(
            toggle("1:1", false, Message::Actual),
            "One pixel of the portrait is one of the screen",
            Position::Top,
        );
        let percent = text(format!("{:>5.0} %", view.zoom * 100.0))
            .size(theme::SMALL)
            .font(theme::FIGURES)
            .color(theme::dim());
        let tools = row(panes)
            .push(space::horizontal().width(theme::SPACE))
            .push(wipe)
            .push(crop)
            .push(level)
            .push(space::horizontal())
            .push(percent)
            .push(face)
            .push(fit)
            .push(actual)
            .spacing(theme::GAP)
            .align_y(Alignment::Center);
        container(tools)
            .padding([theme::GAP, theme::SPACE])
            .width(Length::Fill)
            .into()
    }
}

/// Adds a pane in its place or takes it away; the last one stays.
pub fn toggle_pane(panes: &mut Vec<Pane>, pane: Pane) {
    if !panes.contains(&pane) {
        panes.push(pane);
        panes.sort_by_key(|pane| Pane::ALL.iter().position(|other| other == pane));
    } else if panes.len() > 1 {
        panes.retain(|other| *other != pane);
    }
}

fn tiles((width, height): (u32, u32), rgba: &[u8]) -> Vec<Tile> {
    let rows = (TILE_BYTES / (width * 4).max(1)).max(1);
    let pitch = width as usize * 4;
    (0..height)
        .step_by(rows as usize)
        .map(|top| {
            let rows = rows.min(height - top);
            let bytes = &rgba[top as usize * pitch..][..rows as usize * pitch];
            Tile {
                top,
                rows,
                handle: image::Handle::from_rgba(width, rows, bytes.to_vec()),
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{Model, Picture, Request, Sample, Scene};

    #[test]
    fn tiles_are_small_and_cover_every_row() {
        for (width, height) in [(1, 1), (640, 480), (1920, 1080), (7000, 300)] {
            let rgba = vec![0; width as usize * height as usize * 4];
            let tiles = tiles((width, height), &rgba);
            assert_eq!(tiles.iter().map(|tile| tile.rows).sum::<u32>(), height);
            assert!(tiles.iter().all(|tile| tile.rows * width * 4 <= TILE_BYTES));
            let tops: Vec<u32> = tiles.iter().map(|tile| tile.top).collect();
            assert!(tops.windows(2).all(|pair| pair[0] < pair[1]));
        }
    }

    #[test]
    fn a_stale_picture_never_takes_a_newer_ones_place() {
        let portrait = Sample::all()[0]
            .open(Model::bundled().unwrap().crop())
            .unwrap();
        let request = Request {
            id: 0,
            portrait: Arc::clone(&portrait.picture),
            face: None,
            scene: Scene::of(&portrait.document(0), 0),
            view: View::fit(4, 4, portrait.picture.size()),
            panes: vec![Pane::Result],
            wipe: None,
            source: false,
        };
        let outcome = |serial: u64, size: u32| Outcome {
            serial,
            request: request.clone(),
            pictures: vec![Picture::new(size, size, vec![0; (size * size * 4) as usize]).unwrap()],
            mean_edit: 0.0,
            millis: 0.0,
            network_millis: None,
        };
        let mut panes = Panes::default();
        assert!(panes.take(&outcome(5, 4)));
        assert!(!panes.take(&outcome(3, 2)));
        assert_eq!(panes.pictures[0].size, (4, 4));
        assert!(panes.take(&outcome(6, 3)));
        assert_eq!(panes.pictures[0].size, (3, 3));
    }

    #[test]
    fn the_layout_shows_a_face_as_large_as_it_can() {
        let mut panes = Panes {
            area: Size::new(900.0, 500.0),
            ..Panes::default()
        };
        assert_eq!(panes.layout().0, 2);
        toggle_pane(&mut panes.shown, Pane::Color);
        assert_eq!(panes.layout().0, 3);
        toggle_pane(&mut panes.shown, Pane::Attention);
        toggle_pane(&mut panes.shown, Pane::Source);
        assert_eq!(panes.layout(), (1, Size::new(900.0, 500.0)));
        toggle_pane(&mut panes.shown, Pane::Result);
        assert_eq!(panes.shown(), [Pane::Result], "the last pane stays");
    }
}
