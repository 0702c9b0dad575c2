//! Parsers for the values of options.

use clap::builder::{PossibleValuesParser, TypedValueParser};

use crate::document::{
    ActionUnit, AuError, AuVector, Crop, CropError, Document, FacePart, Gaze, Glasses, HeadPlace,
    HeadTurn, Limit, MethodChoice, MethodId, Mode, PaneSpec, PaneView, Pose, Preset, Sides,
};
use crate::error::{EngineError, FrameRangeError};
use crate::folders::presets_folder;
use crate::media::encode::MAX_FPS;
use crate::media::time::{NotATime, parse_time};
use crate::methods::DrivenBy;
use crate::methods::registry::BUILT_IN;

/// Why an option's value can't be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum ValueError {
    #[error("is out of range; use a number from {min} to {max}.")]
    OutOfRange { min: f64, max: f64 },
    #[error("is out of range; use a whole number from 1 to 100.")]
    Quality,
    #[error(
        "is not a direction; write degrees to the right and up, each from {min} to {max}, such as 10,-5."
    )]
    Gaze { min: f32, max: f32 },
    #[error(
        "is not a place; write percents of the face's width to the right and up, each from {min} to {max}, such as 10,-5."
    )]
    Place { min: f32, max: f32 },
    #[error("is out of range; use a number from {min} to {max}, or auto.")]
    Folds { min: f32, max: f32 },
    #[error("is not a frame; write its number, from 1, or auto.")]
    Reference,
    #[error("is neither a number of frames nor a range; write 48, 13-24 or 13-24/48.")]
    Frames,
    #[error("{}", frame_range(.0))]
    FrameRange(#[from] FrameRangeError),
    #[error(
        "--region {0} is not a part of the face; use brows, eyes, nose, mouth, skin, left or right, separated by commas."
    )]
    Region(String),
    #[error(
        "{0:?} is not a pane; use source, result, difference, flow, keypoints, mesh, depth, layers, attention or colour, separated by commas."
    )]
    Pane(String),
    #[error(transparent)]
    Time(#[from] NotATime),
    #[error(transparent)]
    ActionUnit(#[from] AuError),
    #[error(transparent)]
    Crop(#[from] CropError),
}

impl ValueError {
    /// The whole sentence; prefixed with the option and its value if the text doesn't name them.
    pub fn sentence(&self, option: &str, value: &str) -> String {
        match self {
            Self::OutOfRange { .. }
            | Self::Quality
            | Self::Gaze { .. }
            | Self::Place { .. }
            | Self::Folds { .. }
            | Self::Reference
            | Self::Frames => {
                format!("{option} {value} {self}")
            }
            _ => self.to_string(),
        }
    }
}

/// The message for a [`FrameRangeError`], with the option that gave the range.
pub(super) fn frame_range(error: &FrameRangeError) -> String {
    match error {
        FrameRangeError::BeforeFirst { first, last } => format!(
            "--frames {first}-{last} begins before the first frame; frames are numbered from 1."
        ),
        FrameRangeError::Backwards { first, last } => {
            format!("--frames {first}-{last} runs backwards; put the smaller number first.")
        }
        FrameRangeError::OtherCount { count, has } => format!(
            "--frames says {count} frames, but this export has {has}; choose a range of them, such as 1-{has}."
        ),
        FrameRangeError::BeyondLast { first, last, total } => format!(
            "--frames {first}-{last} goes past the last frame, which is number {total}; end the range there or earlier."
        ),
    }
}

/// The value of an Action Unit for one or both halves of the face.
pub(super) type Setting = (Sides, ActionUnit, f32);

/// Parses a number in a range.
pub(super) fn number(min: f64, max: f64) -> impl Fn(&str) -> Result<f64, ValueError> + Clone {
    move |text| {
        let number = text.trim().parse::<f64>().ok();
        number
            .filter(|number| (min..=max).contains(number))
            .ok_or(ValueError::OutOfRange { min, max })
    }
}

/// Parses a count in a range; clap reports anything that isn't a whole number.
pub(super) fn count(
    min: usize,
    max: usize,
) -> impl Fn(&str) -> Result<usize, Box<dyn std::error::Error + Send + Sync>> + Clone {
    move |text| {
        let count = text.parse::<usize>()?;
        if (min..=max).contains(&count) {
            return Ok(count);
        }
        let (min, max) = (min as f64, max as f64);
        Err(ValueError::OutOfRange { min, max }.into())
    }
}

/// Parses a frame rate that some format supports; [`super::output::fps_of`] then checks the format.
pub(super) fn fps(text: &str) -> Result<f64, ValueError> {
    number(1.0, MAX_FPS)(text)
}

/// Parses an encoder's quality.
pub(super) fn quality(text: &str) -> Result<u8, ValueError> {
    let quality = text.trim().parse::<u8>().ok();
    quality
        .filter(|quality| (1..=100).contains(quality))
        .ok_or(ValueError::Quality)
}

/// Parses an angle for the head, in degrees.
pub(super) fn head_angle(text: &str) -> Result<f32, ValueError> {
    let (min, max) = (*HeadTurn::RANGE.start(), *HeadTurn::RANGE.end());
    Ok(number(min.into(), max.into())(text)? as f32)
}

/// Parses a gaze: degrees to the right and up.
pub(super) fn gaze(text: &str) -> Result<Gaze, ValueError> {
    let (min, max) = (*Gaze::RANGE.start(), *Gaze::RANGE.end());
    let (x, y) = pair(text, min, max).ok_or(ValueError::Gaze { min, max })?;
    Ok(Gaze::new(x, y))
}

/// Parses the head's place: percents of the face's width to the right and up.
pub(super) fn place(text: &str) -> Result<(f32, f32), ValueError> {
    let (min, max) = (*HeadPlace::RANGE.start(), *HeadPlace::RANGE.end());
    pair(text, min, max).ok_or(ValueError::Place { min, max })
}

/// Two numbers in a range, with a comma between.
fn pair(text: &str, min: f32, max: f32) -> Option<(f32, f32)> {
    let one = |text: &str| number(min.into(), max.into())(text).ok();
    let (x, y) = text.split_once(',')?;
    Some((one(x)? as f32, one(y)? as f32))
}

/// Parses the head's size, in percent of the portrait's.
pub(super) fn head_size(text: &str) -> Result<f32, ValueError> {
    let (min, max) = (*HeadPlace::SIZES.start(), *HeadPlace::SIZES.end());
    Ok(number(min.into(), max.into())(text)? as f32)
}

/// The fold strength; `None` measures it from the portrait's skin.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Folds(pub Option<f32>);

/// Parses a fold strength: a number, or `auto`.
pub(super) fn folds(text: &str) -> Result<Folds, ValueError> {
    if text.trim().eq_ignore_ascii_case("auto") {
        return Ok(Folds(None));
    }
    let (min, max) = (*Document::FOLDS.start(), *Document::FOLDS.end());
    let folds = number(min.into(), max.into())(text);
    let folds = folds.map_err(|_| ValueError::Folds { min, max })?;
    Ok(Folds(Some(folds as f32)))
}

/// Parses whether glasses stay rigid.
pub(super) fn glasses() -> impl TypedValueParser<Value = Glasses> {
    let by_key = |key: &str| Glasses::ALL.into_iter().find(|choice| choice.key() == key);
    PossibleValuesParser::new(Glasses::ALL.map(Glasses::key))
        .try_map(move |key| by_key(&key).ok_or("no choice"))
}

/// Parses a time, in seconds.
pub(super) fn time(text: &str) -> Result<f64, ValueError> {
    Ok(parse_time(text)?)
}

/// The reference frame, in the used part of a clip.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reference {
    /// The frame whose face is most similar to the portrait's in shape and pose.
    Auto,
    /// The frame with this index, from 0.
    Frame(usize),
}

/// Parses a method's name.
pub(super) fn method() -> impl TypedValueParser<Value = MethodId> {
    let names = BUILT_IN.map(|info| info.id.as_str());
    PossibleValuesParser::new(names).try_map(|name| MethodId::checked(&name).ok_or("no method"))
}

/// Parses the name of a method driven by expressions.
pub(super) fn method_of_expressions() -> impl TypedValueParser<Value = MethodId> {
    let by_expression = BUILT_IN
        .iter()
        .filter(|info| info.driven_by == DrivenBy::Expression);
    let names: Vec<&str> = by_expression.map(|info| info.id.as_str()).collect();
    PossibleValuesParser::new(names).try_map(|name| MethodId::checked(&name).ok_or("no method"))
}

/// Parses a mode's name.
pub(super) fn mode() -> impl TypedValueParser<Value = Mode> {
    let names = Mode::ALL.map(Mode::key);
    PossibleValuesParser::new(names).try_map(|name| Mode::from_key(&name).ok_or("no mode"))
}

/// Parses the reference frame: its number from 1, or `auto`.
pub(super) fn reference(text: &str) -> Result<Reference, ValueError> {
    if text.eq_ignore_ascii_case("auto") {
        return Ok(Reference::Auto);
    }
    let number = text.parse::<usize>().ok();
    let frame = number.and_then(|number| number.checked_sub(1));
    frame.map(Reference::Frame).ok_or(ValueError::Reference)
}

/// Parses the face's crop.
pub(super) fn crop(text: &str) -> Result<Crop, ValueError> {
    Ok(Crop::parse(text)?)
}

/// Parses the parts of the face to limit a change to.
pub(super) fn region(text: &str) -> Result<Limit, ValueError> {
    let mut limit = Limit::NONE;
    for name in text.split(',') {
        let name = name.trim().to_lowercase();
        let part = FacePart::ALL
            .into_iter()
            .find(|part| part.title().to_lowercase() == name);
        match (part, name.as_str()) {
            (Some(part), _) if limit.has(part) => {}
            (Some(part), _) => limit = limit.toggled(part),
            (None, "left") => limit.sides = Sides::Left,
            (None, "right") => limit.sides = Sides::Right,
            (None, _) => return Err(ValueError::Region(name)),
        }
    }
    Ok(limit)
}

/// Parses a pane's name.
pub(super) fn pane(text: &str) -> Result<PaneSpec, ValueError> {
    match PaneView::from_key(text.trim()) {
        _ if text.trim() == "source" => Ok(PaneSpec::of(MethodChoice::Source)),
        Some(view @ (PaneView::Attention | PaneView::Colour)) => {
            Ok(PaneSpec::showing(MethodChoice::GANIMATION, view))
        }
        Some(
            view @ (PaneView::Result
            | PaneView::Flow
            | PaneView::KeyPoints
            | PaneView::Mesh
            | PaneView::Depth
            | PaneView::Layers
            | PaneView::Difference),
        ) => Ok(PaneSpec::showing(MethodChoice::RIG, view)),
        _ => Err(ValueError::Pane(text.to_owned())),
    }
}

/// Parses an Action Unit's value, with the half of the face it is for: `12=0.8`, `12L=0.8`.
pub(super) fn setting(text: &str) -> Result<Setting, ValueError> {
    let (sides, plain) = sided(text);
    let (unit, value) = AuVector::parse_setting(&plain)?;
    Ok((sides, unit, value))
}

/// The halves of the face that `12L=0.8` is for, and the setting without them.
fn sided(text: &str) -> (Sides, String) {
    if let Some((unit, value)) = text.split_once('=') {
        for (letter, sides) in [('L', Sides::Left), ('R', Sides::Right)] {
            let trimmed = unit.trim_end();
            if let Some(code) = trimmed.strip_suffix([letter, letter.to_ascii_lowercase()]) {
                return (sides, format!("{code}={value}"));
            }
        }
    }
    (Sides::Both, text.to_owned())
}

/// The expression of the preset with this name.
///
/// # Errors
/// [`EngineError::Preset`] for one that is neither built in nor among the user's presets.
pub(super) fn preset(name: &str) -> Result<Pose, EngineError> {
    let mut presets = Preset::built_in()?;
    if let Some(folder) = presets_folder() {
        presets.extend(Preset::in_folder(&folder).0);
    }
    Ok(Preset::find(&presets, name)?.pose)
}
