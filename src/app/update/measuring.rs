//! Measuring the panes; the numbers appear under the timeline.

use std::sync::Arc;

use iced::Task;

use crate::app::background::in_background;
use crate::app::strings::{common, timeline as strings};
use crate::app::timeline::measuring::Watch;
use crate::app::timeline::numbers::{Numbers, Series};
use crate::app::{App, Message, Notice};
use crate::error::EngineError;
use crate::jobs::measure::{Measured, Reference, measure};
use crate::progress::Progress;

impl App {
    /// Starts measuring, or stops.
    pub(in crate::app) fn measure(&mut self) -> Task<Message> {
        if let Some(running) = &self.measuring.running {
            running.cancel.cancel();
            return Task::none();
        }
        let Some(source) = self.export_source() else {
            return Task::none();
        };
        let mut panes = source.composition.panes.iter();
        if panes.any(|pane| self.needs_whole(&pane.driver))
            || self.needs_whole(&source.composition.driver)
        {
            return Task::none();
        }
        let panes = source.composition.panes.len();
        let reference = match self.measuring.against.filter(|pane| *pane < panes) {
            Some(pane) => Reference::Pane(pane),
            None => Reference::Motion,
        };
        let names = source.labels.iter().enumerate();
        let registry = self.models.registry();
        let names: Vec<String> = names
            .map(|(pane, _)| {
                let spec = self.project().panes()[pane];
                strings::measured(pane, &registry.title(spec.method))
            })
            .collect();
        let progress = Progress::new(0);
        self.measuring.running = Some(progress.clone());
        self.measuring.words = Some(strings::MEASURING.to_owned());
        let models = Arc::clone(&self.models);
        in_background(
            move || {
                measure(
                    &models,
                    &source.subject,
                    &source.composition,
                    reference,
                    &progress,
                )
            },
            move |result: Option<Result<Vec<Measured>, EngineError>>| {
                Message::Measured(Watch::Ended(
                    names,
                    match result {
                        Some(Ok(measured)) => Ok(measured),
                        Some(Err(error)) if error.is_cancelled() => Err(None),
                        Some(Err(error)) => Err(Some(error.to_string())),
                        None => Err(Some(strings::measure_bug())),
                    },
                ))
            },
        )
    }

    pub(in crate::app) fn handle_measured(&mut self, watch: Watch) {
        match watch {
            Watch::Looked => {
                let running = self.measuring.running.as_ref();
                self.measuring.words = running.map(|progress| match progress.remaining() {
                    Some(left) => common::progress(progress.done(), progress.total(), left),
                    None => strings::MEASURING.to_owned(),
                });
            }
            Watch::Ended(names, result) => {
                self.measuring.running = None;
                self.measuring.words = None;
                match result {
                    Ok(measured) if measured.is_empty() => {
                        let hint = strings::NOTHING_TO_MEASURE.to_owned();
                        self.status.notice = Some(Notice::Hint(hint));
                    }
                    Ok(measured) => self.measuring.numbers = Some(numbers(&names, measured)),
                    Err(Some(problem)) => self.status.notice = Some(Notice::Problem(problem)),
                    Err(None) => {}
                }
            }
        }
    }
}

fn numbers(names: &[String], measured: Vec<Measured>) -> Numbers {
    let frames = measured.iter().map(|one| one.values.len()).max();
    let series = measured.into_iter().map(|one| Series {
        name: names.get(one.pane).cloned().unwrap_or_default(),
        metric: one.metric.to_owned(),
        values: one.values,
    });
    Numbers {
        frames: frames.unwrap_or(0),
        series: series.collect(),
    }
}
