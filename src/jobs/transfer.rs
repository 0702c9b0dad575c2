//! A clip's movement on a portrait, whichever the method: read once for what must be known beforehand, then frame by
//! frame, with never more than a few frames in memory.

use std::ops::Range;
use std::path::PathBuf;

use crate::document::{Document, Mode};
use crate::drive::au_track::{AuTrack, steps};
use crate::error::{ClipError, EngineError};
use crate::face::found::finder;
use crate::face::limits;
use crate::face::portrait::Portrait;
use crate::face::{Mask, OneEuro, Transfer as Carry, TransferSource, TurnedSquare, shape68};
use crate::folders::file_name;
use crate::jobs::frame_range::Passing;
use crate::jobs::output::{Output, Sound, Writer};
use crate::jobs::remark::Remark;
use crate::media::clip::{Clip, ClipFrame};
use crate::media::image::Picture;
use crate::media::provenance::SourceType;
use crate::methods::ganimation::session::square;
use crate::methods::mover::{Mover, Points, Prepared};
use crate::progress::Progress;
use crate::weights::CropRule;

/// The clip's frame that counts as looking like the portrait.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Reference {
    /// The one whose face is most like the portrait's in shape and pose.
    #[default]
    Auto,
    /// The one of this number in the part that is used, from 0.
    Frame(usize),
}

/// What of a clip is carried over, and how.
#[derive(Debug, Clone, PartialEq)]
pub struct Drive {
    pub clip: PathBuf,
    /// The part that is used begins at the first time and ends before the second, in seconds; without, at the clip's
    /// own start and end.
    pub cut: (Option<f64>, Option<f64>),
    pub mode: Mode,
    pub reference: Reference,
    /// How much of the movement: 0 none, 1 as it is, more exaggerates it.
    pub gain: f32,
    /// How the tremble of the Action Units is taken out; for GANimation.
    pub smoothing: OneEuro,
    /// The generator's picture as it is, in place of the portrait moved by its flow; for FOMM and TPS.
    pub plain: bool,
    /// Whether the clip's sound goes into an MP4.
    pub sound: bool,
}

impl Drive {
    /// Opens the part of the clip.
    pub(crate) fn open(&self) -> Result<Clip, EngineError> {
        let (from, to) = self.cut;
        Ok(Clip::open(&self.clip)?.trim(from, to)?)
    }

    pub(crate) fn name(&self) -> String {
        file_name(&self.clip)
    }

    /// What is said where the part that is used has no frame of this number, from 0.
    pub(crate) fn no_frame(&self, frame: usize) -> EngineError {
        ClipError::NoReferenceFrame {
            name: self.name(),
            frame: frame + 1,
        }
        .into()
    }

    /// The sound that goes with frames of which the first is shown at `start`.
    pub(crate) fn sound(&self, start: f64) -> Option<Sound> {
        self.sound.then(|| Sound {
            clip: self.clip.clone(),
            from: start,
            to: self.cut.1,
        })
    }

    /// The sound that goes with a part of the frames that are written, of which the first of all is shown at `start`.
    pub(crate) fn sound_of(&self, start: f64, part: &Range<usize>, rate: f64) -> Option<Sound> {
        let at = |frame: usize| start + frame as f64 / rate;
        self.sound(at(part.start)).map(|sound| Sound {
            to: Some(sound.to.unwrap_or(f64::INFINITY).min(at(part.end))),
            ..sound
        })
    }
}

/// What is told when the file is written.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Transferred {
    /// How many frames were written.
    pub frames: usize,
    /// The reference frame, counted from 0, and how unlike the portrait's face its face is where that was looked for.
    pub reference: Option<(usize, Option<f32>)>,
    /// What the artist should know, a sentence each.
    pub remarks: Vec<Remark>,
}

