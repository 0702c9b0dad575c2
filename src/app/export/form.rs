//! What the export dialog looks like.

use iced::widget::{column, container, pick_list, row, text, text_input};
use iced::{Alignment, Element, Length};

use crate::app::widgets::controls::{action, ending, toggle};
use crate::app::widgets::theme;
use crate::document::Project;
use crate::jobs::export::Format;

use super::{Export, Message, SCALES, Seen, What, has_quality};

const PATH: &str = "export-path";

impl Export {
    pub fn view<'a>(&'a self, project: &'a Project, seen: &Seen) -> Element<'a, Message> {
        let label = |name| {
            text(name)
                .size(theme::NORMAL)
                .color(theme::dim())
                .width(120)
        };
        let line = |name, content: Element<'a, Message>| {
            row![label(name), content]
                .spacing(theme::GAP)
                .align_y(Alignment::Center)
        };
        let small = |words: String| text(words).size(theme::SMALL).color(theme::dim());
        let beside = |field: Element<'a, Message>, words: &'static str| {
            row![field, small(words.to_owned())]
                .spacing(theme::GAP)
                .align_y(Alignment::Center)
                .into()
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
        let panes = project.panes().iter().enumerate().map(|(pane, spec)| {
            let name = format!("{} {} · {}", pane + 1, spec.way, spec.show.title());
            let what = What::Pane(pane);
            toggle(name, self.what == what, Message::What(what))
        });
        let grid = (project.panes().len() > 1).then(|| {
            let on = self.what == What::Grid;
            toggle("All side by side", on, Message::What(What::Grid))
        });
        let whats = row(panes)
            .push(grid)
            .spacing(theme::GAP)
            .wrap()
            .vertical_spacing(theme::GAP);
        let labels = (self.what == What::Grid).then(|| {
            let on = toggle(
                "Say what each pane is",
                self.labels,
                Message::Labels(!self.labels),
            );
            line("Labels", on)
        });
        let size = pick_list(SCALES, Some(self.scale), Message::Scale)
            .text_size(theme::NORMAL)
            .padding([4, 8])
            .style(theme::choice((self.scale.0 * 100.0) as usize));
        let moves = self.format.moves();
        let fps = moves.then(|| {
            let field = entry(&self.fps, Message::Fps).width(70);
            line("Frames a second", field.into())
        });
        let range = moves.then(|| {
            let field = entry(&self.range, Message::Range).width(110);
            let words = "which frames, such as 13-24; empty for all";
            line("Frames", beside(field.into(), words))
        });
        let loops = self.format.loops().then(|| {
            let field = entry(&self.loops, Message::Loops).width(70);
            line("Times to play", beside(field.into(), "0 plays for ever"))
        });
        let quality = has_quality(self.format).then(|| {
            let field = entry(&self.quality, Message::Quality).width(70);
            let words = "1 small to 100 best; empty for the usual";
            line("Quality", beside(field.into(), words))
        });
        let sound = (seen.sound.is_some() && self.format == Format::Mp4).then(|| {
            let on = toggle("The clip's sound", self.sound, Message::Sound(!self.sound));
            line("Sound", on)
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
        let mark = toggle(
            "Say that a model edited it",
            self.marked,
            Message::Marked(!self.marked),
        );
        let content = column![
            text("Export").size(theme::LARGE),
            line("Format", formats.into()),
            line("What", whats.into()),
        ]
        .push(labels)
        .push(line("Size", size.into()))
        .push(fps)
        .push(range)
        .push(loops)
        .push(quality)
        .push(sound)
        .push(line(
            "In the file",
            beside(mark, "for whoever looks, in IPTC's words"),
        ))
        .push(line("File", file.into()))
        .push(small(self.summary(project, seen)))
        .push(
            self.problem
                .as_ref()
                .map(|problem| text(problem).size(theme::NORMAL).color(theme::danger())),
        )
        .push(ending(Message::Cancel, "Export", Message::Start))
        .spacing(12);
        container(content)
            .padding(22)
            .width(620)
            .style(theme::card)
            .into()
    }

    /// What will be written, in a sentence.
    fn summary(&self, project: &Project, seen: &Seen) -> String {
        let portrait = &project.document().portrait;
        let scaled = |side: u32| ((f64::from(side) * self.scale.0).round() as u32).max(1);
        let (width, height) = (scaled(portrait.width), scaled(portrait.height));
        let each = match self.what {
            What::Pane(_) => "",
            What::Grid => " each pane",
        };
        if !self.format.moves() {
            return format!(
                "One picture, {width} x {height} pixels{each}, of the frame under the playhead."
            );
        }
        match self.film(seen) {
            Ok(film) => {
                let written = film.progress().total();
                format!("{written} frames, {width} x {height} pixels{each}.")
            }
            Err(_) => format!("{width} x {height} pixels{each}."),
        }
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
