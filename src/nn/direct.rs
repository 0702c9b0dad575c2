//! Direct convolution over a padded copy of the picture, for any kernel and stride.
//!
//! The copy is split into `stride * stride` phases, so that the samples under one tap for adjacent outputs are adjacent
//! in memory whatever the stride.

use std::ops::Range;

use rayon::prelude::*;

use super::arena::Scratch;
use super::micro::{MAX_OVERREAD, Shape, TILE, Taps};

/// Taps per pass over the picture: their weights fit in the L1 cache.
const TAPS_A_PASS: usize = 320;

/// The layout of a picture's padded, phase-split copy.
#[derive(Clone, Copy, Debug)]
pub(super) struct Layout {
    pub channels: usize,
    pub height: usize,
    pub width: usize,
    /// Whether every value is repeated twice along each axis; only for a stride of 1.
    pub upsampled: bool,
    /// Zeros before the first row and column.
    pub padding: usize,
    pub stride: usize,
    /// Rows and columns of one phase.
    pub rows: usize,
    pub pitch: usize,
}

impl Layout {
    fn channel(&self) -> usize {
        self.stride * self.stride * self.rows * self.pitch
    }

    /// The offset of a padded coordinate, relative to the output's position.
    pub fn offset(&self, channel: usize, y: usize, x: usize) -> usize {
        let s = self.stride;
        channel * self.channel() + ((y % s * s + x % s) * self.rows + y / s) * self.pitch + x / s
    }

    /// Copies `picture` (`channels * height * width`) with its padding.
    pub fn copy(&self, picture: &[f32]) -> Scratch {
        let len = self.channels * self.channel();
        let mut padded = Scratch::new(len + MAX_OVERREAD);
        let (planes, tail) = padded.split_at_mut(len);
        tail.fill(0.0);
        planes
            .par_chunks_mut(self.channel())
            .zip(picture.par_chunks(self.height * self.width))
            .for_each(|(to, from)| self.copy_plane(from, to));
        padded
    }

    fn copy_upsampled(&self, from: &[f32], to: &mut [f32]) {
        let n = (2 * self.width).min(self.pitch - self.padding.min(self.pitch));
        for (y, row) in from.chunks_exact(self.width).enumerate() {
            let start = (2 * y + self.padding) * self.pitch + self.padding;
            let Some(first) = to.get_mut(start..start + n) else {
                break; // rows that no output reads
            };
            let mut pairs = first.chunks_exact_mut(2);
            for (pair, &value) in (&mut pairs).zip(row) {
                pair.fill(value);
            }
            if let ([last], Some(&value)) = (pairs.into_remainder(), row.get(n / 2)) {
                *last = value;
            }
            if 2 * y + 1 + self.padding < self.rows {
                to.copy_within(start..start + n, start + self.pitch);
            }
        }
    }

    fn copy_plane(&self, from: &[f32], to: &mut [f32]) {
        to.fill(0.0);
        if self.upsampled {
            return self.copy_upsampled(from, to);
        }
        let s = self.stride;
        for (y, row) in from.chunks_exact(self.width).enumerate() {
            let y = y + self.padding;
            if y / s >= self.rows {
                break; // rows that no output reads
            }
            if s == 1 {
                let start = y * self.pitch + self.padding;
                let n = row.len().min(self.pitch - self.padding.min(self.pitch));
                to[start..start + n].copy_from_slice(&row[..n]);
                continue;
            }
            for phase in 0..s {
                // The first column of this phase at or after the padding.
                let first = (phase + s - self.padding % s) % s;
                let start = ((y % s * s + phase) * self.rows + y / s) * self.pitch
                    + (self.padding + first) / s;
                let count = self.pitch.saturating_sub((self.padding + first) / s);
                let line = row.get(first..).unwrap_or_default().iter().step_by(s);
                for (to, &from) in to[start..start + count].iter_mut().zip(line) {
                    *to = from;
                }
            }
        }
    }
}

/// A kernel's weights, packed for [`Shape::run`].
#[derive(Clone, Debug)]
pub(super) struct Packed {
    pub shape: Shape,
    pub outputs: usize,
    taps: usize,
    /// Per group of `shape.rows` output channels: `[tap][row]`.
    weights: Vec<f32>,
}

impl Packed {
    /// The weight that was passed to [`Packed::new`] as `weight(output, tap)`.
    pub fn weight(&self, output: usize, tap: usize) -> f32 {
        let rows = self.shape.rows;
        self.weights[(output / rows * self.taps + tap) * rows + output % rows]
    }

    /// Packs the values of `weight(output, tap)`; `taps` is their number per output.
    pub fn new(
        shape: Shape,
        outputs: usize,
        taps: usize,
        weight: impl Fn(usize, usize) -> f32,
    ) -> Self {
        let rows = shape.rows;
        let groups = outputs.div_ceil(rows);
        let mut weights = vec![0.0; groups * taps * rows];
        for output in 0..outputs {
            let (group, row) = (output / rows, output % rows);
            for tap in 0..taps {
                weights[(group * taps + tap) * rows + row] = weight(output, tap);
            }
        }
        Self {
            shape,
            outputs,
            taps,
            weights,
        }
    }

