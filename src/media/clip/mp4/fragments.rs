//! Fragmented MP4, as recorded by browsers and streaming programs: an index every few frames.

use crate::media::clip::mp4::boxes::{Boxes, Fields, child};
use crate::media::clip::mp4::samples::Samples;

/// Defaults of fields that a fragment omits.
#[derive(Clone, Copy, Default)]
pub(super) struct Defaults {
    ticks: u32,
    bytes: u32,
}

impl Defaults {
    /// The defaults of track `id`, from the movie index.
    pub(super) fn of_track(moov: &[u8], id: u32) -> Self {
        let Some(mvex) = child(moov, b"mvex") else {
            return Self::default();
        };
        Boxes(mvex)
            .filter(|(kind, _)| kind == b"trex")
            .find_map(|(_, body)| {
                let mut fields = Fields(body);
                fields.version()?;
                let found = fields.u32()?;
                fields.u32()?;
                let (ticks, bytes) = (fields.u32()?, fields.u32()?);
                (found == id).then_some(Self { ticks, bytes })
            })
            .unwrap_or_default()
    }
}

/// Adds the frames of track `id` in a fragment whose index `moof` starts at `start` in the file; `None` if it isn't valid.
pub(super) fn add(
    samples: &mut Samples,
    moof: &[u8],
    start: u64,
    id: u32,
    defaults: Defaults,
) -> Option<()> {
    // Without an explicit offset, data follows that of the previous track.
    let mut at = start;
    for (_, traf) in Boxes(moof).filter(|(kind, _)| kind == b"traf") {
        let mut fields = Fields(child(traf, b"tfhd")?);
        let (_, flags) = fields.version()?;
        let is_ours = fields.u32()? == id;
        let mut optional = |flag: u32| (flags & flag != 0).then(|| fields.u32());

        let base = match optional(0x1) {
            Some(high) => u64::from(high?) << 32 | u64::from(optional(0x1)??),
            None if flags & 0x2_0000 != 0 => start,
            None => at,
        };
        if let Some(description) = optional(0x2) {
            description?;
        }
        let mut defaults = defaults;
        if let Some(ticks) = optional(0x8) {
            defaults.ticks = ticks?;
        }
        if let Some(bytes) = optional(0x10) {
            defaults.bytes = bytes?;
        }
        if is_ours && let Some(tfdt) = child(traf, b"tfdt") {
            let mut fields = Fields(tfdt);
            let (version, _) = fields.version()?;
            samples.dts = i64::try_from(fields.wide(version == 1)?).ok()?;
        }

        at = base;
        for (_, trun) in Boxes(traf).filter(|(kind, _)| kind == b"trun") {
            at = run(samples, trun, base, at, is_ours, defaults)?;
        }
    }
    Some(())
}

/// Adds the frames of a run, if they are of our track; returns the offset after its data.
fn run(
    samples: &mut Samples,
    trun: &[u8],
    base: u64,
    at: u64,
    is_ours: bool,
    defaults: Defaults,
) -> Option<u64> {
    let mut fields = Fields(trun);
    let (_, flags) = fields.version()?;
    let count = fields.u32()?;
    let mut at = if flags & 0x1 != 0 {
        base.checked_add_signed(i64::from(fields.i32()?))?
    } else {
        at
    };
    if flags & 0x4 != 0 {
        fields.u32()?;
    }
    // A run without per-frame fields may state any count; `push` stops at the limit, and other tracks are skipped as a whole.
    if flags & 0xf00 == 0 && !is_ours {
        return at.checked_add(u64::from(count).checked_mul(u64::from(defaults.bytes))?);
    }
    if flags & 0xf00 == 0 && defaults.bytes == 0 {
        return Some(at);
    }
    for _ in 0..count {
        let mut field = |flag: u32, default: u32| {
            if flags & flag != 0 {
                fields.u32()
            } else {
                Some(default)
            }
        };
        let ticks = field(0x100, defaults.ticks)?;
        let bytes = field(0x200, defaults.bytes)?;
        field(0x400, 0)?;
        let delay = field(0x800, 0)? as i32;
        if is_ours {
            samples.push(at, bytes, ticks, delay)?;
        }
        at = at.checked_add(u64::from(bytes))?;
    }
    Some(at)
}
