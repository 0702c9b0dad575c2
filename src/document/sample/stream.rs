//! Normal noise that is identical on every machine.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};

/// What a stream's numbers are used for.
#[derive(Debug, Clone, Copy)]
pub(super) enum StreamId {
    Content,
    Category,
    /// The motion before the first frame.
    Start,
    /// A frame's step, counted from 0.
    Step(u32),
}

impl StreamId {
    fn number(self) -> u64 {
        match self {
            StreamId::Content => 0,
            StreamId::Category => 1,
            StreamId::Start => 2,
            StreamId::Step(frame) => (1 << 32) | u64::from(frame),
        }
    }
}

/// One of a seed's streams: ChaCha with 8 rounds, keyed by the seed, with the part as stream number.
pub(super) struct Stream(ChaCha8Rng);

/// Fills the key after the seed's eight bytes. A different text gives different streams.
const KEY: &[u8; 24] = b"mien sampled noise no. 1";

impl Stream {
    pub(super) fn new(seed: u64, part: StreamId) -> Self {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&seed.to_le_bytes());
        key[8..].copy_from_slice(KEY);
        let mut rng = ChaCha8Rng::from_seed(key);
        rng.set_stream(part.number());
        Self(rng)
    }

    /// A uniform number below `n`, with a bias of at most n / 2^64.
    pub(super) fn below(&mut self, n: usize) -> usize {
        ((u128::from(self.0.next_u64()) * n as u128) >> 64) as usize
    }

    /// Returns `n` numbers of mean 0 and variance 1. A shorter draw from the same stream is a prefix of a longer one.
    pub(super) fn normals(&mut self, n: usize) -> Vec<f32> {
        let mut out = Vec::with_capacity(n + 1);
        while out.len() < n {
            // Marsaglia's polar method. The logarithm, the only function here that platforms may round differently, is
            // the one below.
            let (u, v) = (self.signed(), self.signed());
            let s = u * u + v * v;
            if s > 0.0 && s < 1.0 {
                let scale = (-2.0 * ln(s) / s).sqrt();
                out.extend([(u * scale) as f32, (v * scale) as f32]);
            }
        }
        out.truncate(n);
        out
    }

    /// A multiple of 2^-52 in [-1, 1).
    fn signed(&mut self) -> f64 {
        let bits = self.0.next_u64() >> 11;
        bits as f64 / (1u64 << 52) as f64 - 1.0
    }
}

/// The natural logarithm of a positive, normal number. It uses only additions, multiplications and divisions, which
/// every machine rounds alike. The error is below 1e-15, relative to the larger of the result and 1e-3.
fn ln(x: f64) -> f64 {
    const MANTISSA: u64 = (1 << 52) - 1;
    let bits = x.to_bits();
    let mut exponent = (bits >> 52) as i32 - 1023;
    let mut mantissa = f64::from_bits((bits & MANTISSA) | 1023 << 52);
    if mantissa > std::f64::consts::SQRT_2 {
        mantissa /= 2.0;
        exponent += 1;
    }
    // ln m = 2 artanh z with |z| < 0.172: the truncated terms sum to less than 1e-18.
    let z = (mantissa - 1.0) / (mantissa + 1.0);
    let series = (0..12)
        .rev()
        .fold(0.0, |sum, k| sum * (z * z) + 1.0 / f64::from(2 * k + 1));
    f64::from(exponent) * std::f64::consts::LN_2 + 2.0 * z * series
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_natural_logarithm_is_accurate_to_1e_15() {
        let mut x = 1e-300;
        while x < 10.0 {
            let (found, wanted) = (ln(x), f64::ln(x));
            let bound = 1e-15 * wanted.abs().max(1e-3);
            assert!(
                (found - wanted).abs() <= bound,
                "{x}: {found}, not {wanted}"
            );
            x *= 1.000_37;
        }
        assert_eq!(ln(1.0), 0.0);
    }

    #[test]
    fn drawn_normals_have_the_moments_of_a_standard_normal_distribution() {
        let n = 400_000;
        let values = Stream::new(1, StreamId::Content).normals(n);
        let moment = |power: i32| {
            let sum: f64 = values.iter().map(|&v| f64::from(v).powi(power)).sum();
            sum / n as f64
        };
        // Each within five standard errors.
        let error = 5.0 / (n as f64).sqrt();
        assert!(moment(1).abs() < error);
        assert!((moment(2) - 1.0).abs() < error * 2f64.sqrt());
        assert!(moment(3).abs() < error * 15f64.sqrt());
        assert!((moment(4) - 3.0).abs() < error * 96f64.sqrt());
        let below = values.iter().filter(|v| **v < -1.0).count() as f64 / n as f64;
        assert!((below - 0.158_655).abs() < error * 0.366);
        // Neighbours, which the method makes in pairs, are uncorrelated.
        let pairs: f64 = values.chunks(2).map(|p| f64::from(p[0] * p[1])).sum();
        assert!((pairs / (n / 2) as f64).abs() < error * 2f64.sqrt());
    }

    #[test]
    fn drawn_categories_are_equally_likely() {
        let mut counts = [0; 6];
        let mut stream = Stream::new(7, StreamId::Category);
        for _ in 0..60_000 {
            counts[stream.below(6)] += 1;
        }
        assert!(
            counts.iter().all(|c| (9_500..10_500).contains(c)),
            "{counts:?}"
        );
    }
}
