//! MP4: H.264 by OpenH264 at constant quality, optionally with a clip's own sound, and the index in front.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Seek, Write};
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};

use openh264::encoder::{
    BitRate, Complexity, Encoder, EncoderConfig, FrameRate, IntraFramePeriod, QpRange,
    RateControlMode, VuiConfig,
};
use openh264::{OpenH264API, Timestamp};

use crate::media::atomic_file::{self, AtomicFile};
use crate::media::clip::AudioPart;
use crate::media::colour::yuv::Planes;
use crate::media::encode::mp4_boxes;
use crate::media::encode::mp4_boxes::Coded;
use crate::media::encode::mp4_index;
use crate::media::encode::mp4_index::{Entry, MovieHeader};
use crate::media::encode::rate::{MAX_FPS, check_fps, fps_to_rational};
use crate::media::encode::sink::{FrameSink, check_size};
use crate::media::error::MediaError;
use crate::media::image::Picture;
use crate::media::provenance::Provenance;

/// OpenH264's limits: at least a macroblock, at most level 5.2.
const MIN_SIDE: u32 = 16;
const MAX_LONG_SIDE: u32 = 3840;
const MAX_SHORT_SIDE: u32 = 2160;

/// Seconds between keyframes.
const KEYFRAME_SECONDS: f64 = 1.5;

/// The minimum number of ticks a second; some players round coarser clocks.
const MIN_TIMESCALE: u32 = 600;

/// Settings of an MP4.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mp4Settings {
    /// Frames a second, `MIN_FPS..=MAX_FPS`; stored as an exact fraction ([`fps_to_rational`]).
    pub fps: f64,
    /// 0 (small) to 100 (almost the same as the source); values above count as 100.
    pub quality: u8,
    /// The background of transparent pixels, sRGB. Video has no alpha.
    pub background: [u8; 3],
}

impl Default for Mp4Settings {
    /// 25 frames a second, quality 80, over a dark neutral grey on which cut-out portraits look natural.
    fn default() -> Self {
        Self {
            fps: 25.0,
            quality: 80,
            background: [48, 48, 48],
        }
    }
}

impl Mp4Settings {
    /// H.264's quantisation parameter, constant over the clip: 14 at quality 100, 20 at 80, 42 at 0.
    fn quantiser(&self) -> u8 {
        42 - (u32::from(self.quality.min(100)) * 28 / 100) as u8
    }
}

/// Writes an MP4 with an H.264 track, 4:2:0, BT.709, limited range, and the sound set by [`Mp4Sink::set_sound`].
///
/// H.264 in 4:2:0 needs even sides, and this encoder at least 16 pixels: other pictures are padded by repeating the
/// last column or row, so a clip of 127 x 95 becomes one of 128 x 96.
pub struct Mp4Sink {
    path: PathBuf,
    size: (u32, u32),
    settings: Mp4Settings,
    encoder: Encoder,
    planes: Planes,
    /// The coded frames, in a temporary file because the index precedes them in the MP4.
    coded: BufWriter<File>,
    frames: Vec<Entry>,
    parameters: Option<(Vec<u8>, Vec<u8>)>,
    /// The sound, and a copy of its data.
    sound: Option<(AudioPart, File)>,
    note: Option<Provenance>,
    file: AtomicFile,
}

impl Mp4Sink {
    /// Creates an MP4 at `path` for frames of `width` x `height` pixels, up to 3840 x 2160 or 2160 x 3840.
    ///
    /// # Errors
    ///
    /// [`MediaError::ClipSize`] and [`MediaError::FrameRate`] for settings that can't be encoded; write errors.
    pub fn new(
        path: &Path,
        width: u32,
        height: u32,
        settings: Mp4Settings,
    ) -> Result<Self, MediaError> {
        check_fps(path, settings.fps, MAX_FPS)?;
        let (long, short) = (width.max(height), width.min(height));
        if short == 0 || long > MAX_LONG_SIDE || short > MAX_SHORT_SIDE {
            return Err(MediaError::ClipSize {
                path: path.to_owned(),
                width,
                height,
                limit: "an MP4 can have up to 3840 x 2160 or 2160 x 3840",
                advice: "choose a smaller size, a GIF or numbered PNGs",
            });
        }

        let even = |side: u32| side.max(MIN_SIDE).next_multiple_of(2) as usize;
        let planes = Planes::new(even(width), even(height));
        let encoder = Encoder::with_api_config(
            OpenH264API::from_source(),
            config(even(width) * even(height), &settings),
        )
        .map_err(|e| MediaError::encoding(path, e))?;

        Ok(Self {
            path: path.to_owned(),
            size: (width, height),
            settings,
            encoder,
            planes,
            coded: BufWriter::with_capacity(1 << 16, atomic_file::scratch(path)?),
            frames: Vec::new(),
            parameters: None,
            sound: None,
            note: None,
            file: AtomicFile::create(path)?,
        })
    }

    /// Adds a provenance note.
    pub fn set_note(&mut self, note: Provenance) {
        self.note = Some(note);
    }

