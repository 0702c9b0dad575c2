//! Methods side by side: one portrait, one motion, and what each method makes of it, with numbers if they are wanted.

pub mod contender;
pub mod driving;
mod racer;
pub mod sheet;
pub mod table;

use std::path::PathBuf;

use crate::document::Crop;
use crate::document::Mode;
use crate::drive::au_track::AuTrack;
use crate::error::{CompareError, EngineError};
use crate::face::portrait::Portrait;
use crate::face::{Shape, TurnedSquare};
use crate::jobs::export::Format;
use crate::jobs::output::{Output, Writer};
use crate::jobs::remark::Remark;
use crate::jobs::transfer::{Reference, Transferred};
use crate::jobs::transfer::{clip_square, frame_of};
use crate::media::atomic_file::AtomicFile;
use crate::media::image::Picture;
use crate::media::provenance::{Provenance, SourceType};
use crate::metrics::SIDE;
use crate::progress::Progress;
use crate::render::grid::{Grid, Label};
use driving::Driving;
use racer::{Driven, Racer, line_up};
use sheet::{cut, cut_crop, shown, spread};
use table::{Measured, Table};

pub use contender::{Against, Contender, Method, Network, Standing};
pub use driving::{Motion, Tracked};
pub use sheet::Sheet;
pub use table::Figures;

/// What is to be compared, and where it goes.
#[derive(Debug)]
pub struct Comparison {
    pub portrait: Portrait,
    /// At least one.
    pub standings: Vec<Standing>,
    pub motion: Motion,
    /// The frame that counts as looking like the portrait, where motion is relative.
    pub reference: Reference,
    /// How much of the movement: 0 none, 1 as it is, more exaggerates it. A track has its own strength.
    pub gain: f32,
    /// FOMM's and TPS' own picture in place of the portrait moved at its own size.
    pub plain: bool,
    pub sheet: Sheet,
    /// What L1, PSNR and SSIM are measured against.
    pub against: Against,
    /// Where the numbers go; without, none are taken.
    pub metrics: Option<PathBuf>,
    /// The sheet: a film, or as [`Format::Png`] some frames one above the other.
    pub output: Output,
}

/// What is told when the files are written.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Compared {
    /// How many frames were compared.
    pub frames: usize,
    /// The reference frame, counted from 0, and how unlike the portrait's face its face is.
    pub reference: Option<(usize, Option<f32>)>,
    /// What the artist should know, a sentence each.
    pub remarks: Vec<Remark>,
    /// What every method came to, in their order; empty where no numbers were wanted.
    pub figures: Vec<Figures>,
}

impl Comparison {
    /// Whether no method needs a face.
    fn only_moves(&self) -> bool {
        let mut networks = self.standings.iter().map(|standing| &standing.network);
        networks.all(|network| matches!(network, Network::Moving(_)))
    }

    /// The mode by which a contender is driven; none where GANimation follows a track.
    fn mode_key(&self, standing: &Standing) -> &'static str {
        match (&self.motion, &standing.network) {
            (Motion::Track(_), Network::Units(_)) => "",
            _ => standing.contender.mode_key(),
        }
    }

    /// The note that goes into the sheet, if any: every network that drew some of what is seen, the driving pane's too.
    fn note(&self) -> Option<Provenance> {
        if !self.output.marked {
            return None;
        }
        let drives = match &self.motion {
            Motion::Clip { .. } => None,
            Motion::Track(tracked) => Some(tracked.model.name()),
            Motion::Sample { sampler, .. } => Some(sampler.name()),
        };
        let networks = self
            .standings
            .iter()
            .map(|standing| standing.network.name());
        let models = each_once(networks.chain(drives).map(str::to_owned).collect());
        let edited = SourceType::CompositeWithTrainedAlgorithmicMedia;
        Some(Provenance::new(models, edited))
    }
}

