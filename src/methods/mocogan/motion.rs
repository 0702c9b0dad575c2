//! The GRU that produces the sequence of motion codes.

use candle_core::Result as Candle;

use crate::nn::Weights;

/// PyTorch's `GRUCell(n, n)`. It always runs on the CPU: a step is 600 multiplications.
#[derive(Clone, Debug)]
pub(super) struct Gru {
    size: usize,
    /// Weight `[3 n, n]` and bias `[3 n]`, in the order reset, update and new gate: of the noise, then of the state.
    input: (Vec<f64>, Vec<f64>),
    hidden: (Vec<f64>, Vec<f64>),
}

impl Gru {
    pub(super) fn load(size: usize, weights: Weights) -> Candle<Self> {
        let values = |shape: &[usize], name: String| {
            let tensor = weights
                .get(shape, &name)?
                .to_dtype(candle_core::DType::F64)?;
            tensor.flatten_all()?.to_vec1::<f64>()
        };
        let of = |suffix: &str| {
            let weight = values(&[3 * size, size], format!("weight_{suffix}"))?;
            Candle::Ok((weight, values(&[3 * size], format!("bias_{suffix}"))?))
        };
        Ok(Self {
            size,
            input: of("ih")?,
            hidden: of("hh")?,
        })
    }

    /// One step. It computes in f64 and returns f32, so a sequence can be continued from any of its codes exactly.
    pub(super) fn step(&self, noise: &[f32], state: &[f32]) -> Vec<f32> {
        let n = self.size;
        let x = affine(&self.input, noise);
        let h = affine(&self.hidden, state);
        let sigmoid = |v: f64| 1.0 / (1.0 + (-v).exp());
        (0..n)
            .map(|i| {
                let reset = sigmoid(x[i] + h[i]);
                let update = sigmoid(x[n + i] + h[n + i]);
                let new = (x[2 * n + i] + reset * h[2 * n + i]).tanh();
                ((1.0 - update) * new + update * f64::from(state[i])) as f32
            })
            .collect()
    }
}

fn affine((weight, bias): &(Vec<f64>, Vec<f64>), x: &[f32]) -> Vec<f64> {
    let rows = weight.chunks_exact(x.len().max(1)).zip(bias);
    rows.map(|(row, bias)| {
        let pairs = row.iter().zip(x);
        bias + pairs.map(|(w, &x)| w * f64::from(x)).sum::<f64>()
    })
    .collect()
}
