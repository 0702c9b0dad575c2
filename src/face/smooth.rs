//! Temporal smoothing of noisy per-frame measurements: the One Euro filter (Casiez, Roussel and Vogel, "1 € filter: a
//! simple speed-based low-pass filter for noisy input in interactive systems", CHI 2012).
//!
//! It is a low-pass filter whose cutoff rises with the speed of the signal: a resting brow is held still, a blink
//! passes. Since the whole clip is known, the filter runs once forwards and once backwards, and the mean of the two is
//! taken, so that their lags cancel. A sudden change stays in its frame and is only slightly rounded before and after.

use serde::{Deserialize, Serialize};

/// Filter settings. The defaults are for signals in 0..=1 at 24 to 30 frames per second.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct OneEuro {
    /// The cutoff of a signal at rest, in Hz: lower is smoother. Smoothing is off unless it is above 0.
    pub min_cutoff_hz: f32,
    /// The rise of the cutoff in Hz per unit per second of speed: higher follows faster.
    pub beta: f32,
    /// The cutoff of the low-pass filter on the speed, in Hz.
    pub derivative_cutoff_hz: f32,
}

impl Default for OneEuro {
    /// Tuned on synthetic signals with noise of 0.02 at 30 frames per second: at rest the frame-to-frame jitter falls
    /// to a fifth, and a blink of a quarter of a second keeps nine tenths of its height.
    fn default() -> Self {
        Self {
            min_cutoff_hz: 1.0,
            beta: 2.5,
            derivative_cutoff_hz: 2.0,
        }
    }
}

impl OneEuro {
    /// No smoothing: the output is the input, bit for bit.
    pub const OFF: OneEuro = OneEuro {
        min_cutoff_hz: 0.0,
        beta: 0.0,
        derivative_cutoff_hz: 0.0,
    };

    /// Returns whether these settings disable smoothing.
    pub fn is_off(&self) -> bool {
        // Written this way, NaN counts as off.
        let on = self.min_cutoff_hz > 0.0;
        !on
    }
}

/// The filter restarts after a gap longer than this, in seconds: the values before it say nothing about those after.
const LONG_GAP: f64 = 0.5;

/// The duration in seconds between two frames with missing or invalid times.
const DEFAULT_FRAME_DURATION: f64 = 1.0 / 30.0;

/// Smooths N signals independently; returns one value per input value.
///
/// `times` are in seconds, ascending, with any spacing; a missing time, or one not after the previous, counts as a
/// thirtieth of a second later. Frames without a value, or with one that isn't finite, remain without a value; the
/// filter continues across a gap of at most half a second. Every output is between the least and the greatest input.
pub fn smooth<const N: usize>(
    times: &[f64],
    values: &[Option<[f32; N]>],
    settings: OneEuro,
) -> Vec<Option<[f32; N]>> {
    if settings.is_off() {
        return values.to_vec();
    }
    let finite = |value: &&[f32; N]| value.iter().all(|v| v.is_finite());
    let known: Vec<(usize, [f64; N])> = values
        .iter()
        .enumerate()
        .filter_map(|(i, value)| Some((i, value.as_ref().filter(finite)?.map(f64::from))))
        .collect();
    // The duration between two known frames, the same in both directions, and whether frames are missing between them.
    let steps: Vec<(f64, bool)> = known
        .windows(2)
        .map(|pair| {
            let (a, b) = (pair[0].0, pair[1].0);
            let at = |i: usize| times.get(i).copied().unwrap_or(f64::NAN);
            let dt = at(b) - at(a);
            let has_time = dt.is_finite() && dt > 0.0;
            let dt = if has_time {
                dt
            } else {
                DEFAULT_FRAME_DURATION * (b - a) as f64
            };
            (dt, b - a > 1)
        })
        .collect();

    let line = |i: usize| known[i].1;
    let count = known.len();
    let forwards = pass(count, line, |i| steps[i - 1], settings);
    let backwards = pass(
        count,
        |i| line(count - 1 - i),
        |i| steps[count - 1 - i],
        settings,
    );
    let mut out = vec![None; values.len()];
    for (k, (i, _)) in known.iter().enumerate() {
        let (a, b) = (&forwards[k], &backwards[count - 1 - k]);
        out[*i] = Some(std::array::from_fn(|n| ((a[n] + b[n]) / 2.0) as f32));
    }
    out
}

/// [`smooth`] for signals with a range of `range` instead of 1, such as angles: the settings assume signals in 0..=1.
pub fn smooth_in_range<const N: usize>(
    times: &[f64],
    values: &[Option<[f32; N]>],
    range: f32,
    settings: OneEuro,
) -> Vec<Option<[f32; N]>> {
    if settings.is_off() {
        return values.to_vec();
    }
    let by = |value: &Option<[f32; N]>, factor: f32| value.map(|value| value.map(|v| v * factor));
    let scaled: Vec<_> = values.iter().map(|value| by(value, 1.0 / range)).collect();
    let smoothed = smooth(times, &scaled, settings);
    smoothed.iter().map(|value| by(value, range)).collect()
}