/// Carries a clip's movement over to a portrait by FOMM or TPS, and writes the file.
///
/// # Errors
/// [`EngineError::Cancelled`] when `progress` was asked to stop; [`EngineError::Method`] when the method can't do it, or
/// the clip has no such frame or part; [`EngineError::Media`] when the clip can't be read or the file can't be written. Whatever
/// stood under the name before still does.
pub fn transfer(
    mover: &Mover,
    portrait: &Portrait,
    document: &Document,
    drive: &Drive,
    output: &Output,
    progress: &Progress,
) -> Result<Transferred, EngineError> {
    mover.check_mode(drive.mode)?;
    let stop = || progress.cancel.is_cancelled();
    let clip = drive.open()?;
    let info = *clip.info();
    let seeks = drive.reference == Reference::Auto && drive.mode == Mode::Relative;
    let passes = if seeks { 2 } else { 1 };
    progress.set_total(steps(&info).map_or(0, |steps| steps * passes));

    let mut told = Transferred::default();
    // The file comes first: a folder that can't be written to is told at once, not after an hour.
    let rate = output.rate(info.fps);
    let mut writer = Writer::new(
        output,
        portrait.picture.size(),
        rate,
        output.note(
            mover.name(),
            SourceType::CompositeWithTrainedAlgorithmicMedia,
        ),
    )?;

    let part = match output.part {
        Some(part) => {
            let total = count_frames(drive, rate, &stop)?;
            let range = part.within(total)?;
            writer.set_numbers(range.start, total);
            let before = progress.total() / passes * (passes - 1);
            progress.set_total(before + range.len());
            Some(range)
        }
        None => None,
    };

    let reference = find_reference(portrait, document, drive, progress, &mut told)?;
    let first = frame_of(drive, reference)?;
    let place = clip_square(&first.picture, mover.crop(), drive, &mut told)?;
    let initial = mover.points(&mover.input(&first.picture, place)?, &stop)?;
    if drive.mode == Mode::Relative {
        told.reference.get_or_insert((reference, None));
    }
    drop(first);

    let crop = square(document.crop);
    let prepared = mover.prepare(&mover.input(&portrait.picture, crop)?)?;
    let rest = mover.frame(&prepared, &Mover::own(&prepared), &stop)?;
    let source = TransferSource::new(portrait.picture.clone(), crop, &rest)?;
    let mesh = document.face.and_then(|face| portrait.faces.get(face));
    let mask = limits::mask(mesh.map(|face| &face.mesh), crop, document.limit);

    let mut work = Work {
        mover,
        prepared,
        initial,
        source,
        mask,
        drive,
    };
    let mut timing = Timing::new(rate);
    let mut passing = Passing::new(part.clone());
    let mut waiting: Option<ClipFrame> = None;
    for frame in clip {
        let frame = match frame {
            Ok(frame) => frame,
            Err(error) if waiting.is_none() => return Err(error.into()),
            Err(error) => {
                told.remarks.push(Remark::Media(error.to_string()));
                break;
            }
        };
        if waiting.is_none() {
            let sound = match &part {
                Some(part) => drive.sound_of(frame.time, part, rate),
                None => drive.sound(frame.time),
            };
            told.remarks
                .extend(writer.set_sound(sound).map(Remark::from));
        }
        let count = passing.wanted(timing.until(frame.time));
        if let Some(before) = waiting.replace(frame) {
            told.frames += work.push(&before.picture, place, count, &mut writer, &stop)?;
            if part.is_none() || count > 0 {
                progress.step();
            }
        }
        if passing.is_over() {
            waiting = None;
            break;
        }
    }
    if let Some(last) = waiting {
        // How long the last frame lasts nobody says.
        let count = passing.wanted(1);
        told.frames += work.push(&last.picture, place, count, &mut writer, &stop)?;
        progress.step();
    }
    if stop() {
        return Err(EngineError::Cancelled);
    }
    writer.finish()?;
    Ok(told)
}

/// What every frame needs.
struct Work<'a> {
    mover: &'a Mover,
    prepared: Prepared,
    initial: Points,
    source: TransferSource,
    mask: Option<Mask>,
    drive: &'a Drive,
}

impl Work<'_> {
    /// Carries one of the clip's frames over and writes it `count` times; the number of frames written.
    fn push(
        &mut self,
        picture: &Picture,
        place: TurnedSquare,
        count: usize,
        writer: &mut Writer,
        stop: &(dyn Fn() -> bool + Sync),
    ) -> Result<usize, EngineError> {
        if stop() {
            return Err(EngineError::Cancelled);
        }
        if count == 0 {
            return Ok(0);
        }
        let input = self.mover.input(picture, place)?;
        let driving = self.mover.points(&input, stop)?;
        let how = (self.drive.mode, self.drive.gain);
        let points = self
            .mover
            .driven(&self.prepared, &driving, &self.initial, how)?;
        let motion = self.mover.frame(&self.prepared, &points, stop)?;
        let carry = Carry {
            mask: self.mask.as_ref(),
            plain: self.drive.plain,
        };
        let moved = self.source.apply(&motion, carry)?;
        for _ in 0..count {
            writer.push(&moved)?;
        }
        Ok(count)
    }
}

/// The reference frame's number: the one that was asked for, or the one that is most like the portrait.
fn find_reference(
    portrait: &Portrait,
    document: &Document,
    drive: &Drive,
    progress: &Progress,
    told: &mut Transferred,
) -> Result<usize, EngineError> {
    match drive.reference {
        Reference::Frame(frame) => return Ok(frame),
        Reference::Auto if drive.mode != Mode::Relative => return Ok(0),
        Reference::Auto => {}
    }
    let Some(face) = document.face.and_then(|face| portrait.faces.get(face)) else {
        told.remarks.push(Remark::NoFaceInPortrait {
            name: portrait.name.clone(),
        });
        return Ok(0);
    };
    let track = match AuTrack::read_part(&drive.clip, drive.cut, None, progress, 2) {
        Ok(track) => track,
        // Without a face there is nothing to compare, but FOMM and TPS move other things too.
        Err(EngineError::Face(_)) => {
            told.remarks
                .push(Remark::NoFaceInClip { name: drive.name() });
            return Ok(0);
        }
        Err(error) => return Err(error),
    };
    let best = track.most_like(&shape68(&face.mesh));
    let (frame, unlike) = best.map_or((0, None), |(frame, unlike)| (frame, Some(unlike)));
    told.reference = Some((frame, unlike));
    Ok(frame)
}

