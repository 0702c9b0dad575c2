//! The window as a whole: top bar, panels, status line, dialog.

use iced::widget::tooltip::Position;
use iced::widget::{
    button, center, column, container, mouse_area, opaque, row, space, stack, text,
};
use iced::{Alignment, Element, Length};

use crate::app::export::queue;
use crate::app::panes::Names;
use crate::app::strings::{common, top_bar as strings};
use crate::app::timeline::subject::SheetData;
use crate::app::widgets::controls::{action, hinted, toggle};
use crate::app::widgets::signs::{Sign, sign};
use crate::app::widgets::theme::{self, TextStyle};
use crate::app::{App, Message, Notice, expression, projects, subject};
use crate::face::portrait::Sample;
use crate::methods::MethodInfo;

impl App {
    /// Builds the whole window.
    pub fn view(&self) -> Element<'_, Message> {
        let document = self.document();
        let frame = self.timeline.frame();
        // A clip or a sample may edit the face at any frame.
        let edited = !self.project().is_editable() || document.is_edited(frame);
        let adjusted = self.adjusted_face();
        let canvas = row![
            self.panes
                .view(&self.names(), self.faces().0, adjusted.as_ref(), edited)
                .map(Message::Panes),
        ]
        .push((!self.motions.hidden).then(|| self.motions_view()));
        let right = column![
            canvas.height(Length::Fill),
            self.timeline
                .view(SheetData {
                    subject: subject(&self.history, &self.drivers),
                    rendered: &self.rendered,
                    numbers: self.measuring.numbers.as_ref(),
                    measuring: self.measuring.words.as_deref(),
                    panes: self.project().panes().len(),
                    against: self.measuring.against,
                })
                .map(Message::Timeline),
        ];
        let kept = self.neutral_face().map(|kept| kept.hint.as_str());
        let registry = self.models.registry();
        let has_face = document.face.is_some();
        let panes = self.project().panes().iter();
        let drawing = panes.filter_map(|pane| registry.expression_method(pane.method, has_face));
        let drawing: Vec<&MethodInfo> = drawing.collect();
        let shown = expression::ExpressionViewData {
            document,
            frame,
            neutral: kept,
            drawing: &drawing,
            measured_folds: self.measured_folds(),
        };
        let middle = row![self.expression.view(shown).map(Message::Expression), right,];
        let base = column![
            self.top_bar(),
            middle.height(Length::Fill),
            self.status_line(),
        ];
        let export = self.export.as_ref().zip(self.export_source());
        let export = export.map(|(dialog, seen)| {
            dialog
                .view(self.project(), self.models.registry(), &seen)
                .map(Message::Export)
        });
        let queue = self
            .queue
            .open
            .then(|| self.queue.view().map(Message::Queue));
        let export = export.or(queue);
        let dialog = export.or(self.sample_grid_view());
        let cards = self.cards.as_ref();
        let dialog = dialog.or(cards.map(|cards| {
            cards
                .view(&self.models, theme::colors(&self.theme()))
                .map(Message::Card)
        }));
        let question = self
            .projects
            .dialog(self.project(), self.panes.labels, self.queue.progress())
            .map(|question| question.map(Message::Project));
        let dialog = question.or(dialog).map(|dialog| {
            let middle = center(opaque(dialog))
                .padding(theme::SPACE)
                .style(theme::shade);
            opaque(mouse_area(middle))
        });
        stack![base, dialog].into()
    }

    /// What the panes' names are made of.
    fn names(&self) -> Names<'_> {
        let models = &self.models;
        Names {
            project: self.project(),
            models,
        }
    }

    fn top_bar(&self) -> Element<'_, Message> {
        let portrait = &self.document().portrait;
        let samples = Sample::all().iter().enumerate().map(|(index, sample)| {
            hinted(
                action(&sample.title, Some(Message::OpenSample(index))),
                &sample.credit,
                Position::Bottom,
            )
        });
        let undo = self.history.can_undo().then_some(Message::Undo);
        let redo = self.history.can_redo().then_some(Message::Redo);
        container(
            row![
                text(strings::MIEN).size(theme::LARGE),
                space::horizontal().width(theme::SPACE),
                hinted(
                    action(
                        strings::PROJECT,
                        Some(Message::Project(projects::Message::Menu))
                    ),
                    strings::PROJECT_HINT,
                    Position::Bottom,
                ),
                hinted(
                    action(strings::OPEN, Some(Message::OpenDialog)),
                    strings::OPEN_HINT,
                    Position::Bottom,
                ),
                text(strings::SAMPLES).size(theme::SMALL).style(theme::dim),
            ]
            .extend(samples)
            .push(space::horizontal())
            .push(text(self.name()).size(theme::NORMAL))
            .push(
                text(common::size(portrait.width, portrait.height))
                    .size(theme::SMALL)
                    .font(theme::FIGURES)
                    .style(theme::dim),
            )
            .push(space::horizontal())
            .push(hinted(
                sign(Sign::Undo, undo),
                strings::UNDO_HINT,
                Position::Bottom,
            ))
            .push(hinted(
                sign(Sign::Redo, redo),
                strings::REDO_HINT,
                Position::Bottom,
            ))
            .push(space::horizontal().width(theme::SPACE))
            .push(self.queue.title().map(|title| {
                button(text(title).size(theme::SMALL).font(theme::FIGURES))
                    .on_press(Message::Queue(queue::Message::Toggled))
                    .padding([4, 9])
                    .style(theme::raised)
            }))
            .push(hinted(
                toggle(
                    strings::MOTIONS,
                    !self.motions.hidden,
                    Message::MotionsToggled,
                ),
                strings::MOTIONS_HINT,
                Position::Bottom,
            ))
            .push(
                button(text(strings::EXPORT).size(theme::NORMAL))
                    .on_press(Message::ExportDialog)
                    .padding([4, 14])
                    .style(theme::primary),
            )
            .spacing(theme::GAP)
            .align_y(Alignment::Center),
        )
        .padding([8.0, theme::SPACE])
        .style(theme::panel)
        .into()
    }

    fn status_line(&self) -> Element<'_, Message> {
        let figures = |content: String| {
            text(content)
                .size(theme::SMALL)
                .font(theme::FIGURES)
                .style(theme::dim)
        };
        let notice: Element<'_, Message> = match &self.status.notice {
            _ if self.opening => text(strings::OPENING)
                .size(theme::SMALL)
                .style(theme::dim)
                .into(),
            Some(Notice::Hint(hint)) => closable(hint, theme::accent),
            Some(Notice::Problem(problem)) => closable(problem, theme::danger),
            None => text(strings::IDLE)
                .size(theme::SMALL)
                .style(theme::faint)
                .into(),
        };
        container(
            row![
                notice,
                space::horizontal(),
                hinted(
                    figures(strings::edited(self.status.edited)),
                    strings::EDITED_HINT,
                    Position::Top,
                ),
                hinted(
                    figures(strings::frame_time(self.status.millis)),
                    strings::FRAME_TIME_HINT,
                    Position::Top,
                ),
                hinted(
                    button(figures(self.models.ganimation().name().to_owned()).style(theme::text))
                        .on_press(Message::CardDialog)
                        .padding([0, 4])
                        .style(theme::flat),
                    strings::WEIGHTS_HINT,
                    Position::Top,
                ),
                figures(self.models.ganimation().device_name()),
            ]
            .spacing(theme::SPACE)
            .align_y(Alignment::Center),
        )
        .padding([6.0, theme::SPACE])
        .into()
    }
}

fn closable(words: &str, style: TextStyle) -> Element<'_, Message> {
    row![
        text(words)
            .size(theme::SMALL)
            .style(style)
            .wrapping(text::Wrapping::WordOrGlyph),
        button(text(common::CLOSE).size(theme::SMALL))
            .on_press(Message::NoticeClosed)
            .padding([0, 6])
            .style(theme::flat),
    ]
    .spacing(theme::GAP)
    .align_y(Alignment::Center)
    .into()
}