    pub fn groups(&self) -> usize {
        self.outputs.div_ceil(self.shape.rows)
    }

    pub fn group(&self, group: usize) -> &[f32] {
        let n = self.taps * self.shape.rows;
        &self.weights[group * n..(group + 1) * n]
    }

    /// Splits a kernel's offsets (in the order of the packed taps) into passes.
    pub fn passes(&self, offsets: impl Iterator<Item = usize>) -> Vec<Taps> {
        let passes = self.taps.div_ceil(TAPS_A_PASS).max(1);
        let each = self.taps.div_ceil(passes).max(1);
        let mut offsets = offsets.peekable();
        let mut taps = Vec::with_capacity(passes);
        while offsets.peek().is_some() {
            taps.push(Taps::new(offsets.by_ref().take(each)));
        }
        debug_assert_eq!(taps.iter().map(Taps::len).sum::<usize>(), self.taps);
        taps
    }

    /// Computes whole rows of `width` values of one group's outputs, from row `task.first` on; `task.rows` has one
    /// slice per channel.
    pub fn rows(
        &self,
        task: &mut Band,
        passes: &[Taps],
        input: &[f32],
        (pitch, width): (usize, usize),
    ) {
        let height = task.rows.first().map_or(0, |r| r.len() / width);
        let mut weights = self.group(task.group);
        for (pass, taps) in passes.iter().enumerate() {
            let (now, later) = weights.split_at(taps.len() * self.shape.rows);
            weights = later;
            for y in 0..height {
                let base = (task.first + y) * pitch;
                let at = y * width..(y + 1) * width;
                self.pass(pass == 0, taps, now, (input, base), &mut task.rows, at);
            }
        }
    }

    /// Computes one row of a group's outputs; the first output reads `input` from `base` on.
    pub fn row(
        &self,
        group: usize,
        passes: &[Taps],
        (input, base): (&[f32], usize),
        rows: &mut [&mut [f32]],
    ) {
        let width = rows.first().map_or(0, |r| r.len());
        if passes.is_empty() {
            rows.iter_mut().for_each(|row| row.fill(0.0));
        }
        let mut weights = self.group(group);
        for (pass, taps) in passes.iter().enumerate() {
            let (now, later) = weights.split_at(taps.len() * self.shape.rows);
            weights = later;
            self.pass(pass == 0, taps, now, (input, base), rows, 0..width);
        }
    }

    /// Computes whole planes of one group's outputs whose rows are narrow compared with a tile: as one long row each,
    /// including the padding between rows, which is then discarded.
    pub fn planes(
        &self,
        group: usize,
        passes: &[Taps],
        input: &[f32],
        (pitch, width): (usize, usize),
        out: &mut [f32],
    ) {
        let channels = self.shape.rows.min(self.outputs - group * self.shape.rows);
        let plane = out.len() / channels;
        let long = pitch * (plane / width - 1) + width;
        let mut lines = Scratch::new(channels * long);
        let mut rows: Vec<&mut [f32]> = lines.chunks_mut(long).collect();
        self.row(group, passes, (input, 0), &mut rows);
        for (plane, line) in out.chunks_mut(plane).zip(lines.chunks(long)) {
            for (to, from) in plane.chunks_mut(width).zip(line.chunks(pitch)) {
                to.copy_from_slice(&from[..width]);
            }
        }
    }

    /// Computes the range `at` of the rows from some of the taps: stored if `first`, else added.
    fn pass(
        &self,
        first: bool,
        taps: &Taps,
        weights: &[f32],
        (input, base): (&[f32], usize),
        rows: &mut [&mut [f32]],
        at: Range<usize>,
    ) {
        let shape = self.shape;
        let mut tile = [0f32; TILE];
        for x in at.clone().step_by(shape.width) {
            shape.run(input, base + x - at.start, taps, weights, &mut tile);
            let n = shape.width.min(at.end - x);
            for (tile, row) in tile.chunks_exact(shape.width).zip(rows.iter_mut()) {
                let row = &mut row[x..x + n];
                if first {
                    row.copy_from_slice(&tile[..n]);
                } else {
                    for (to, from) in row.iter_mut().zip(tile) {
                        *to += from;
                    }
                }
            }
        }
    }
}

/// One task of a convolution: a band of rows of each output channel of a group.
pub(super) struct Band<'a> {
    pub group: usize,
    pub first: usize,
    pub rows: Vec<&'a mut [f32]>,
}

/// Splits planes of `width`-long rows into bands of at most `height` rows, for each group of channels.
pub(super) fn bands(
    out: &mut [f32],
    plane: usize,
    width: usize,
    group: usize,
    height: usize,
) -> Vec<Band<'_>> {
    let mut tasks = Vec::new();
    for (index, planes) in out.chunks_mut(plane * group).enumerate() {
        let start = tasks.len();
        for plane in planes.chunks_mut(plane) {
            for (band, rows) in plane.chunks_mut(height * width).enumerate() {
                if start + band == tasks.len() {
                    tasks.push(Band {
                        group: index,
                        first: band * height,
                        rows: Vec::with_capacity(group),
                    });
                }
                tasks[start + band].rows.push(rows);
            }
        }
    }
    tasks
}
