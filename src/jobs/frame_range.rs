//! A range of a job's frames, so that several machines can share one job.

use std::fmt;
use std::ops::Range;

use crate::error::FrameRangeError;

/// A range of a job's frames, counted from 1, inclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FrameRange {
    first: usize,
    last: usize,
}

impl fmt::Display for FrameRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.first, self.last)
    }
}

impl FrameRange {
    /// # Errors
    /// [`FrameRangeError`] when it starts before the first frame or runs backwards.
    pub fn new(first: usize, last: usize) -> Result<Self, FrameRangeError> {
        if first == 0 {
            return Err(FrameRangeError::BeforeFirst { first, last });
        }
        if last < first {
            return Err(FrameRangeError::Backwards { first, last });
        }
        Ok(Self { first, last })
    }

    /// Its frames in a job of `total`, counted from 0.
    ///
    /// # Errors
    /// [`FrameRangeError`] when it ends after the job's last frame.
    pub fn within(self, total: usize) -> Result<Range<usize>, FrameRangeError> {
        let Self { first, last } = self;
        if last > total {
            return Err(FrameRangeError::BeyondLast { first, last, total });
        }
        Ok(first - 1..last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_range_beyond_its_job_is_refused() {
        assert_eq!(FrameRange::new(13, 24).unwrap().within(24).unwrap(), 12..24);
        assert_eq!(FrameRange::new(1, 1).unwrap().within(1).unwrap(), 0..1);
        let told = |result: Result<Range<usize>, FrameRangeError>| result.unwrap_err().to_string();
        assert!(told(FrameRange::new(13, 25).unwrap().within(24)).contains("which is number 24"));
        assert!(
            FrameRange::new(0, 3)
                .unwrap_err()
                .to_string()
                .contains("from 1")
        );
        assert!(
            FrameRange::new(4, 3)
                .unwrap_err()
                .to_string()
                .contains("backwards")
        );
    }
}
