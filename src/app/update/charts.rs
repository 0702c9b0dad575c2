//! Charts of what the window shows, saved to a file the artist chooses.

use std::path::Path;
use std::sync::Arc;

use iced::Task;

use crate::app::background::{Target, choose_chart, in_background};
use crate::app::strings::top_bar as strings;
use crate::app::{App, Message, Notice, subject};
use crate::drive::driver::Driver;
use crate::folders::free_name;
use crate::jobs::charts::{Chart, Charts};

impl App {
    /// Saves a chart of what the timeline shows.
    pub(in crate::app) fn save_seen(&self) -> Task<Message> {
        let subject = subject(&self.history, &self.drivers);
        let title = self.chosen_name();
        let numbers = self.measuring.numbers.as_ref();
        let charts = self.timeline.chart(&title, subject, numbers);
        charts.map_or_else(Task::none, |charts| self.choose_chart_file(charts))
    }

    /// Saves a chart of how dissimilar each frame of the chosen clip is to the portrait's face.
    pub(in crate::app) fn save_score(&self) -> Task<Message> {
        let project = self.project();
        let Some(motion) = project.motion(project.chosen()) else {
            return Task::none();
        };
        let Driver::Clip(clip) = self.drivers.driver(motion.id) else {
            return Task::none();
        };
        let (_, scores) = self.drivers.filmstrip(motion);
        let times = &clip.analysis.times;
        let chart = Chart::reference_score(&motion.name, times, scores, clip.reference);
        self.choose_chart_file(chart.into())
    }

    fn chosen_name(&self) -> String {
        let motion = self.project().motion(self.project().chosen());
        motion.map_or_else(String::new, |motion| motion.name.clone())
    }

    fn choose_chart_file(&self, charts: Charts) -> Task<Message> {
        let name = self.chosen_name().replace(['/', '\\', ':'], "-");
        let place = self.export_folder().join(format!("{name}.svg"));
        let charts = Arc::new(charts);
        Task::perform(choose_chart(place), move |path| {
            Message::ChartTo(charts, path)
        })
    }

    pub(in crate::app) fn report_saved_chart(&mut self, path: &Path, result: Result<(), String>) {
        self.status.notice = Some(match result {
            Ok(()) => Notice::Hint(strings::chart_saved(path)),
            Err(problem) => Notice::Problem(problem),
        });
    }
}

/// Saves a chart if a file was chosen; under a free name if that file exists and the system's dialog asked about another one.
pub fn save_chart(charts: Arc<Charts>, target: Option<Target>) -> Task<Message> {
    let Some(target) = target else {
        return Task::none();
    };
    let path = if target.is_unasked() {
        free_name(&target.path, Path::exists)
    } else {
        target.path
    };
    let to = path.clone();
    in_background(
        move || charts.save(&to),
        move |result| {
            let result = match result {
                Some(result) => result.map_err(|error| error.to_string()),
                None => Err(strings::chart_bug()),
            };
            Message::ChartSaved(path, result)
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn saved_charts_and_errors_are_shown() {
        let mut app = crate::app::snapshots::app();
        app.report_saved_chart(Path::new("a.svg"), Ok(()));
        assert_eq!(
            app.status.notice,
            Some(Notice::Hint("Saved a.svg.".to_owned()))
        );
        app.report_saved_chart(Path::new("a.svg"), Err("No room.".to_owned()));
        assert_eq!(
            app.status.notice,
            Some(Notice::Problem("No room.".to_owned()))
        );
    }
}