/// Runs the filter once over `count` values; `step(i)` is the step from value `i - 1` to value `i`.
fn pass<const N: usize>(
    count: usize,
    value: impl Fn(usize) -> [f64; N],
    step: impl Fn(usize) -> (f64, bool),
    settings: OneEuro,
) -> Vec<[f64; N]> {
    let [least, beta, of_speed] = [
        settings.min_cutoff_hz,
        settings.beta,
        settings.derivative_cutoff_hz,
    ]
    .map(f64::from);
    let mut out: Vec<[f64; N]> = Vec::with_capacity(count);
    let mut speed = [0.0; N];
    for i in 0..count {
        let now = value(i);
        let fresh = i == 0 || matches!(step(i), (dt, true) if dt > LONG_GAP);
        if fresh {
            speed = [0.0; N];
            out.push(now);
            continue;
        }
        let (dt, _) = step(i);
        let (raw, last) = (value(i - 1), out[i - 1]);
        out.push(std::array::from_fn(|n| {
            let momentary = (now[n] - raw[n]) / dt;
            speed[n] += smoothing_factor(of_speed, dt) * (momentary - speed[n]);
            let factor = smoothing_factor(least + beta * speed[n].abs(), dt);
            let between = last[n] + factor * (now[n] - last[n]);
            // A share of 1 may miss its end by a rounding.
            between.max(last[n].min(now[n])).min(last[n].max(now[n]))
        }));
    }
    out
}

