//! What the export dialog looks like.

use iced::widget::{column, container, pick_list, row, space, text, text_input};
use iced::{Alignment, Element, Length};

use super::{Export, Message, SCALES};
use crate::app::theme;
use crate::app::widgets::{action, decimal, ending, progress_of, toggle};
use crate::engine::{Format, Pane, Progress};
use crate::studio::Document;

const PATH: &str = "export-path";

impl Export {
    pub fn view<'a>(&'a self, document: &'a Document) -> Element<'a, Message> {
        let content = match &self.running {
            Some(progress) => self.progress(progress),
            None => self.form(document),
        };
        container(content)
            .padding(22)
            .width(520)
            .style(theme::card)
            .into()
    }

    fn form<'a>(&'a self, document: &'a Document) -> Element<'a, Message> {
        let label = |name| {
            text(name)
                .size(theme::NORMAL)
                .color(theme::dim())
                .width(110)
        };
        let line = |name, content: Element<'a, Message>| {
            row![label(name), content]
                .spacing(theme::GAP)
                .align_y(Alignment::Center)
        };
        let formats = row(Format::ALL.map(|format| {
            let name = match format {
                Format::Png => "PNG",
                Format::Jpeg => "JPEG",
                Format::WebpPicture => "WebP",
                Format::Apng => "Animated PNG",
                Format::Webp => "Animated WebP",
                Format::Gif => "GIF",
                Format::Mp4 => "MP4",
                Format::PngSequence => "PNG sequence",
            };
            toggle(name, self.format == format, Message::Format(format))
        }))
        .spacing(theme::GAP)
        .wrap()
        .vertical_spacing(theme::GAP);
        let panes = row(Pane::ALL.map(|pane| {
            toggle(
                pane.title(),
                self.panes.contains(&pane),
                Message::Pane(pane),
            )
        }))
        .spacing(theme::GAP);
        let size = pick_list(SCALES, Some(self.scale), Message::Scale)
            .text_size(theme::NORMAL)
            .padding([4, 8])
            .style(theme::choice((self.scale.0 * 100.0) as usize));
        let moves = self.format.moves();
        let fps = moves.then(|| {
            let field = entry(&self.fps, Message::Fps).width(70);
            line("Frames a second", field.into())
        });
        let loops = self.format.loops().then(|| {
            let field = entry(&self.loops, Message::Loops).width(70);
            let hint = text("0 plays for ever")
                .size(theme::SMALL)
                .color(theme::dim());
            line(
                "Times to play",
                row![field, hint]
                    .spacing(theme::GAP)
                    .align_y(Alignment::Center)
                    .into(),
            )
        });
        let file = row![
            entry(&self.path, Message::Path)
                .id(PATH)
                .width(Length::Fill)
                .on_submit(Message::Start),
            action("Choose…", Some(Message::Choose)),
        ]
        .spacing(theme::GAP)
        .align_y(Alignment::Center);

        let mark = row![
            toggle(
                "Say that a model edited it",
                self.marked,
                Message::Marked(!self.marked),
            ),
            text("for whoever looks, in IPTC's words")
                .size(theme::SMALL)
                .color(theme::dim()),
        ]
        .spacing(theme::GAP)
        .align_y(Alignment::Center);

        column![
            text("Export").size(theme::LARGE),
            line("Format", container(formats).width(Length::Fill).into()),
            line("Side by side", panes.into()),
            line("Size", size.into()),
        ]
        .push(fps)
        .push(loops)
        .push(line("In the file", mark.into()))
        .push(line("File", file.into()))
        .push(
            text(self.summary(document))
                .size(theme::SMALL)
                .color(theme::dim()),
        )
        .push(
            self.problem
                .as_ref()
                .map(|problem| text(problem).size(theme::NORMAL).color(theme::danger())),
        )
        .push(ending(Message::Cancel, "Export", Message::Start))
        .spacing(12)
        .into()
    }

    fn summary(&self, document: &Document) -> String {
        let scaled = |side: u32| ((f64::from(side) * self.scale.0).round() as u32).max(1);
        let (width, height) = (
            scaled(document.portrait.width) * self.panes.len() as u32,
            scaled(document.portrait.height),
        );
        if !self.format.moves() {
            return format!(
                "One picture of {width} x {height} pixels, of the frame under the playhead."
            );
        }
        let frames = decimal(&self.fps).filter(|fps| *fps >= 1.0).map(|fps| {
            let mut track = document.track.clone();
            track.set_fps(fps);
            track.order().len()
        });
        let still = if document.track.keyframes().len() < 2 {
            " The track has fewer than two keyframes, so nothing will move."
        } else {
            ""
        };
        match frames {
            Some(frames) => format!(
                "{frames} frames of {width} x {height} pixels, {}.{still}",
                document.track.playback.to_string().to_lowercase()
            ),
            None => format!("{width} x {height} pixels."),
        }
    }

    fn progress(&self, progress: &Progress) -> Element<'_, Message> {
        column![
            text("Exporting").size(theme::LARGE),
            progress_of(progress),
            row![space::horizontal(), action("Cancel", Some(Message::Cancel))],
        ]
        .spacing(12)
        .into()
    }
}

fn entry<'a>(
    value: &str,
    on_input: impl Fn(String) -> Message + 'a,
) -> text_input::TextInput<'a, Message> {
    text_input("", value)
        .on_input(on_input)
        .size(theme::NORMAL)
        .padding([4, 8])
        .style(theme::field)
}
