//! Choosing other installed weights for a method, and remembering them for the next start.

use std::path::Path;
use std::sync::Arc;

use iced::Task;

use crate::app::background::in_background;
use crate::app::strings::weights as strings;
use crate::app::{App, Message, Notice};
use crate::methods::ganimation::model::Model;
use crate::methods::models::Models;
use crate::project::settings::Settings;
use crate::weights::Bundled;

impl App {
    /// Opens the weights of this name in the background.
    pub(in crate::app) fn choose_weights(&mut self, which: Bundled, name: String) -> Task<Message> {
        if self.models.name(which) == name {
            return Task::none();
        }
        let (models, wanted) = (Arc::clone(&self.models), name.clone());
        in_background(
            move || models.with(which, Path::new(&wanted)).map(Arc::new),
            move |result| {
                let result = match result {
                    Some(result) => result.map_err(|error| error.to_string()),
                    None => Err(strings::open_bug()),
                };
                Message::Weights(which, name, result)
            },
        )
    }

    /// Switches everything to newly opened weights.
    pub(in crate::app) fn use_weights(
        &mut self,
        which: Bundled,
        name: String,
        result: Result<Arc<Models>, String>,
    ) {
        let models = match result {
            Ok(models) => models,
            Err(problem) => {
                self.status.notice = Some(Notice::Problem(problem));
                return;
            }
        };
        let elsewhere = which == Bundled::Ganimation
            && models.ganimation().crop() != self.models.ganimation().crop();
        self.worker.use_models(Arc::clone(&models));
        self.models = models;
        // Sends the request again, to be drawn by the new weights.
        self.asked = None;
        self.measuring.numbers = None;
        if which == Bundled::Mocogan {
            self.drivers.redraw_samples();
            self.motions.grid.forget();
        }
        let words = strings::chosen(which.title(), &name, elsewhere);
        self.status.notice = Some(Notice::Hint(words));
        let weights = &mut self.projects.settings.weights;
        weights.insert(which.architecture().to_owned(), name);
        self.remember();
    }
}

/// Opens the networks named in the settings; those that can't be opened are replaced by the bundled ones, with a sentence
/// that says so. Weights given by path or name (`asked`) take precedence over the settings.
///
/// # Errors
/// Those of [`Model::open`] for `asked`.
pub(in crate::app) fn begin(
    asked: Option<&Path>,
    settings: &Settings,
) -> Result<(Models, Option<String>), crate::error::EngineError> {
    let key = Bundled::Ganimation.architecture();
    let kept = settings.weights.get(key).filter(|_| asked.is_none());
    let opened = match kept {
        Some(name) => Model::open(Some(Path::new(name))).map_err(Some),
        None => Err(None),
    };
    let (ganimation, remark) = match opened {
        Ok(model) => (model, None),
        Err(error) => (
            Model::open(asked)?,
            error.map(|error| strings::built_in_used(&error.to_string())),
        ),
    };
    let models = Models::chosen(Arc::new(ganimation), &settings.weights);
    Ok((models, remark))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_weights_are_reported_and_the_bundled_ones_used() {
        let mut settings = Settings::default();
        let (models, remark) = begin(None, &settings).unwrap();
        assert_eq!(
            (models.name(Bundled::Ganimation), remark),
            ("ganimation-128".to_owned(), None)
        );
        for method in ["ganimation", "fomm"] {
            settings
                .weights
                .insert(method.to_owned(), "of-yore".to_owned());
        }
        let (models, remark) = begin(None, &settings).unwrap();
        assert!(remark.unwrap().contains("of-yore"));
        assert_eq!(models.name(Bundled::Ganimation), "ganimation-128");
        assert_eq!(models.name(Bundled::Fomm), "of-yore");
        assert!(begin(Some(Path::new("of-yore")), &Settings::default()).is_err());

        // Weights for one method leave the others as they are; weights that can't be opened change nothing.
        let other = models.with(Bundled::Tps, Path::new("tps-128")).unwrap();
        assert_eq!(other.name(Bundled::Fomm), "of-yore");
        assert!(models.with(Bundled::Tps, Path::new("fomm-128")).is_err());
        assert!(
            models
                .with(Bundled::FaceLandmarker, Path::new("fomm-128"))
                .is_err()
        );
    }
}
