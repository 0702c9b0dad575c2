//! Trimming a clip.

use crate::media::clip::cut::TIME_TOLERANCE;
use crate::media::clip::frames::ClipFrame;
use crate::media::clip::{Clip, CutError};
use crate::media::error::MediaError;

impl Clip {
    /// Keeps the frames that begin at `from` or later and before `to`, in seconds of the whole clip; `None` is its
    /// start or end.
    ///
    /// Times remain those of the whole clip, so the first frame's time is where the sound must begin
    /// ([`AudioTrack::part`](super::AudioTrack::part)). [`Clip::info`] then describes the part. H.264 videos are
    /// decoded from the keyframe before `from`, and numbered pictures from the first frame of the part; in other clips
    /// the frames before are decoded and dropped. Call this before reading any frame.
    ///
    /// # Errors
    ///
    /// [`MediaError::Cut`] if no frame is left; the error of a damaged frame on the way.
    pub fn trim(mut self, from: Option<f64>, to: Option<f64>) -> Result<Self, MediaError> {
        let begin = from.unwrap_or(0.0);
        if begin.is_nan() || to.is_some_and(|to| to.is_nan() || to <= begin.max(0.0)) {
            let (path, from, to) = (self.path.clone(), begin, to.unwrap_or(f64::INFINITY));
            return Err(CutError::Backward { path, from, to }.into());
        }
        self.cut.to = to;
        self.cut.end = to.and_then(|to| self.frames.index_at(to - TIME_TOLERANCE));

        let untrimmed = self.info;
        let start = match self.frames.index_at(begin - TIME_TOLERANCE) {
            Some(first) => {
                let end = self.cut.end.or(untrimmed.frames);
                if end.is_some_and(|end| first >= end) {
                    return Err(self.nothing(begin, first).into());
                }
                self.pass(first)?;
                self.cut.first = first;
                begin
            }
            None => self.find(begin)?,
        };

        // If only decoding determines which frames come before `to`, their number isn't known either.
        let end = if to.is_some() {
            self.cut.end
        } else {
            untrimmed.frames
        };
        self.info.frames = end.map(|end| end.saturating_sub(self.cut.first));
        let until = match (to, untrimmed.seconds) {
            (Some(to), Some(seconds)) => Some(to.min(seconds)),
            (to, seconds) => to.or(seconds),
        };
        self.info.seconds = until.map(|until| (until - start.max(0.0)).max(0.0));
        Ok(self)
    }

    /// Goes to the first frame that begins at `begin` or later, and returns its time.
    fn find(&mut self, begin: f64) -> Result<f64, MediaError> {
        while let Some(frame) = self.frames_next() {
            let frame = frame?;
            if frame.time >= begin - TIME_TOLERANCE {
                if self.cut.ends(frame.time) {
                    return Err(self.nothing(begin, self.given - 1).into());
                }
                // It is returned again by `next`.
                self.given -= 1;
                self.cut.first = self.given;
                let time = frame.time;
                self.cut.found = Some(frame);
                return Ok(time);
            }
        }
        Err(CutError::Beyond {
            path: self.path.clone(),
            from: begin,
            seconds: self.info.seconds,
        }
        .into())
    }

    /// The next frame, ignoring the end of the range.
    fn frames_next(&mut self) -> Option<Result<ClipFrame, MediaError>> {
        let to = self.cut.to.take();
        let next = self.next();
        self.cut.to = to;
        next
    }

    fn nothing(&self, from: f64, first: usize) -> CutError {
        let path = self.path.clone();
        let is_beyond = self.info.frames.is_some_and(|frames| first >= frames);
        match self.cut.to {
            Some(to) if !is_beyond => CutError::Empty { path, from, to },
            _ => CutError::Beyond {
                path,
                from,
                seconds: self.info.seconds,
            },
        }
    }
}
