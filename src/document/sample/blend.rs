//! Interpolation between two samples.

use crate::document::sample::{Sample, SampleError, check_code};

/// Angles below this (radians) are interpolated linearly, because arc and chord coincide.
const STRAIGHT: f64 = 1e-6;

impl Sample {
    /// Interpolates from this sample's content (`t` 0) to another's (1), keeping this sample's motion. The content
    /// code is interpolated on the sphere, as in [`Sample::interpolate_motion`]. The network was never trained on
    /// blended categories, so the category switches at 0.5.
    ///
    /// # Errors
    /// [`SampleError::Length`] or [`SampleError::NotFinite`] if the two can't be blended, [`SampleError::Category`] if
    /// they are of models with different categories, [`SampleError::BlendWeight`].
    pub fn interpolate_content(&self, other: &Self, t: f32) -> Result<Self, SampleError> {
        let t = checked(t)?;
        crate::document::sample::check_category(other.category, self.sizes().categories)?;
        let content = between("the content", &self.content, &other.content, t)?;
        let category = if t < 0.5 {
            self.category
        } else {
            other.category
        };
        Ok(Self {
            content,
            category,
            ..self.clone()
        })
    }

    /// Interpolates from this sample's motion (`t` 0) to another's (1), keeping this sample's content, category and
    /// number of frames; the other is brought to that length by [`Sample::with_frames`].
    ///
    /// The start and each step are interpolated separately: their directions spherically, their lengths linearly. The
    /// result is therefore as long as normal noise usually is, whereas linear interpolation shortens it (by a factor
    /// down to 0.7). Both ends are exact. Opposite directions rotate through a fixed perpendicular one. A code of zeros
    /// has no direction and is interpolated linearly. Further frames come from the nearer sample's streams.
    ///
    /// # Errors
    /// [`SampleError::Length`] or [`SampleError::NotFinite`] if the two can't be blended, [`SampleError::BlendWeight`].
    pub fn interpolate_motion(&self, other: &Self, t: f32) -> Result<Self, SampleError> {
        let t = checked(t)?;
        let h0 = between("the motion's start", &self.h0, &other.h0, t)?;
        let other = other.with_frames(self.frames())?;
        let epsilon = self
            .epsilon
            .iter()
            .zip(&other.epsilon)
            .enumerate()
            .map(|(i, (a, b))| between(&format!("the step of frame {}", i + 1), a, b, t))
            .collect::<Result<_, _>>()?;
        let nearer = if t < 0.5 { self } else { &other };
        Ok(Self {
            content: self.content.clone(),
            category: self.category,
            h0,
            epsilon,
            motion_seed: nearer.motion_seed,
        })
    }
}

fn checked(t: f32) -> Result<f64, SampleError> {
    if (0.0..=1.0).contains(&t) {
        Ok(f64::from(t))
    } else {
        Err(SampleError::BlendWeight(t))
    }
}

fn between(what: &str, a: &[f32], b: &[f32], t: f64) -> Result<Vec<f32>, SampleError> {
    check_code(what, a, a.len())?;
    check_code(what, b, a.len())?;
    Ok(if t == 0.0 {
        a.to_vec()
    } else if t == 1.0 {
        b.to_vec()
    } else {
        slerp(a, b, t)
    })
}

/// Spherical interpolation of the direction, linear interpolation of the length.
fn slerp(a: &[f32], b: &[f32], t: f64) -> Vec<f32> {
    let straight = || {
        let pairs = a.iter().zip(b);
        pairs
            .map(|(&a, &b)| ((1.0 - t) * f64::from(a) + t * f64::from(b)) as f32)
            .collect()
    };
    let (Some((ua, length_a)), Some((ub, length_b))) = (direction(a), direction(b)) else {
        return straight();
    };
    // Accurate for every angle, unlike the arc cosine of the dot product.
    let angle = 2.0
        * norm(ua.iter().zip(&ub).map(|(a, b)| a - b))
            .atan2(norm(ua.iter().zip(&ub).map(|(a, b)| a + b)));
    if angle < STRAIGHT {
        return straight();
    }
    let along: f64 = ua.iter().zip(&ub).map(|(a, b)| a * b).sum();
    let across: Vec<f64> = ub.iter().zip(&ua).map(|(b, a)| b - along * a).collect();
    let across = if std::f64::consts::PI - angle < STRAIGHT {
        right_angle(&ua)
    } else {
        Some(across)
    };
    let length = (1.0 - t) * length_a + t * length_b;
    let Some(across) = across else {
        // In one dimension no direction is perpendicular.
        return straight();
    };
    let across_length = norm(across.iter().copied());
    let (sin, cos) = (t * angle).sin_cos();
    ua.iter()
        .zip(&across)
        .map(|(a, c)| (length * (cos * a + sin * c / across_length)) as f32)
        .collect()
}

/// The unit vector and the length; `None` for a zero vector.
fn direction(v: &[f32]) -> Option<(Vec<f64>, f64)> {
    let length = norm(v.iter().map(|&v| f64::from(v)));
    (length > 0.0).then(|| (v.iter().map(|&v| f64::from(v) / length).collect(), length))
}

/// A vector perpendicular to a unit vector: the axis of its smallest component, with its projection removed. `None` in
/// one dimension.
fn right_angle(unit: &[f64]) -> Option<Vec<f64>> {
    if unit.len() < 2 {
        return None;
    }
    let smallest = unit
        .iter()
        .enumerate()
        .min_by(|(_, a), (_, b)| a.abs().total_cmp(&b.abs()))
        .map(|(i, _)| i)?;
    let along = unit[smallest];
    let mut out: Vec<f64> = unit.iter().map(|u| -along * u).collect();
    out[smallest] += 1.0;
    Some(out)
}

fn norm(values: impl Iterator<Item = f64>) -> f64 {
    values.map(|v| v * v).sum::<f64>().sqrt()
}
