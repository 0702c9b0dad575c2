//! `mien export`: a project's panes written without a window, for render farms.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;

use super::errors::CliError;
use super::frames::Frames;
use super::output::{OutputArgs, fps_of, print_remarks, say, with_progress};
use super::values::{fps, number, quality};
use crate::document::FileFormat;
use crate::document::{PaneSpec, Project};
use crate::face::portrait::Portrait;
use crate::jobs::export::{ExportJob, Layout, Steps};
use crate::jobs::output::Output;
use crate::methods::ganimation;
use crate::methods::models::Models;
use crate::methods::subject::Subject;
use crate::progress::Progress;
use crate::project::file::ProjectFile;

#[derive(Debug, Args)]
#[command(
    mut_arg("loops", |arg| arg.help("How often an animation repeats; 0 loops forever")),
    mut_arg("output", |arg| arg.help(
        "The file to write: .mp4, .gif, .apng or .webp, or .png for a numbered sequence"
    ))
)]
pub(super) struct Arguments {
    /// The project (.mien)
    project: PathBuf,

    /// The pane to export, numbered from 1 [default: the first that shows a result]
    #[arg(long, value_name = "N")]
    pane: Option<usize>,

    /// Export all panes side by side
    #[arg(long, conflicts_with = "pane")]
    grid: bool,

    /// Leave out the labels above the panes of a grid
    #[arg(long)]
    no_labels: bool,

    /// Export only frames A to B, numbered from 1, such as 13-24
    #[arg(long, value_name = "A-B", value_parser = Frames::parse)]
    frames: Option<Frames>,

    /// Frames per second; the motion keeps its duration [default: the motion's own]
    #[arg(long, value_name = "F", allow_hyphen_values = true, value_parser = fps)]
    fps: Option<f64>,

    /// The quality of an MP4, WebP or JPEG, from 1 (smallest file) to 100 (best)
    #[arg(long, value_name = "Q", allow_hyphen_values = true, value_parser = quality)]
    quality: Option<u8>,

    /// The size of a pane as a fraction of the portrait's
    #[arg(
        long,
        default_value = "1",
        value_name = "S",
        allow_hyphen_values = true,
        value_parser = number(0.01, 1.0)
    )]
    scale: f64,

    /// GANimation weights instead of the built-in ones: a file, or the name of installed weights
    #[arg(long, value_name = "FILE|NAME")]
    weights: Option<PathBuf>,

    #[command(flatten)]
    output: OutputArgs,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), CliError> {
    let format = FileFormat::of(&arguments.output.path, usize::MAX)?;
    let opened = ProjectFile::open(&arguments.project)?;
    if !arguments.output.quiet {
        for remark in opened.remarks() {
            say(remark);
        }
    }
    let project = opened.project;
    let panes = arguments.panes(&project)?;
    let models = Arc::new(super::models(
        ganimation::session::INFO.id,
        arguments.weights.as_deref(),
    )?);
    let rule = models.crop_rule();
    let portrait = Portrait::of_project(&project, rule)?;
    let subject = Subject::of(project.document(), &portrait, rule);
    let job = arguments.job(project, panes, format, subject, &models)?;
    let quiet = arguments.output.quiet;
    let outcome = with_progress(&Progress::new(0), quiet, |progress| {
        job.write(&models, progress)
    })?;
    if !quiet {
        print_remarks(&outcome.remarks, None);
    }
    Ok(())
}

impl Arguments {
    fn panes(&self, project: &Project) -> Result<Vec<PaneSpec>, CliError> {
        let all = project.panes();
        if self.grid {
            return Ok(all.to_vec());
        }
        let pane = match self.pane {
            None => project.result_pane(),
            Some(number) => number.wrapping_sub(1),
        };
        all.get(pane)
            .map(|pane| vec![*pane])
            .ok_or_else(|| CliError::NoSuchPane {
                pane: self.pane.unwrap_or(0),
                project: self.project.clone(),
                panes: all.len(),
            })
    }

    fn job(
        &self,
        project: Project,
        panes: Vec<PaneSpec>,
        format: FileFormat,
        subject: Subject,
        models: &Models,
    ) -> Result<ExportJob, CliError> {
        let fps = self.fps.map(|fps| fps_of(format, fps, f64::INFINITY));
        let labels = panes.iter().map(|pane| {
            let motion = project.motion(project.driving(pane));
            let title = models.registry().title(pane.method);
            (
                format!("{title} · {}", pane.view.title()),
                motion.map_or_else(String::new, |motion| motion.name.clone()),
            )
        });
        let labels = (self.grid && !self.no_labels).then(|| labels.collect());
        let frames = self.frames.unwrap_or_default();
        Ok(ExportJob {
            project,
            subject,
            panes,
            steps: Steps::All,
            count: frames.count,
            layout: Layout::Grid(labels),
            scale: self.scale,
            fps: fps.transpose()?,
            output: Output {
                format,
                quality: self.quality,
                loops: self.output.loops(),
                scale: 1.0,
                part: frames.part,
                marked: !self.output.unmarked,
                path: self.output.path.clone(),
                inputs: super::inputs(self.weights.iter().chain([&self.project])),
            },
            sound: true,
            strict: false,
        })
    }
}
