//! Layout of the export dialog.

use std::path::Path;

use iced::widget::{column, container, pick_list, row, text, text_input};
use iced::{Alignment, Element, Length};

use crate::app::widgets::controls::{action, ending, toggle};
use crate::app::widgets::theme;
use crate::document::FileFormat;
use crate::document::Project;
use crate::methods::registry::Registry;

use super::{Export, ExportSource, Message, SCALES, What, has_quality};

const PATH: &str = "export-path";

impl Export {
    pub fn view<'a>(
        &'a self,
        project: &'a Project,
        registry: &Registry,
        source: &ExportSource,
    ) -> Element<'a, Message> {
        let problem = self.problem.as_ref();
        let content = column![
            text("Export").size(theme::LARGE),
            line("Format", self.formats()),
            line("What", self.pane_choice(project, registry)),
        ]
        .push(self.label_switch())
        .push(line("Size", self.size()))
        .extend(self.movement())
        .push(self.sound_switch(source))
        .push(line("In the file", self.mark_switch()))
        .push(line("File", self.file()))
        .push(small(self.summary(project, source)))
        .push(problem.map(|problem| text(problem).size(theme::NORMAL).style(theme::danger)))
        .push(self.existing.as_deref().map(replacing))
        .push(match self.existing {
            None => ending(Message::Cancel, "Export", Some(Message::Start)),
            // Disabled, so that the second click of a double-click can't answer the question.
            Some(_) => ending(Message::Cancel, "Export", None),
        })
        .spacing(12);
        container(content)
            .padding(22)
            .width(620)
            .style(theme::card)
            .into()
    }

    fn formats(&self) -> Element<'_, Message> {
        let formats = FileFormat::ALL.map(|format| {
            let name = match format {
                FileFormat::Png => "PNG",
                FileFormat::Jpeg => "JPEG",
                FileFormat::WebpPicture => "WebP",
                FileFormat::Apng => "Animated PNG",
                FileFormat::Webp => "Animated WebP",
                FileFormat::Gif => "GIF",
                FileFormat::Mp4 => "MP4",
                FileFormat::PngSequence => "PNG sequence",
            };
            toggle(name, self.format == format, Message::Format(format))
        });
        row(formats)
            .spacing(theme::GAP)
            .wrap()
            .vertical_spacing(theme::GAP)
            .into()
    }

    /// The choice of a pane, or all of them.
    fn pane_choice<'a>(
        &'a self,
        project: &'a Project,
        registry: &Registry,
    ) -> Element<'a, Message> {
        let panes = project.panes().iter().enumerate().map(|(pane, spec)| {
            let name = format!(
                "{} {} · {}",
                pane + 1,
                registry.title(spec.method),
                spec.view.title()
            );
            let what = What::Pane(pane);
            toggle(name, self.what == what, Message::What(what))
        });
        let grid = (project.panes().len() > 1).then(|| {
            let on = self.what == What::Grid;
            toggle("All side by side", on, Message::What(What::Grid))
        });
        row(panes)
            .push(grid)
            .spacing(theme::GAP)
            .wrap()
            .vertical_spacing(theme::GAP)
            .into()
    }

    fn label_switch(&self) -> Option<Element<'_, Message>> {
        (self.what == What::Grid).then(|| {
            let on = toggle(
                "Say what each pane is",
                self.labels,
                Message::Labels(!self.labels),
            );
            line("Labels", on)
        })
    }

    fn size(&self) -> Element<'_, Message> {
        pick_list(SCALES, Some(self.scale), Message::Scale)
            .text_size(theme::NORMAL)
            .padding([4, 8])
            .style(theme::choice((self.scale.0 * 100.0) as usize))
            .into()
    }

    /// Frame rate, frames, loops and quality, if the format has them.
    fn movement(&self) -> impl Iterator<Item = Element<'_, Message>> {
        let moves = self.format.moves();
        let fps = moves.then(|| {
            let field = entry(&self.fps, Message::Fps).width(70);
            line("Frames a second", field.into())
        });
        let range = moves.then(|| {
            let field = entry(&self.range, Message::Range).width(110);
            let words = "which frames, such as 13-24; empty for all";
            line("Frames", explained(field.into(), words))
        });
        let loops = self.format.loops().then(|| {
            let field = entry(&self.loops, Message::Loops).width(70);
            line("Times to play", explained(field.into(), "0 plays for ever"))
        });
        let quality = has_quality(self.format).then(|| {
            let field = entry(&self.quality, Message::Quality).width(70);
            let words = "1 small to 100 best; empty for the usual";
            line("Quality", explained(field.into(), words))
        });
        [fps, range, loops, quality].into_iter().flatten()
    }

    fn sound_switch(&self, source: &ExportSource) -> Option<Element<'_, Message>> {
        (source.sound && self.format == FileFormat::Mp4).then(|| {
            let on = toggle("The clip's sound", self.sound, Message::Sound(!self.sound));
            line("Sound", on)
        })
    }

    fn mark_switch(&self) -> Element<'_, Message> {
        let mark = toggle(
            "Say that a model edited it",
            self.marked,
            Message::Marked(!self.marked),
        );
        explained(mark, "for whoever looks, in IPTC's words")
    }

    fn file(&self) -> Element<'_, Message> {
        row![
            entry(&self.path, Message::Path)
                .id(PATH)
                .width(Length::Fill)
                .on_submit(Message::Start),
            action("Choose…", Some(Message::Choose)),
        ]
        .spacing(theme::GAP)
        .align_y(Alignment::Center)
        .into()
    }

    /// Describes what will be written, in a sentence.
    fn summary(&self, project: &Project, source: &ExportSource) -> String {
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
        match self.job(source) {
            Ok((_, written)) => {
                format!("{written} frames, {width} x {height} pixels{each}.")
            }
            Err(_) => format!("{width} x {height} pixels{each}."),
        }
    }
}

/// Asks whether an existing file may be replaced.
fn replacing<'a>(path: &Path) -> Element<'a, Message> {
    let words = format!("{} is there already.", path.display());
    row![
        action("Replace it", Some(Message::Replace)),
        action("Keep both", Some(Message::KeepBoth)),
        text(words).size(theme::NORMAL).style(theme::danger),
    ]
    .spacing(theme::GAP)
    .align_y(Alignment::Center)
    .into()
}

/// A line of the form: its name and the controls.
fn line<'a>(name: &'a str, content: Element<'a, Message>) -> Element<'a, Message> {
    let name = text(name).size(theme::NORMAL).style(theme::dim).width(120);
    row![name, content]
        .spacing(theme::GAP)
        .align_y(Alignment::Center)
        .into()
}

/// A control with an explanation after it.
fn explained<'a>(control: Element<'a, Message>, words: &str) -> Element<'a, Message> {
    row![control, small(words.to_owned())]
        .spacing(theme::GAP)
        .align_y(Alignment::Center)
        .into()
}

fn small<'a>(words: String) -> text::Text<'a> {
    text(words).size(theme::SMALL).style(theme::dim)
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
