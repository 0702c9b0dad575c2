//! Pseudorandom numbers, the same for the same case.

/// SplitMix64.
pub struct Rng(u64);

impl Rng {
    /// For one execution of a reader.
    pub fn new(name: &str, seed: u64, execution: u64) -> Self {
        let mut rng = Self(seed);
        for part in name.bytes().map(u64::from).chain([execution]) {
            rng.0 ^= part;
            rng.next();
        }
        rng
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `end`; 0 for 0.
    pub fn below(&mut self, end: usize) -> usize {
        (self.next() % (end as u64).max(1)) as usize
    }

    /// True once in `n`.
    pub fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }

    /// A boundary value, or any number.
    pub fn edge_value(&mut self, length: usize) -> u64 {
        let length = length as u64;
        match self.below(8) {
            0 => 0,
            1 => *self.pick(&[1, 2, 4, 8, 16, 255, 256, 65_535, 65_536]),
            2 => u64::MAX >> self.below(64),
            3 => (1 << self.below(64)) + self.next() % 3 - 1,
            4 => length.wrapping_add(self.next() % 17).wrapping_sub(8),
            5 => length / 2,
            _ => self.next() >> self.below(64),
        }
    }
}
