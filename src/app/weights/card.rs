//! The model cards of the bundled weights, readable in the window; and the choice among the installed weights of each
//! method.

use iced::widget::operation::{self, RelativeOffset};
use iced::widget::{
    Id, column, container, pick_list, rich_text, row, scrollable, space, span, text,
};
use iced::{Alignment, Color, Element, Length, Task};

use crate::app::strings::common::CLOSE;
use crate::app::strings::weights as strings;
use crate::app::widgets::controls::{action, toggle};
use crate::app::widgets::theme::{self, Colors};
use crate::folders::weights_folder;
use crate::methods::models::Models;
use crate::weights::{Block, Bundled, Span, Style, blocks, installed};

/// The dialog's width, maximum height, and text width, in logical pixels.
const WIDTH: f32 = 860.0;
const HEIGHT: f32 = 720.0;
const INNER: f32 = WIDTH - 2.0 * PADDING - BAR;
const PADDING: f32 = 22.0;
/// The scroll bar, and the space before it.
const BAR: f32 = 18.0;

/// Estimated width of a character in a table's narrow columns, and the space between columns, in logical pixels.
const CHARACTER: f32 = 7.4;
const GUTTER: f32 = 18.0;

/// The model cards, one of them open.
#[derive(Debug)]
pub struct Cards {
    shown: Bundled,
    blocks: Vec<Block>,
    /// The installed weights, by method.
    sets: Vec<(Bundled, String)>,
}

#[derive(Debug, Clone)]
pub enum Message {
    Shown(Bundled),
    /// Draw a method by the weights of this name.
    Chosen(Bundled, String),
    Close,
}

pub enum Action {
    Close,
    Use(Bundled, String),
    Run(Task<Message>),
}

impl Cards {
    /// Opens the card of the bundled weights of this name, or the first card if they are the user's.
    pub fn new(name: &str) -> Self {
        let mut all = Bundled::ALL.into_iter();
        Self::of(
            all.find(|which| which.name() == name)
                .unwrap_or(Bundled::Ganimation),
        )
    }

    fn of(shown: Bundled) -> Self {
        Self::with(shown, sets())
    }

    /// Opens the card of a method, given the installed weights.
    pub fn with(shown: Bundled, sets: Vec<(Bundled, String)>) -> Self {
        Self {
            shown,
            blocks: blocks(shown.card()),
            sets,
        }
    }

    pub fn update(&mut self, message: &Message) -> Action {
        match message {
            Message::Shown(which) => {
                *self = Self::with(*which, std::mem::take(&mut self.sets));
                Action::Run(operation::snap_to(words_id(), RelativeOffset::START))
            }
            Message::Chosen(which, name) => Action::Use(*which, name.clone()),
            Message::Close => Action::Close,
        }
    }

    pub fn view(&self, models: &Models, colors: &'static Colors) -> Element<'_, Message> {
        let choices = Bundled::ALL
            .into_iter()
            .map(|which| toggle(which.title(), which == self.shown, Message::Shown(which)));
        let head = row![]
            .extend(choices)
            .push(space::horizontal())
            .push(action(CLOSE, Some(Message::Close)))
            .spacing(theme::GAP)
            .align_y(Alignment::Center);
        let words = column(self.blocks.iter().map(|part| block(part, colors)))
            .spacing(10)
            .width(INNER);
        let words = scrollable(words)
            .id(words_id())
            .width(Length::Fill)
            .style(theme::scroll);
        let head = column![head]
            .push(self.choice(models))
            .spacing(theme::SPACE);
        container(column![head, words].spacing(theme::SPACE))
            .padding(PADDING)
            .width(WIDTH)
            .max_height(HEIGHT)
            .style(theme::card)
            .into()
    }

    /// The list of installed weights for the method, with the current ones selected.
    fn choice(&self, models: &Models) -> Option<Element<'_, Message>> {
        if self.shown == Bundled::FaceLandmarker {
            return None;
        }
        let used = models.name(self.shown);
        let mut names: Vec<String> = self
            .sets
            .iter()
            .filter(|(which, _)| *which == self.shown)
            .map(|(_, name)| name.clone())
            .collect();
        // Named by a path, or removed since.
        if !names.contains(&used) {
            names.push(used.clone());
        }
        let hint = match names.len() {
            1 => strings::ONLY,
            _ => strings::SCOPE,
        };
        let place = names.iter().position(|name| *name == used).unwrap_or(0);
        let which = self.shown;
        let list = pick_list(names, Some(used), move |name| Message::Chosen(which, name))
            .text_size(theme::SMALL)
            .padding([3, 7])
            .style(theme::choice(place));
        let line = row![
            text(strings::WEIGHTS).size(theme::NORMAL),
            list,
            text(hint).size(theme::SMALL).style(theme::dim),
        ]
        .spacing(theme::GAP)
        .align_y(Alignment::Center);
        Some(line.into())
    }
}

