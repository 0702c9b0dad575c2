//! Measurements of the panes, frame by frame.

/// Values of a metric over the frames, for one pane.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Series {
    /// What was measured, such as a pane's name.
    pub name: String,
    pub metric: String,
    /// The value of each frame, if it has one.
    pub values: Vec<Option<f32>>,
}

impl Series {
    /// The mean over the frames with a finite value.
    pub fn mean(&self) -> Option<f64> {
        let known = || {
            self.values
                .iter()
                .flatten()
                .filter(|value| value.is_finite())
        };
        let count = known().count();
        let sum: f64 = known().map(|value| f64::from(*value)).sum();
        (count > 0).then(|| sum / count as f64)
    }
}

/// Everything that was measured.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Numbers {
    pub frames: usize,
    pub series: Vec<Series>,
}

impl Numbers {
    /// The metrics, without duplicates, in order of first appearance.
    pub fn metrics(&self) -> Vec<&str> {
        let mut metrics: Vec<&str> = Vec::new();
        for series in &self.series {
            if !metrics.contains(&series.metric.as_str()) {
                metrics.push(&series.metric);
            }
        }
        metrics
    }

    /// The chosen metric if it was measured, else the first.
    pub fn chosen<'a>(&'a self, metric: Option<&str>) -> Option<&'a str> {
        let metrics = self.metrics();
        let named = metrics.iter().find(|other| Some(**other) == metric);
        named.or(metrics.first()).copied()
    }

    /// The series of a metric.
    pub fn of(&self, metric: &str) -> impl Iterator<Item = &Series> {
        self.series
            .iter()
            .filter(move |series| series.metric == metric)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(name: &str, metric: &str, values: &[Option<f32>]) -> Series {
        Series {
            name: name.to_owned(),
            metric: metric.to_owned(),
            values: values.to_vec(),
        }
    }

    #[test]
    fn the_mean_skips_missing_and_nan_values() {
        let some = series("TPS", "L1", &[Some(1.0), None, Some(3.0), Some(f32::NAN)]);
        assert_eq!(some.mean(), Some(2.0));
        assert_eq!(series("TPS", "L1", &[None]).mean(), None);
    }

    #[test]
    fn a_missing_metric_falls_back_to_the_first() {
        let numbers = Numbers {
            frames: 1,
            series: vec![
                series("FOMM", "L1", &[]),
                series("TPS", "L1", &[]),
                series("TPS", "AKD", &[]),
            ],
        };
        assert_eq!(numbers.metrics(), ["L1", "AKD"]);
        assert_eq!(numbers.chosen(Some("AKD")), Some("AKD"));
        assert_eq!(numbers.chosen(Some("SSIM")), Some("L1"));
        assert_eq!(numbers.of("L1").count(), 2);
        assert_eq!(Numbers::default().chosen(None), None);
    }
}