/// How many frames are written of the clip as a whole.
fn count_frames(
    drive: &Drive,
    rate: f64,
    stop: &(dyn Fn() -> bool + Sync),
) -> Result<usize, EngineError> {
    let mut timing = Timing::new(rate);
    let mut count = 0;
    for frame in drive.open()? {
        if stop() {
            return Err(EngineError::Cancelled);
        }
        match frame {
            Ok(frame) => count += timing.until(frame.time),
            Err(error) if timing.start.is_none() => return Err(error.into()),
            // The frames before it are used, and the transfer says so.
            Err(_) => break,
        }
    }
    Ok(count + usize::from(timing.start.is_some()))
}

/// A frame of the part of the clip, by its number.
pub(crate) fn frame_of(drive: &Drive, frame: usize) -> Result<ClipFrame, EngineError> {
    let mut clip = drive.open()?;
    match clip.nth(frame) {
        Some(frame) => Ok(frame?),
        None => Err(drive.no_frame(frame)),
    }
}

/// The square of the clip that the network sees in every frame: that of the reference frame's largest face, so that
/// the head's own movement stays a movement.
pub(crate) fn clip_square(
    picture: &Picture,
    rule: &CropRule,
    drive: &Drive,
    told: &mut Transferred,
) -> Result<TurnedSquare, EngineError> {
    let faces = finder()?.faces(picture)?;
    let (width, height) = picture.size();
    let crop = match faces.first() {
        Some(face) => crate::face::found::canonical(&face.mesh, rule, (width, height)),
        None => {
            told.remarks
                .push(Remark::NoFaceInReference { name: drive.name() });
            crate::face::found::middle((width, height))
        }
    };
    Ok(square(crop))
}

/// Spreads frames that last differently over a constant rate.
struct Timing {
    rate: f64,
    start: Option<f64>,
    written: usize,
}

impl Timing {
    fn new(rate: f64) -> Self {
        Self {
            rate,
            start: None,
            written: 0,
        }
    }

    /// How often the frame before is written, now that the next begins at `time`.
    fn until(&mut self, time: f64) -> usize {
        let Some(start) = self.start else {
            self.start = Some(time);
            return 0;
        };
        // A quarter of a frame early is on time.
        let due = ((time - start) * self.rate - 0.25).ceil().max(0.0) as usize;
        let count = due.saturating_sub(self.written);
        self.written += count;
        count
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(rate: f64, times: &[f64]) -> Vec<usize> {
        let mut timing = Timing::new(rate);
        let mut counts: Vec<usize> = times.iter().map(|time| timing.until(*time)).collect();
        counts.remove(0);
        counts
    }

    #[test]
    fn even_frames_are_written_once_each() {
        let times: Vec<f64> = (0..100).map(|i| 3.0 + f64::from(i) / 29.97).collect();
        assert_eq!(counts(29.97, &times), vec![1; 99]);
    }

    #[test]
    fn a_frame_that_lasts_is_repeated_and_one_too_many_is_left_out() {
        assert_eq!(counts(10.0, &[0.0, 0.1, 0.4, 0.5]), [1, 3, 1]);
        assert_eq!(counts(10.0, &[0.0, 0.05, 0.1, 0.15]), [1, 0, 1]);
    }

    #[test]
    fn a_part_has_its_own_stretch_of_the_sound() {
        let mut drive = Drive {
            clip: PathBuf::from("a.mp4"),
            cut: (None, None),
            mode: Mode::Relative,
            reference: Reference::Auto,
            gain: 1.0,
            smoothing: OneEuro::OFF,
            plain: false,
            sound: true,
        };
        let stretch = |drive: &Drive, part| {
            let sound = drive.sound_of(1.0, &part, 10.0).unwrap();
            (sound.from, sound.to)
        };
        assert_eq!(stretch(&drive, 0..5), (1.0, Some(1.5)));
        assert_eq!(stretch(&drive, 5..20), (1.5, Some(3.0)));
        drive.cut.1 = Some(2.5);
        assert_eq!(stretch(&drive, 5..20), (1.5, Some(2.5)));
        drive.sound = false;
        assert!(drive.sound_of(1.0, &(0..5), 10.0).is_none());
    }
}