/// Renders a motion by every method and writes the sheet, and the numbers if they are wanted. Each portrait is prepared
/// once for a network, and each driving frame's key points are found once for the modes that share them.
///
/// # Errors
/// [`EngineError::Cancelled`] when `progress` was asked to stop; [`CompareError`] when there is nothing to compare,
/// or no face where one is needed; [`EngineError::Media`] when the clip can't be read or a file can't be written. Whatever
/// stood under the names before still does.
pub fn compare(comparison: &Comparison, progress: &Progress) -> Result<Compared, EngineError> {
    if comparison.standings.is_empty() {
        return Err(CompareError::NoMethods.into());
    }
    let stop = || progress.cancel.is_cancelled();
    let output = &comparison.output;
    let pane = (comparison.sheet.size, comparison.sheet.size);
    let panes = comparison.standings.len() + 2;
    let fps = output.rate(comparison.motion.fps()?);

    // The files come first: a folder that can't be written to is told at once, not after an hour.
    let metrics = comparison.metrics.as_deref();
    let csv = metrics.map(AtomicFile::create).transpose()?;
    let mut paper = if output.format == Format::Png {
        Paper::Still(None)
    } else {
        let Sheet {
            columns, labels, ..
        } = comparison.sheet;
        let grid = Grid::new(pane, panes, columns, labels)?;
        let writer = Writer::new(output, grid.size(), fps, comparison.note())?;
        Paper::Film(grid, writer)
    };

    let mut told = Transferred::default();
    let driving = Driving::of(comparison, fps, progress, &mut told)?;
    let all = driving.schedule.len();
    let shown_rows = spread(all, comparison.sheet.rows);
    let frames = match &mut paper {
        Paper::Still(still) => {
            let labels = comparison.sheet.labels;
            let grid = Grid::of_frames(pane, panes, shown_rows.len(), labels)?;
            let blank = grid.blank()?;
            *still = Some((grid, blank));
            if csv.is_some() {
                (0..all).collect()
            } else {
                shown_rows.clone()
            }
        }
        Paper::Film(..) => (0..all).collect::<Vec<_>>(),
    };
    progress.set_total(progress.done() + frames.len() * comparison.standings.len());

    let (crop, largest) = shown(comparison);
    let place = driving_square(comparison, &driving, largest, &mut told)?;
    let mut race = Race {
        racers: line_up(comparison, &driving, &mut told, &stop)?,
        spent: vec![(0.0, 0); comparison.standings.len()],
        source: cut_crop(&comparison.portrait.picture, crop, comparison.sheet.size)?,
        comparison,
        crop,
        place,
    };
    let mut table = match csv {
        Some(_) => Some(Table::new(comparison, race.small_source()?)?),
        None => None,
    };

    let mut clip = driving.drive.open()?;
    let (mut next, mut row) = (0, 0);
    for same in frames.chunk_by(|a, b| driving.schedule[*a] == driving.schedule[*b]) {
        let number = driving.schedule[same[0]];
        let Some(frame) = clip.nth(number - next) else {
            return Err(driving.drive.no_frame(number));
        };
        next = number + 1;
        let picture = frame?.picture;
        let seen = race.run(&picture, same[0], table.is_some(), progress)?;
        let time = driving.time(number);
        if let Some(table) = &mut table {
            let driving_face = driving.track.as_ref().and_then(|track| face(track, number));
            table.measure(&Measured {
                frame: same[0],
                time,
                driving: &cut(&picture, place, SIDE)?,
                driving_face,
                results: &seen.small,
                ms: &seen.ms,
            })?;
            for frame in &same[1..] {
                table.repeat(*frame, time);
            }
        }
        let labels = race.labels(&driving, time);
        match &mut paper {
            Paper::Film(grid, writer) => {
                let sheet = grid.filled(&seen.panes, &labels)?;
                for _ in same {
                    writer.push(&sheet)?;
                }
            }
            Paper::Still(Some((grid, sheet))) => {
                for _ in same.iter().filter(|frame| shown_rows.contains(frame)) {
                    for (i, (pane, label)) in seen.panes.iter().zip(&labels).enumerate() {
                        grid.put(sheet, row * panes + i, pane, label);
                    }
                    row += 1;
                }
            }
            Paper::Still(None) => {}
        }
        // Frames that are shown again cost nothing.
        for _ in 0..(same.len() - 1) * comparison.standings.len() {
            progress.step();
        }
    }
    if stop() {
        return Err(EngineError::Cancelled);
    }
    paper.finish(comparison, fps)?;
    let figures = table.as_ref().map(Table::figures);
    if let Some((mut file, table)) = csv.zip(table) {
        file.put(table.csv().as_bytes())?;
        file.commit()?;
    }
    Ok(Compared {
        frames: frames.len(),
        reference: told.reference,
        remarks: each_once(told.remarks),
        figures: figures.unwrap_or_default(),
    })
}

/// What the sheet is laid out on.
enum Paper {
    Film(Grid, Writer),
    /// Nothing before it is known how many frames there are.
    Still(Option<(Grid, Picture)>),
}

impl Paper {
    fn finish(self, comparison: &Comparison, fps: f64) -> Result<(), EngineError> {
        match self {
            Paper::Film(_, writer) => writer.finish(),
            Paper::Still(None) => Ok(()),
            Paper::Still(Some((_, sheet))) => {
                let output = &comparison.output;
                let mut writer = Writer::new(output, sheet.size(), fps, comparison.note())?;
                writer.push(&sheet)?;
                writer.finish()
            }
        }
    }
}

