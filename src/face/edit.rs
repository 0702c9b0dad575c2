//! A network's edit of a crop, and a mask for it.

/// A network's output for one crop, at the network's resolution.
#[derive(Debug, Clone, PartialEq)]
pub struct Edit {
    /// Side in pixels.
    pub size: usize,
    /// The network's input: `[3, size, size]` in [-1, 1].
    pub input: Vec<f32>,
    /// The colour regression C: `[3, size, size]` in [-1, 1].
    pub color: Vec<f32>,
    /// The attention A: `[size, size]` in [0, 1]; 1 keeps the source.
    pub attention: Vec<f32>,
}

impl Edit {
    /// Returns how much of the crop the network edits: the mean of 1 - A, weighted by the mask, in [0, 1].
    pub fn mean_edit(&self, mask: Option<&Mask>) -> f32 {
        let place = |n: usize| (n as f32 + 0.5) / self.size as f32;
        let edited = self.attention.iter().enumerate().map(|(i, attention)| {
            let weight = mask.map_or(1.0, |mask| {
                mask.near(place(i % self.size), place(i / self.size))
            });
            f64::from((1.0 - attention) * weight)
        });
        (edited.sum::<f64>() / self.attention.len().max(1) as f64) as f32
    }

    /// Combines two edits of the same crop that apply to different halves of the face. `weights` `[size, size]` is 1
    /// where this edit applies and 0 where `other` does; each is scaled by its onset, in 0..=1. Pasting the combined edit
    /// gives, at every sample, the two results blended by the weight.
    pub fn joined(&self, other: &Edit, weights: &[f32], onsets: (f32, f32)) -> Edit {
        let area = self.size * self.size;
        let mut joined = self.clone();
        for (i, weight) in weights.iter().enumerate().take(area) {
            let self_weight = onsets.0 * weight * (1.0 - self.attention[i]);
            let other_weight = onsets.1 * (1.0 - weight) * (1.0 - other.attention[i]);
            let edited = self_weight + other_weight;
            joined.attention[i] = 1.0 - edited;
            let share = if edited > 1e-6 {
                self_weight / edited
            } else {
                *weight
            };
            for c in (i..3 * area).step_by(area) {
                joined.color[c] = share * self.color[c] + (1.0 - share) * other.color[c];
            }
        }
        joined
    }
}

/// Where an edit applies within the crop.
#[derive(Debug, Clone, PartialEq)]
pub struct Mask {
    /// Side in samples.
    pub size: usize,
    /// `[size, size]` in [0, 1]; 0 keeps the portrait.
    pub values: Vec<f32>,
}

impl Mask {
    /// Returns the nearest value to a point of the crop, both coordinates in 0..1.
    fn near(&self, u: f32, v: f32) -> f32 {
        let at = |t: f32| ((t * self.size as f32) as usize).min(self.size - 1);
        self.values[at(v) * self.size + at(u)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: usize = 16;

    fn edit(attention: f32, color: f32) -> Edit {
        Edit {
            size: SIZE,
            input: vec![0.0; 3 * SIZE * SIZE],
            color: vec![color; 3 * SIZE * SIZE],
            attention: vec![attention; SIZE * SIZE],
        }
    }

    #[test]
    fn the_mean_edit_counts_only_where_the_mask_is_open() {
        assert!((edit(0.3, 0.0).mean_edit(None) - 0.7).abs() < 1e-5);
        let half = Mask {
            size: 64,
            values: (0..64 * 64).map(|i| f32::from(i % 64 < 32)).collect(),
        };
        let edited = edit(0.3, 0.0).mean_edit(Some(&half));
        assert!((edited - 0.35).abs() < 1e-5, "{edited}");
    }

    #[test]
    fn joined_halves_add_up_their_weighted_edits() {
        let (a, b) = (edit(0.25, 0.5), edit(0.5, -0.5));
        let weights: Vec<f32> = (0..SIZE * SIZE).map(|i| (i % SIZE) as f32 / 15.0).collect();
        let joined = a.joined(&b, &weights, (1.0, 0.5));
        for (i, weight) in weights.iter().enumerate() {
            // Over a source of 0: the sum of what both add.
            let wanted = weight * 0.75 * 0.5 + 0.5 * (1.0 - weight) * 0.5 * -0.5;
            let got = (1.0 - joined.attention[i]) * joined.color[i];
            assert!((wanted - got).abs() < 1e-6, "{wanted} {got}");
        }
        assert_eq!(a.joined(&b, &[1.0; SIZE * SIZE], (1.0, 1.0)), a);
    }
}
