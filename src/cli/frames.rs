//! The option `--frames`: the number of frames, or a range of them.

use super::values::ValueError;
use crate::jobs::frame_range::FrameRange;

/// The value of `--frames`: `48`, `13-24`, or both as `13-24/48`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Frames {
    /// The number of frames of the whole job.
    pub(super) count: Option<usize>,
    /// The frames to write; `None` writes all.
    pub(super) part: Option<FrameRange>,
}

impl Frames {
    /// The maximum number of frames of a job.
    pub(super) const MAX: usize = 100_000;

    /// # Errors
    /// [`ValueError`] for invalid syntax, for no or too many frames, and for a range that runs backwards.
    pub(super) fn parse(text: &str) -> Result<Self, ValueError> {
        let text = text.trim();
        let number = |digits: &str| {
            let is_number =
                (1..=9).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
            let number = is_number.then(|| digits.parse::<usize>().ok()).flatten();
            number.ok_or(ValueError::Frames)
        };
        let (part, count) = match text.split_once('/') {
            Some((part, count)) => (Some(part), Some(count)),
            None if text.contains('-') => (Some(text), None),
            None => (None, Some(text)),
        };
        let count = count.map(number).transpose()?;
        if let Some(count) = count
            && !(1..=Self::MAX).contains(&count)
        {
            return Err(ValueError::OutOfRange {
                min: 1.0,
                max: Self::MAX as f64,
            });
        }
        let part = match part {
            None => None,
            Some(part) => {
                let (first, last) = part.split_once('-').ok_or(ValueError::Frames)?;
                Some(FrameRange::new(number(first)?, number(last)?)?)
            }
        };
        Ok(Self { count, part })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_parsed_as_a_count_a_range_or_both() {
        let part = Some(FrameRange::new(13, 24).unwrap());
        for (text, count, part) in [
            ("48", Some(48), None),
            ("13-24", None, part),
            (" 13-24/48 ", Some(48), part),
            ("100000", Some(100_000), None),
        ] {
            assert_eq!(
                Frames::parse(text).unwrap(),
                Frames { count, part },
                "{text}"
            );
        }
    }

    #[test]
    fn invalid_frame_ranges_give_a_one_sentence_error() {
        for (text, words) in [
            ("0", "out of range"),
            ("100001", "out of range"),
            ("1-2/0", "out of range"),
            ("0-3", "numbered from 1"),
            ("24-13", "backwards"),
            ("24-13/48", "backwards"),
            ("x", "--frames x is neither"),
            ("", "neither"),
            ("-", "neither"),
            ("1-", "--frames 1- is neither"),
            ("1-2-3", "neither"),
            ("1-2/", "neither"),
            ("5/48", "--frames 5/48 is neither"),
            ("1.5", "neither"),
            ("+3", "neither"),
            ("9999999999", "neither"),
        ] {
            let told = Frames::parse(text).unwrap_err().sentence("--frames", text);
            assert!(told.contains(words), "{text}: {told}");
            assert!(told.ends_with('.') && told.lines().count() == 1, "{told}");
        }
    }
}
