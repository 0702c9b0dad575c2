//! The open grid: neighbours of the sample, with a row per content and a column per motion.

use iced::widget::tooltip::Position;
use iced::widget::{Image, button, column, container, image, row, scrollable, space, text};
use iced::{Alignment, Element, Length, Theme, border};

use crate::app::strings::{common, sample_grid as strings};
use crate::app::widgets::controls::{action, hinted};
use crate::app::widgets::icon::Icon;
use crate::app::widgets::signs::Sign;
use crate::app::widgets::theme::{self, Tint};
use crate::document::SampledMotion;

use super::neighbours::{COLUMNS, Cell, ROWS};
use super::previews::PreviewFrames;
use super::view::{INNER, id};
use super::{Message, OPEN_SIZE, SampleGrid};

const PADDING: f32 = 22.0;

/// The space between the controls and the neighbours.
const GUTTER: f32 = 24.0;

/// Size of the row and column headers.
const HEAD: f32 = 28.0;

/// Height of the favourites and the blend below the neighbours.
const FOOT: f32 = 74.0;

/// Side of a neighbour's picture, and width of the border that marks it.
const PICTURE: f32 = 94.0;
const EDGE: f32 = 2.0;

impl SampleGrid {
    /// The open grid, with the controls next to the neighbours.
    pub fn dialog<'a>(&'a self, motion: &'a SampledMotion) -> Element<'a, Message> {
        let content = row![
            container(self.controls(motion)).width(INNER),
            self.neighbours(motion),
        ]
        .spacing(GUTTER);
        container(content)
            .padding(PADDING)
            .width(OPEN_SIZE.width)
            .height(OPEN_SIZE.height)
            .style(theme::card)
            .into()
    }

    fn neighbours<'a>(&'a self, motion: &'a SampledMotion) -> Element<'a, Message> {
        let words = if self.picking {
            text(strings::PICK_VARIATION).style(theme::accent)
        } else {
            text(strings::ROWS_AND_COLUMNS).style(theme::dim)
        };
        let top = row![
            text(strings::TITLE).size(theme::LARGE),
            words.size(theme::SMALL),
            space::horizontal(),
            hinted(
                action(strings::RESHUFFLE, Some(Message::More)),
                strings::RESHUFFLE_HINT,
                Position::Bottom,
            ),
            action(common::CLOSE, Some(Message::Close)),
        ]
        .spacing(10)
        .align_y(Alignment::Center);

        let heads = (0..COLUMNS).map(|column| {
            let cell = Cell { row: 0, column };
            let free = column > 0 && !motion.hold_motion;
            let head = head(
                Sign::Movement,
                column == 0,
                free.then_some(Message::Chosen(cell)),
            );
            let head = hinted(
                head.width(size()).height(HEAD),
                strings::THIS_MOVEMENT_HINT,
                Position::Top,
            );
            container(head).id(id(&format!("column-{column}"))).into()
        });
        let mut grid = column![
            row![space::horizontal().width(HEAD)]
                .extend(heads)
                .spacing(theme::GAP)
        ]
        .spacing(theme::GAP);
        for at in 0..ROWS {
            let cell = Cell { row: at, column: 0 };
            let free = at > 0 && !motion.hold_content;
            let head = head(Sign::Person, at == 0, free.then_some(Message::Chosen(cell)));
            let head = hinted(
                head.width(HEAD).height(size()),
                strings::THIS_PERSON_HINT,
                Position::Left,
            );
            let cells = (0..COLUMNS).map(|column| self.cell(Cell { row: at, column }, motion));
            grid = grid.push(
                row![container(head).id(id(&format!("row-{at}")))]
                    .extend(cells)
                    .spacing(theme::GAP),
            );
        }
        let favourites = scrollable(self.favourites(motion)).style(theme::scroll);
        let rest = row![
            container(favourites).width(INNER).height(FOOT),
            self.blend(motion)
        ]
        .spacing(theme::SPACE);
        column![top, grid, rest]
            .spacing(theme::SPACE)
            .width(Length::Fill)
            .into()
    }

    fn cell<'a>(&'a self, cell: Cell, motion: &'a SampledMotion) -> Element<'a, Message> {
        let own = cell == Cell::OWN;
        let face = button(self.preview(self.previews.cell(cell), PICTURE, motion))
            .on_press(Message::Chosen(cell))
            .padding(EDGE)
            .style(move |theme: &Theme, status| {
                let colors = theme::colors(theme);
                let color = match status {
                    _ if own => colors.accent,
                    button::Status::Hovered | button::Status::Pressed => colors.dim,
                    button::Status::Active | button::Status::Disabled => colors.panel,
                };
                button::Style {
                    border: border::rounded(4).color(color).width(EDGE),
                    ..button::Style::default()
                }
            });
        container(face)
            .id(id(&format!("cell-{}-{}", cell.row, cell.column)))
            .into()
    }

    /// The current frame of a preview; a placeholder until it is drawn.
    pub(super) fn preview<'a>(
        &self,
        preview: Option<&PreviewFrames>,
        side: f32,
        motion: &SampledMotion,
    ) -> Element<'a, Message> {
        let frame = preview.and_then(|preview| preview.get(self.frame(preview.len(), motion)));
        match frame {
            Some(handle) => Image::new(handle.clone())
                .width(side)
                .height(side)
                .filter_method(image::FilterMethod::Linear)
                .into(),
            None => container(space::horizontal())
                .width(side)
                .height(side)
                .style(|theme: &Theme| container::Style {
                    background: Some(theme::colors(theme).raised.into()),
                    ..container::Style::default()
                })
                .into(),
        }
    }
}

fn size() -> f32 {
    PICTURE + 2.0 * EDGE
}

fn head<'a>(sign: Sign, own: bool, message: Option<Message>) -> iced::widget::Button<'a, Message> {
    let tint: Tint = match (own, message.is_some()) {
        (true, _) => |colors| colors.accent,
        (_, true) => |colors| colors.text,
        _ => |colors| colors.faint,
    };
    button(container(sign.into_element(tint)).center(Length::Fill))
        .on_press_maybe(message)
        .padding(0)
        .style(theme::flat)
}