/// The names of the installed weights of each method with a choice, without duplicates.
fn sets() -> Vec<(Bundled, String)> {
    let mut sets: Vec<(Bundled, String)> = Vec::new();
    for entry in installed(weights_folder().as_deref()).into_iter().flatten() {
        let mut all = Bundled::ALL.into_iter();
        let method = all.find(|which| which.architecture() == entry.metadata.architecture);
        let set = method.map(|which| (which, entry.name));
        sets.extend(set.filter(|set| set.0 != Bundled::FaceLandmarker && !sets.contains(set)));
    }
    sets
}

fn words_id() -> Id {
    Id::new("card")
}

fn block<'a>(block: &'a Block, colors: &'static Colors) -> Element<'a, Message> {
    match block {
        Block::Heading(1, spans) => words(spans, 20.0, colors.text, colors),
        Block::Heading(_, spans) => container(words(spans, theme::LARGE, colors.text, colors))
            .padding(iced::padding::top(8))
            .into(),
        Block::Paragraph(spans) => words(spans, theme::NORMAL, colors.body, colors),
        Block::Item(number, spans) => {
            let sign = number.map_or_else(|| "•".to_owned(), |number| format!("{number}."));
            row![
                text(sign)
                    .size(theme::NORMAL)
                    .line_height(SPACING)
                    .style(theme::dim)
                    .width(18),
                words(spans, theme::NORMAL, colors.body, colors),
            ]
            .into()
        }
        Block::Table { header, rows } => table(header, rows, colors),
        Block::Code(lines) => container(text(lines).size(theme::SMALL).font(theme::FIGURES))
            .padding(10)
            .width(Length::Fill)
            .style(theme::tip)
            .into(),
    }
}

/// Line height relative to the font size: running text needs more than a label.
const SPACING: f32 = 1.45;

/// Text wrapped to the width. Emphasis is a brighter colour, because the font has one weight, and because in a word of two
/// fonts, such as a name in brackets, only the first would be used.
fn words<'a>(spans: &'a [Span], size: f32, color: Color, colors: &Colors) -> Element<'a, Message> {
    if let [only] = spans
        && only.style == Style::Plain
    {
        return text(&only.text)
            .size(size)
            .line_height(SPACING)
            .color(color)
            .width(Length::Fill)
            .into();
    }
    let spans: Vec<_> = spans
        .iter()
        .map(|part| {
            let words = span(part.text.as_str());
            match part.style {
                Style::Plain => words.color(color),
                Style::Strong | Style::Emphasis | Style::Code => words.color(colors.text),
            }
        })
        .collect();
    rich_text(spans)
        .on_link_click(iced::never)
        .size(size)
        .line_height(SPACING)
        .width(Length::Fill)
        .into()
}

fn table<'a>(
    header: &'a [Vec<Span>],
    rows: &'a [Vec<Vec<Span>>],
    colors: &'static Colors,
) -> Element<'a, Message> {
    let widths = widths(header, rows);
    let line = move |cells: &'a [Vec<Span>], color: Color| -> Element<'a, Message> {
        let cells = cells.iter().zip(widths.clone()).map(|(cell, width)| {
            container(words(cell, theme::NORMAL, color, colors))
                .width(width)
                .into()
        });
        row(cells).spacing(GUTTER).padding([5, 0]).into()
    };
    let mut lines = column![].width(Length::Fill);
    if header.iter().any(|cell| !cell.is_empty()) {
        lines = lines.push(line(header, colors.dim));
    }
    for row in rows {
        lines = lines.push(rule()).push(line(row, colors.body));
    }
    lines.push(rule()).into()
}

/// Columns as wide as their widest cell; if that exceeds the dialog, the widest column gets the rest.
fn widths(header: &[Vec<Span>], rows: &[Vec<Vec<Span>>]) -> Vec<Length> {
    let length = |cell: &Vec<Span>| -> usize {
        let runs = cell.iter().map(|span| span.text.chars().count());
        runs.sum()
    };
    let mut widths: Vec<f32> = (0..header.len())
        .map(|i| {
            let cells = rows
                .iter()
                .filter_map(|row| row.get(i))
                .chain(&header[i..=i]);
            CHARACTER * cells.map(length).max().unwrap_or(0) as f32
        })
        .collect();
    let space = INNER - GUTTER * widths.len().saturating_sub(1) as f32;
    let wanted: f32 = widths.iter().sum();
    let widest = (0..widths.len()).max_by(|a, b| widths[*a].total_cmp(&widths[*b]));
    if wanted > space
        && let Some(widest) = widest
    {
        // No other column gets more than an equal share, so that the widest has room for text.
        let share = space / widths.len() as f32;
        return widths
            .iter()
            .enumerate()
            .map(|(i, width)| {
                if i == widest {
                    Length::Fill
                } else {
                    Length::Fixed(width.min(share))
                }
            })
            .collect();
    }
    // Small tables get up to 25 percent wider columns.
    let loose = (space / wanted.max(1.0)).clamp(1.0, 1.25);
    widths.iter_mut().for_each(|width| *width *= loose);
    widths.into_iter().map(Length::Fixed).collect()
}

fn rule<'a>() -> Element<'a, Message> {
    container(space::horizontal())
        .width(Length::Fill)
        .height(1)
        .style(theme::line)
        .into()
}