/// Returns the smoothing factor of a low-pass filter after `dt` seconds: the weight of the new value, in 0..=1.
fn smoothing_factor(cutoff_hz: f64, dt: f64) -> f64 {
    let turns = std::f64::consts::TAU * cutoff_hz * dt;
    // t / (1 + t) in a form that also handles an infinite cutoff. A cutoff of 0 or NaN ignores the new value.
    if turns > 0.0 {
        1.0 - 1.0 / (1.0 + turns)
    } else {
        0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(fps: f64, count: usize) -> Vec<f64> {
        (0..count).map(|i| i as f64 / fps).collect()
    }

    fn curve(values: impl IntoIterator<Item = f32>) -> Vec<Option<[f32; 1]>> {
        values.into_iter().map(|v| Some([v])).collect()
    }

    /// Even noise in -1..=1 that is the same every time.
    fn noise(i: usize) -> f32 {
        let bits = (i as u32)
            .wrapping_mul(2_654_435_761)
            .wrapping_add(0x9e37_79b9);
        let bits = (bits ^ (bits >> 15)).wrapping_mul(0x85eb_ca6b);
        (bits >> 8) as f32 / (1 << 23) as f32 - 1.0
    }

    fn tremble(values: &[Option<[f32; 1]>]) -> f32 {
        let pairs = values
            .windows(2)
            .map(|w| w[1].unwrap()[0] - w[0].unwrap()[0]);
        pairs.map(|d| d * d).sum()
    }

    fn any_value() -> impl Strategy<Value = Option<[f32; 2]>> {
        prop_oneof![
            6 => prop::array::uniform2(-2f32..3.0).prop_map(Some),
            1 => Just(None),
        ]
    }

    proptest! {
        #[test]
        fn smoothing_keeps_a_constant(value in -5f32..5.0, fps in 5f64..120.0, count in 0usize..60) {
            let values = curve(std::iter::repeat_n(value, count));
            prop_assert_eq!(smooth(&at(fps, count), &values, OneEuro::default()), values);
        }

        #[test]
        fn smoothed_values_stay_in_the_range_of_the_input_and_gaps_stay_gaps(
            values in prop::collection::vec(any_value(), 0..80),
            gaps in prop::collection::vec(-0.1f64..1.0, 80),
            cutoff in 0.01f32..50.0, beta in 0f32..20.0, of_speed in 0f32..20.0,
        ) {
            let mut time = 0.0;
            let times: Vec<f64> = gaps.iter().map(|gap| { time += gap; time }).collect();
            let settings = OneEuro { min_cutoff_hz: cutoff, beta, derivative_cutoff_hz: of_speed };
            let out = smooth(&times, &values, settings);
            prop_assert_eq!(out.len(), values.len());
            for n in 0..2 {
                let known = values.iter().flatten().map(|v| v[n]);
                let low = known.clone().fold(f32::INFINITY, f32::min);
                let high = known.fold(f32::NEG_INFINITY, f32::max);
                prop_assert!(out.iter().flatten().all(|v| (low..=high).contains(&v[n])));
            }
            for (a, b) in values.iter().zip(&out) {
                prop_assert_eq!(a.is_some(), b.is_some());
            }
        }

        #[test]
        fn smoothing_commutes_with_time_reversal(
            values in prop::collection::vec(any_value(), 0..60), gaps in prop::collection::vec(0.01f64..0.3, 60),
        ) {
            let mut time = 0.0;
            let times: Vec<f64> = gaps.iter().take(values.len()).map(|gap| { time += gap; time }).collect();
            let turned_times: Vec<f64> = times.iter().rev().map(|t| -t).collect();
            let turned: Vec<_> = values.iter().rev().copied().collect();
            let mut back = smooth(&turned_times, &turned, OneEuro::default());
            back.reverse();
            prop_assert_eq!(smooth(&times, &values, OneEuro::default()), back);
        }

        #[test]
        fn smoothing_keeps_a_step_at_its_frame(at_frame in 12usize..48, fps in 24f64..31.0, down: bool) {
            let values = curve((0..60).map(|i| f32::from(u8::from((i >= at_frame) != down))));
            let out = smooth(&at(fps, 60), &values, OneEuro::default());
            let near = |i: usize| (out[i].unwrap()[0] - values[i].unwrap()[0]).abs();
            prop_assert!(near(at_frame - 1) < 0.5 && near(at_frame) < 0.5);
            prop_assert!(near(at_frame - 4) < 0.12 && near(at_frame + 3) < 0.12);
        }

        #[test]
        fn switched_off_smoothing_keeps_every_bit(bits in prop::collection::vec(prop::option::of(any::<u32>()), 0..40)) {
            let values: Vec<_> = bits.iter().map(|b| b.map(|b| [f32::from_bits(b)])).collect();
            let out = smooth(&at(30.0, values.len()), &values, OneEuro::OFF);
            let back: Vec<_> = out.iter().map(|v| v.map(|v| v[0].to_bits())).collect();
            prop_assert_eq!(back, bits);
        }

        #[test]
        fn any_input_gives_numbers_without_a_panic(
            bits in prop::collection::vec(any::<[u32; 3]>(), 0..40), times in prop::collection::vec(any::<f64>(), 0..40),
            settings in any::<[f32; 3]>(),
        ) {
            let values: Vec<_> = bits.iter().map(|b| Some(b.map(f32::from_bits))).collect();
            let [min_cutoff_hz, beta, derivative_cutoff_hz] = settings;
            let settings = OneEuro { min_cutoff_hz, beta, derivative_cutoff_hz };
            let out = smooth(&times, &values, settings);
            prop_assert_eq!(out.len(), values.len());
            if !settings.is_off() {
                prop_assert!(out.iter().flatten().flatten().all(|v| v.is_finite()));
            }
        }
    }

    #[test]
    fn smoothing_reduces_noise_and_keeps_the_height_of_a_blink() {
        let blink = |i: usize| (1.0 - (i as f32 - 60.0).abs() / 4.0).max(0.0);
        let still = curve((0..150).map(|i| 0.3 + 0.03 * noise(i)));
        let out = smooth(&at(30.0, 150), &still, OneEuro::default());
        assert!(
            tremble(&out) < 0.08 * tremble(&still),
            "{}",
            tremble(&out) / tremble(&still)
        );

        let blinking = curve((0..150).map(|i| blink(i) + 0.03 * noise(i)));
        let out = smooth(&at(30.0, 150), &blinking, OneEuro::default());
        let peak = (0..150).max_by(|a, b| out[*a].unwrap()[0].total_cmp(&out[*b].unwrap()[0]));
        assert_eq!(peak, Some(60));
        assert!(out[60].unwrap()[0] > 0.85, "{:?}", out[60]);
    }

    #[test]
    fn smoothing_continues_across_a_short_gap_and_restarts_after_a_long_one() {
        let gap = |frames: usize| {
            let before = std::iter::repeat_n(Some([0.0f32]), 30);
            let after = std::iter::repeat_n(Some([0.2f32]), 30);
            let values: Vec<_> = before
                .chain(std::iter::repeat_n(None, frames))
                .chain(after)
                .collect();
            smooth(&at(30.0, values.len()), &values, OneEuro::default())[29].unwrap()[0]
        };
        assert!(
            gap(3) > 0.0,
            "what comes after a short gap is felt before it"
        );
        assert_eq!(gap(30), 0.0);
    }

    #[test]
    fn smoothing_settings_round_trip_and_are_optional() {
        for settings in [OneEuro::default(), OneEuro::OFF] {
            let text = serde_json::to_string(&settings).unwrap();
            assert_eq!(serde_json::from_str::<OneEuro>(&text).unwrap(), settings);
        }
        assert_eq!(
            serde_json::from_str::<OneEuro>("{}").unwrap(),
            OneEuro::default()
        );
        assert!(OneEuro::OFF.is_off() && !OneEuro::default().is_off());
    }
}