/// The contenders at work on one portrait.
struct Race<'a> {
    comparison: &'a Comparison,
    racers: Vec<Racer>,
    /// Milliseconds that each took so far, and for how many frames.
    spent: Vec<(f64, usize)>,
    /// The portrait's square that is shown, and as it is shown.
    crop: Crop,
    source: Picture,
    /// The clip's square that is shown.
    place: TurnedSquare,
}

/// What is seen of a frame.
struct Seen {
    /// The source, the driving frame and every result, as they are shown.
    panes: Vec<Picture>,
    /// The results at [`SIDE`], where they are to be measured.
    small: Vec<Picture>,
    /// Milliseconds that each result took.
    ms: Vec<f64>,
}

impl Race<'_> {
    /// Lets every contender draw a frame.
    fn run(
        &mut self,
        picture: &Picture,
        frame: usize,
        is_measured: bool,
        progress: &Progress,
    ) -> Result<Seen, EngineError> {
        let stop = || progress.cancel.is_cancelled();
        let size = self.comparison.sheet.size;
        let mut seen = Seen {
            panes: vec![self.source.clone(), cut(picture, self.place, size)?],
            small: Vec::new(),
            ms: Vec::new(),
        };
        let mut driven = Driven::new(picture, frame);
        let portrait = &self.comparison.portrait.picture;
        for (racer, spent) in self.racers.iter().zip(&mut self.spent) {
            if stop() {
                return Err(EngineError::Cancelled);
            }
            let (result, took) = racer.frame(portrait, &mut driven, &stop)?;
            let ms = took.as_secs_f64() * 1000.0;
            *spent = (spent.0 + ms, spent.1 + 1);
            seen.ms.push(ms);
            seen.panes.push(cut_crop(&result, self.crop, size)?);
            if is_measured {
                seen.small.push(cut_crop(&result, self.crop, SIDE)?);
            }
            progress.step();
        }
        Ok(seen)
    }

    fn small_source(&self) -> Result<Picture, EngineError> {
        cut_crop(&self.comparison.portrait.picture, self.crop, SIDE)
    }

    /// What stands above the panes of a frame; times are means so far.
    fn labels(&self, driving: &Driving, time: f64) -> Vec<Label> {
        let source = Label {
            name: "Source".to_owned(),
            note: short(&self.comparison.portrait.name),
        };
        let motion = Label {
            name: driving.title.to_owned(),
            note: format!("{} · {time:.2} s", short(&driving.name)),
        };
        let standings = self.comparison.standings.iter().zip(&self.spent);
        let results = standings.map(|(standing, (ms, frames))| {
            let method = standing.contender.method.title();
            let mode = self.comparison.mode_key(standing);
            Label {
                name: format!("{method} {mode}").trim_end().to_owned(),
                note: format!(
                    "{} · {:.0} ms",
                    short(standing.network.name()),
                    ms / (*frames).max(1) as f64
                ),
            }
        });
        [source, motion].into_iter().chain(results).collect()
    }
}

/// The square of the clip that is shown: as the contender whose square of the portrait is shown sees it.
fn driving_square(
    comparison: &Comparison,
    driving: &Driving,
    contender: usize,
    told: &mut Transferred,
) -> Result<TurnedSquare, EngineError> {
    let standing = &comparison.standings[contender];
    let mode = match &comparison.motion {
        // The portrait's own frames: any is as good, and the first is the portrait at rest or where it begins.
        Motion::Track(_) => Mode::Standard,
        _ => standing.contender.mode,
    };
    let frame = driving.reference(mode, &comparison.portrait, &standing.document, told)?;
    let first = frame_of(&driving.drive, frame)?;
    clip_square(
        &first.picture,
        standing.network.crop(),
        &driving.drive,
        told,
    )
}

/// The face of a clip's frame.
fn face(track: &AuTrack, frame: usize) -> Option<Shape> {
    track.shapes.get(frame).copied().flatten()
}

/// A name that leaves room for what stands behind it.
fn short(name: &str) -> String {
    const ROOM: usize = 24;
    if name.chars().count() <= ROOM {
        return name.to_owned();
    }
    let start: String = name.chars().take(ROOM - 1).collect();
    start + "…"
}

/// What several contenders say, said once.
fn each_once<T: PartialEq>(said: Vec<T>) -> Vec<T> {
    let mut once: Vec<T> = Vec::new();
    for sentence in said {
        if !once.contains(&sentence) {
            once.push(sentence);
        }
    }
    once
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_shortened_and_remarks_made_once() {
        assert_eq!(short("clip.mp4"), "clip.mp4");
        let long = short("a-very-long-name-of-a-clip-that-nobody-reads.mp4");
        assert!(long.chars().count() == 24 && long.ends_with('…'), "{long}");
        let remarks = ["a", "b", "a"].map(str::to_owned).to_vec();
        assert_eq!(each_once(remarks), ["a", "b"]);
    }
}
