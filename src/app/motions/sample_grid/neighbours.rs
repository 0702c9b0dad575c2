//! The neighbours of a sample: rows of contents, columns of motions.

use std::iter::repeat_with;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};

use crate::document::{Sample, SampledMotion, SeededSample};

pub const ROWS: usize = 4;
pub const COLUMNS: usize = 5;

/// A cell, counted from 0. Row 0 has the motion's own content, column 0 its own movement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cell {
    pub row: usize,
    pub column: usize,
}

impl Cell {
    /// The cell of the motion itself.
    pub const OWN: Self = Self { row: 0, column: 0 };

    /// Every cell, row by row.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..ROWS).flat_map(|row| (0..COLUMNS).map(move |column| Self { row, column }))
    }
}

/// The seeds of a motion's neighbours, a function of the motion and the grid's seed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Neighbours {
    contents: Vec<u64>,
    motions: Vec<u64>,
}

impl Neighbours {
    pub fn around(motion: &SampledMotion) -> Self {
        Self {
            contents: seeds(motion.grid_seed, 0, ROWS - 1, motion.content_seed),
            motions: seeds(motion.grid_seed, 1, COLUMNS - 1, motion.codes.motion_seed),
        }
    }

    /// The content of the cell's row with the movement of its column; category and length are the motion's.
    pub fn drawn(&self, motion: &SampledMotion, cell: Cell) -> SeededSample {
        let (codes, content_seed) = self.of(&motion.codes, motion.content_seed, cell);
        SeededSample {
            codes,
            content_seed,
        }
    }

    /// Like [`Self::drawn`], for other codes, such as the motion's first frames.
    pub fn codes(&self, codes: &Sample, cell: Cell) -> Sample {
        self.of(codes, 0, cell).0
    }

    fn of(&self, codes: &Sample, content_seed: u64, cell: Cell) -> (Sample, u64) {
        let seed =
            |seeds: &[u64], at: usize| at.checked_sub(1).and_then(|at| seeds.get(at).copied());
        let codes = match seed(&self.motions, cell.column) {
            Some(seed) => codes.resample_motion(seed),
            None => codes.clone(),
        };
        match seed(&self.contents, cell.row) {
            Some(seed) => (codes.resample_content(seed), seed),
            None => (codes, content_seed),
        }
    }
}

/// Fills the rest of the RNG key after the grid's seed.
const KEY: &[u8; 24] = b"mien board of neighbours";

/// `count` different seeds, none of them `own`, short enough to be typed. If one of them would be `own`, only that one is
/// replaced, so that choosing a neighbour leaves the others in place.
fn seeds(grid_seed: u64, part: u64, count: usize, own: u64) -> Vec<u64> {
    let mut key = [0; 32];
    key[..8].copy_from_slice(&grid_seed.to_le_bytes());
    key[8..].copy_from_slice(KEY);
    let mut rng = ChaCha8Rng::from_seed(key);
    rng.set_stream(part);
    let mut dealt: Vec<u64> = Vec::with_capacity(count + 1);
    for seed in repeat_with(|| u64::from(rng.next_u32())) {
        if !dealt.contains(&seed) {
            dealt.push(seed);
        }
        if dealt.len() > count {
            break;
        }
    }
    // The last one is the replacement.
    if let Some(at) = dealt.iter().position(|seed| *seed == own) {
        dealt.swap_remove(at);
    }
    dealt.truncate(count);
    dealt
}
