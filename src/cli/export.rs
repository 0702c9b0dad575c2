//! `mien export`: a project's panes written without a window, so that a farm can do it.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;

use super::bar::show;
use super::frames::Frames;
use super::number;
use crate::document::{PaneSpec, Project};
use crate::error::EngineError;
use crate::face::portrait::Portrait;
use crate::jobs::export::Format;
use crate::jobs::film::Film;
use crate::jobs::output::Output;
use crate::methods::ganimation::model::Model;
use crate::methods::models::Models;
use crate::progress::Progress;
use crate::project::file::ProjectFile;
use crate::render::composition::Score;
use crate::render::renderer::Sitter;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The project (.mien)
    project: PathBuf,

    /// The pane that is written, by its number from 1 on; without, the first that shows a result
    #[arg(long, value_name = "N")]
    pane: Option<usize>,

    /// Every pane, side by side
    #[arg(long, conflicts_with = "pane")]
    grid: bool,

    /// No names above the panes of a grid
    #[arg(long)]
    no_labels: bool,

    /// A part of the job, from the first to the last frame, both counted from 1, such as 13-24
    #[arg(long, value_name = "A-B")]
    frames: Option<String>,

    /// Frames a second; the motion's own where nothing is said, and the movement keeps its seconds
    #[arg(long, value_name = "F", allow_hyphen_values = true)]
    fps: Option<String>,

    /// From 1 (small) to 100 (best), for .mp4, .webp and .jpg
    #[arg(long, value_name = "Q", allow_hyphen_values = true)]
    quality: Option<String>,

    /// How often an animation plays; 0 is for ever
    #[arg(long = "loop", default_value_t = 0, value_name = "TIMES")]
    loops: u16,

    /// The size of a pane, as a share of the portrait's own
    #[arg(
        long,
        default_value = "1",
        value_name = "S",
        allow_hyphen_values = true
    )]
    scale: String,

    /// Leaves out the note in the file that says that a model edited it
    #[arg(long)]
    unmarked: bool,

    /// The GANimation weights, in place of those that come with Mien: a file, or the name of installed ones
    #[arg(long, value_name = "FILE|NAME")]
    weights: Option<PathBuf>,

    /// No progress bar and no remarks
    #[arg(short, long)]
    quiet: bool,

    /// What to write: .mp4, .gif, .apng or .webp, or .png for a numbered sequence
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), EngineError> {
    let format = Format::of(&arguments.output, usize::MAX)?;
    let opened = ProjectFile::open(&arguments.project)?;
    let project = opened.project;
    let panes = arguments.panes(&project)?;
    let models = Arc::new(Models::new(Arc::new(Model::open(
        arguments.weights.as_deref(),
    )?)));
    let portrait = Portrait::of_project(&project, models.ganimation().crop())?;
    let sitter = Sitter::of(&project, &portrait);

    let progress = Progress::new(0);
    let cancel = progress.cancel.clone();
    // Where the handler can't be set, Ctrl+C ends the program at once; nothing is half-written even so.
    drop(ctrlc::set_handler(move || cancel.cancel()));
    let bar = show(&progress, arguments.quiet);
    let written = arguments.write(&project, &panes, format, sitter, &models, &progress);
    bar.finish(&progress);
    let remark = written?;
    if let Some(remark) = remark.filter(|_| !arguments.quiet) {
        eprintln!("mien: {remark}");
    }
    Ok(())
}

impl Arguments {
    fn panes(&self, project: &Project) -> Result<Vec<PaneSpec>, EngineError> {
        let all = project.panes();
        if self.grid {
            return Ok(all.to_vec());
        }
        let pane = match self.pane {
            None => project.result_pane(),
            Some(number) => number.wrapping_sub(1),
        };
        all.get(pane).map(|pane| vec![*pane]).ok_or_else(|| {
            EngineError::Refused(format!(
                "--pane {} is none of {}; it has {} panes, counted from 1.",
                self.pane.unwrap_or(0),
                self.project.display(),
                all.len()
            ))
        })
    }

    fn write(
        &self,
        project: &Project,
        panes: &[PaneSpec],
        format: Format,
        sitter: Sitter,
        models: &Arc<Models>,
        progress: &Progress,
    ) -> Result<Option<String>, EngineError> {
        let score = Score::read(project, panes, sitter.face.as_deref(), models, progress)?;
        let own = score.drive.fps().min(format.max_fps());
        let fps = self
            .fps
            .as_ref()
            .map_or(Ok(own), |text| number("--fps", text, 1.0, format.max_fps()))?;
        let (score, steps) = score.at_rate(fps);
        let frames = Frames::of(self.frames.as_ref())?;
        if let Some(count) = frames.count.filter(|count| *count != steps.len()) {
            return Err(EngineError::Refused(format!(
                "--frames counts {count} frames, but this export has {}; give a part of those, such as 1-{}.",
                steps.len(),
                steps.len()
            )));
        }
        let part = frames.part;
        let labels = panes.iter().map(|pane| {
            let motion = project.motion(project.driving(pane));
            let name = format!("{} · {}", pane.way, pane.show.title());
            (
                name,
                motion.map_or_else(String::new, |motion| motion.name.clone()),
            )
        });
        let film = Film {
            sitter,
            score,
            steps,
            labels: (self.grid && !self.no_labels).then(|| labels.collect()),
            scale: number("--scale", &self.scale, 0.01, 1.0)?,
            fps,
            output: Output {
                format,
                quality: super::quality(self.quality.as_ref())?,
                loops: super::loop_count(self.loops),
                scale: 1.0,
                part,
                marked: !self.unmarked,
                path: self.output.clone(),
            },
            sound: None,
        };
        film.write(models, progress)
    }
}