    /// Adds sound, which starts with the first frame and ends with the last, or earlier.
    ///
    /// The coded data is copied at once, so the source may be replaced or deleted before the clip is finished.
    ///
    /// # Errors
    ///
    /// Errors of reading the source and of writing. The clip then has no sound and can be written without it.
    pub fn set_sound(&mut self, part: AudioPart) -> Result<(), MediaError> {
        self.sound = None;
        if part.is_silent() {
            return Ok(());
        }
        let mut data = BufWriter::with_capacity(1 << 16, atomic_file::scratch(&self.path)?);
        part.copy(&mut data, &self.path)?;
        let data = data
            .into_inner()
            .map_err(|e| MediaError::writing(&self.path, e.into_error()))?;
        self.sound = Some((part, data));
        Ok(())
    }

    fn encode(&mut self) -> Result<Coded, MediaError> {
        let milliseconds = self.frames.len() as f64 * 1000.0 / self.settings.fps;
        let stream = self
            .encoder
            .encode_at(&self.planes, Timestamp::from_millis(milliseconds as u64))
            .map_err(|e| MediaError::encoding(&self.path, e))?;

        let mut coded = Coded::default();
        for layer in (0..stream.num_layers()).filter_map(|i| stream.layer(i)) {
            (0..layer.nal_count())
                .filter_map(|i| layer.nal_unit(i))
                .for_each(|nal| coded.add(nal));
        }
        Ok(coded)
    }
}

impl FrameSink for Mp4Sink {
    fn push(&mut self, frame: &Picture) -> Result<(), MediaError> {
        check_size(&self.path, frame, self.size)?;

        let (width, height) = (self.size.0 as usize, self.size.1 as usize);
        let background = frame.has_alpha().then_some(self.settings.background);
        self.planes.fill(frame.rgba(), width, height, background);

        let coded = self.encode()?;
        if coded.data.is_empty() {
            return Err(MediaError::encoding(
                &self.path,
                "the encoder left out a frame",
            ));
        }
        if let (Some(sps), Some(pps)) = (coded.sps, coded.pps) {
            self.parameters.get_or_insert((sps, pps));
        }
        self.coded
            .write_all(&coded.data)
            .map_err(|e| MediaError::writing(&self.path, e))?;
        self.frames.push(Entry {
            bytes: coded.data.len(),
            is_key: coded.is_key,
        });
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<(), MediaError> {
        let Self {
            path,
            settings,
            planes,
            coded,
            frames,
            parameters,
            sound,
            note,
            mut file,
            ..
        } = *self;
        if frames.is_empty() {
            return Err(MediaError::NoFrames { path });
        }
        let fail = |e: io::Error| MediaError::writing(&path, e);

        let (width, height) = planes.size();
        let entry = parameters
            .and_then(|(sps, pps)| mp4_boxes::sample_entry(width as u16, height as u16, &sps, &pps))
            .ok_or_else(|| MediaError::encoding(&path, "the encoder gave no stream parameters"))?;
        let (timescale, ticks) = clock(settings.fps);
        let movie = MovieHeader {
            entry: &entry,
            frames: &frames,
            timescale,
            ticks,
            sound: sound.as_ref().map(|(part, _)| part),
        };
        let index = mp4_index::index(&movie).map_err(|e| MediaError::encoding(&path, e))?;

        let reader = |mut data: File| {
            let rewound = data.rewind().map_err(fail);
            rewound.map(|()| BufReader::with_capacity(1 << 16, data))
        };
        let mut picture = reader(coded.into_inner().map_err(|e| fail(e.into_error()))?)?;
        let mut sound = sound.map(|(_, data)| reader(data)).transpose()?;
        file.write_all(&index.head).map_err(fail)?;
        for (is_sound, bytes) in index.stretches {
            let source = match &mut sound {
                Some(sound) if is_sound => sound,
                _ => &mut picture,
            };
            io::copy(&mut source.take(bytes), &mut file).map_err(fail)?;
        }
        if let Some(note) = note {
            let note = note.mp4_box().map_err(|e| MediaError::encoding(&path, e))?;
            file.write_all(&note).map_err(fail)?;
        }
        file.commit()
    }
}

/// Ticks a second, and the duration of a frame in ticks.
fn clock(fps: f64) -> (NonZeroU32, u32) {
    let (frames, seconds) = fps_to_rational(fps);
    let factor = MIN_TIMESCALE.div_ceil(frames.max(1));
    (
        NonZeroU32::new(frames * factor).unwrap_or(NonZeroU32::MIN),
        seconds * factor,
    )
}

fn config(pixels: usize, settings: &Mp4Settings) -> EncoderConfig {
    let quantiser = settings.quantiser();
    // With a fixed quantiser, the bit rate only determines the level stored in the stream.
    let rate = (pixels as f64 * settings.fps * 0.3).clamp(200_000.0, 200_000_000.0);
    let period = (settings.fps * KEYFRAME_SECONDS).round().max(1.0);

    EncoderConfig::new()
        // The only mode that uses our quantiser and never drops a frame; with it fixed, there is no rate to control.
        .rate_control_mode(RateControlMode::Bufferbased)
        .bitrate(BitRate::from_bps(rate as u32))
        .qp(QpRange::new(quantiser, quantiser))
        .max_frame_rate(FrameRate::from_hz(settings.fps as f32))
        .intra_frame_period(IntraFramePeriod::from_num_frames(period as u32))
        .complexity(Complexity::High)
        .vui(VuiConfig::bt709())
        // Both lower the quality where little moves, which is most of a portrait.
        .adaptive_quantization(false)
        .background_detection(false)
        .skip_frames(false)
        .num_threads(1)
}
