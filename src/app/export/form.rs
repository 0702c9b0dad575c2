//! Layout of the export dialog.

use std::path::Path;

use iced::widget::{column, container, pick_list, row, text, text_input};
use iced::{Alignment, Element, Length};

use crate::app::strings::common;
use crate::app::strings::export::{self as strings, formats};
use crate::app::widgets::controls::{action, ending, toggle};
use crate::app::widgets::theme;
use crate::document::FileFormat;
use crate::document::Project;
use crate::jobs::output::default_quality;
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
            text(strings::TITLE).size(theme::LARGE),
            line(strings::FORMAT, self.formats()),
            line(strings::PANES, self.pane_choice(project, registry)),
        ]
        .push(self.label_switch())
        .push(line(strings::SIZE, self.size()))
        .extend(self.movement())
        .push(self.sound_switch(source))
        .push(line(strings::METADATA, self.mark_switch()))
        .push(line(strings::FILE, self.file()))
        .push(small(self.summary(project, source)))
        .push(problem.map(|problem| text(problem).size(theme::NORMAL).style(theme::danger)))
        .push(self.existing.as_deref().map(replacing))
        .push(match self.existing {
            None => ending(Message::Cancel, strings::START, Some(Message::Start)),
            // Disabled, so that the second click of a double-click can't answer the question.
            Some(_) => ending(Message::Cancel, strings::START, None),
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
                FileFormat::Png => formats::PNG,
                FileFormat::Jpeg => formats::JPEG,
                FileFormat::WebpPicture => formats::WEBP,
                FileFormat::Apng => formats::APNG,
                FileFormat::Webp => formats::ANIMATED_WEBP,
                FileFormat::Gif => formats::GIF,
                FileFormat::Mp4 => formats::MP4,
                FileFormat::PngSequence => formats::PNG_SEQUENCE,
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
            let name = strings::pane(pane, &registry.title(spec.method), &spec.view.title());
            let what = What::Pane(pane);
            toggle(name, self.what == what, Message::What(what))
        });
        let grid = (project.panes().len() > 1).then(|| {
            let on = self.what == What::Grid;
            toggle(strings::ALL_PANES, on, Message::What(What::Grid))
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
                strings::SHOW_LABELS,
                self.labels,
                Message::Labels(!self.labels),
            );
            line(strings::LABELS, on)
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
            line(strings::FPS, field.into())
        });
        let range = moves.then(|| {
            let field = entry(&self.range, Message::Range).width(110);
            line(
                strings::FRAMES,
                explained(field.into(), strings::FRAMES_NOTE),
            )
        });
        let loops = self.format.loops().then(|| {
            let field = entry(&self.loops, Message::Loops).width(70);
            line(
                strings::REPEAT,
                explained(field.into(), strings::REPEAT_NOTE),
            )
        });
        let quality = has_quality(self.format).then(|| {
            let field = entry(&self.quality, Message::Quality).width(70);
            let note = strings::quality_note(default_quality(self.format));
            line(strings::QUALITY, explained(field.into(), &note))
        });
        [fps, range, loops, quality].into_iter().flatten()
    }

    fn sound_switch(&self, source: &ExportSource) -> Option<Element<'_, Message>> {
        (source.sound && self.format == FileFormat::Mp4).then(|| {
            let on = toggle(strings::CLIP_SOUND, self.sound, Message::Sound(!self.sound));
            line(strings::SOUND, on)
        })
    }

    fn mark_switch(&self) -> Element<'_, Message> {
        let mark = toggle(strings::MARK, self.marked, Message::Marked(!self.marked));
        explained(mark, strings::MARK_NOTE)
    }

    fn file(&self) -> Element<'_, Message> {
        row![
            entry(&self.path, Message::Path)
                .id(PATH)
                .width(Length::Fill)
                .on_submit(Message::Start),
            action(strings::CHOOSE, Some(Message::Choose)),
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
        let per_pane = self.what == What::Grid;
        if !self.format.moves() {
            return strings::one_picture(width, height, per_pane);
        }
        let written = self.job(source).ok().map(|(_, written)| written);
        strings::animation(written, width, height, per_pane)
    }
}

/// Asks whether an existing file may be replaced.
fn replacing<'a>(path: &Path) -> Element<'a, Message> {
    let words = strings::exists(path);
    row![
        action(common::REPLACE, Some(Message::Replace)),
        action(strings::KEEP_BOTH, Some(Message::KeepBoth)),
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
