//! The curves of the Action Units read from a moving face: only the few that move most.

use iced::widget::canvas::{self, Canvas, Frame, Geometry, Path, Stroke};
use iced::{Element, Length, Point, Rectangle, Renderer, Size, Theme, mouse};

use crate::app::widgets::keyed_cache::KeyedCache;
use crate::app::widgets::theme::{self, Colors};
use crate::document::{ActionUnit, AuVector, Pose};

/// Number of curves drawn.
const DRAWN: usize = 5;

/// Width of the column of names on the right, in logical pixels.
const NAMES: f32 = 44.0;

/// A type whose values can be drawn as curves.
pub trait Reading: Copy {
    /// The unit's value, in 0..=1.
    fn value(&self, unit: ActionUnit) -> f32;
}

impl Reading for AuVector {
    fn value(&self, unit: ActionUnit) -> f32 {
        self.get(unit)
    }
}

impl Reading for Pose {
    fn value(&self, unit: ActionUnit) -> f32 {
        self.get(unit)
    }
}

/// The Action Units that move most, frame by frame; frames without a face are shaded.
pub struct ReadCurves<'a, V> {
    /// As measured, drawn thin; empty if only `driving` is of interest.
    pub measured: Vec<Option<V>>,
    /// As they drive, drawn bold.
    pub driving: &'a [Option<V>],
    /// The frame under the playhead.
    pub step: Option<usize>,
}

impl<'a, V: Reading + 'a> ReadCurves<'a, V> {
    /// The drawing, as wide as its parent.
    pub fn into_element<M: 'a>(self, height: f32) -> Element<'a, M> {
        Canvas::new(self).width(Length::Fill).height(height).into()
    }

    fn moving(&self) -> Vec<ActionUnit> {
        let mut units: Vec<(f32, ActionUnit)> = ActionUnit::ALL
            .into_iter()
            .map(|unit| {
                let values = self.driving.iter().flatten().map(|read| read.value(unit));
                let high = values.clone().fold(0.0, f32::max);
                (high - values.fold(1.0, f32::min), unit)
            })
            .collect();
        units.sort_by(|a, b| b.0.total_cmp(&a.0));
        units.truncate(DRAWN);
        units.into_iter().map(|(_, unit)| unit).collect()
    }

    /// A hash of the values, as cache key.
    fn fingerprint(&self) -> u64 {
        let mut mark = self.driving.len() as u64;
        for read in self.measured.iter().chain(self.driving) {
            for unit in ActionUnit::ALL {
                let bits = read.map_or(u64::MAX, |read| u64::from(read.value(unit).to_bits()));
                mark = (mark.rotate_left(5) ^ bits).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            }
        }
        mark
    }

    fn x_of(&self, i: usize, size: Size) -> f32 {
        (i as f32 + 0.5) / self.driving.len().max(1) as f32 * (size.width - NAMES)
    }

    fn paint(&self, frame: &mut Frame, colors: &Colors, size: Size) {
        let count = self.driving.len();
        let width = size.width - NAMES;
        let y_of = |value: f32| 6.0 + (1.0 - value) * (size.height - 12.0);
        let faces = if self.measured.is_empty() {
            self.driving
        } else {
            &self.measured
        };
        for (i, _) in faces.iter().enumerate().filter(|(_, read)| read.is_none()) {
            let start = Point::new(i as f32 / count as f32 * width, 0.0);
            let column = Size::new(width / count as f32 + 0.5, size.height);
            frame.fill(&Path::rectangle(start, column), colors.raised);
        }
        for value in [0.0, 0.5, 1.0] {
            let line = Path::line(Point::new(0.0, y_of(value)), Point::new(width, y_of(value)));
            let stroke = Stroke::default().with_color(colors.line).with_width(1.0);
            frame.stroke(&line, stroke);
        }
        let moving = self.moving();
        let shade = |rank: usize| theme::mix(colors.faint, colors.text, 1.0 - rank as f32 * 0.17);
        for (rank, &unit) in moving.iter().enumerate() {
            for (values, width, alpha) in [
                (self.measured.as_slice(), 0.8, 0.55),
                (self.driving, 2.0, 1.0),
            ] {
                let curve = Path::new(|path| {
                    let mut drawing = false;
                    for (i, read) in values.iter().enumerate() {
                        let point =
                            read.map(|read| Point::new(self.x_of(i, size), y_of(read.value(unit))));
                        match point {
                            Some(point) if drawing => path.line_to(point),
                            Some(point) => path.move_to(point),
                            None => {}
                        }
                        drawing = point.is_some();
                    }
                });
                let color = if rank == 0 && alpha == 1.0 {
                    colors.accent
                } else {
                    shade(rank).scale_alpha(alpha)
                };
                frame.stroke(
                    &curve,
                    Stroke::default().with_color(color).with_width(width),
                );
            }
        }
        let Some(last) = self.driving.iter().flatten().next_back() else {
            return;
        };
        let wanted: Vec<f32> = moving.iter().map(|unit| y_of(last.value(*unit))).collect();
        for (rank, y) in apart(&wanted, size.height).into_iter().enumerate() {
            frame.fill_text(canvas::Text {
                content: moving[rank].to_string(),
                position: Point::new(width + 8.0, y),
                color: if rank == 0 {
                    colors.accent
                } else {
                    shade(rank)
                },
                size: 11.0.into(),
                font: theme::FIGURES,
                align_y: iced::alignment::Vertical::Center,
                ..canvas::Text::default()
            });
        }
    }
}

/// Minimum distance between names, in logical pixels.
const NAME_GAP: f32 = 12.0;

/// The y coordinates of names on a drawing of this height: as close as possible to the wanted ones, in the same order, and
/// without overlap as long as they fit.
fn apart(wanted: &[f32], height: f32) -> Vec<f32> {
    let mut order: Vec<usize> = (0..wanted.len()).collect();
    order.sort_by(|a, b| wanted[*a].total_cmp(&wanted[*b]));
    let mut places = wanted.to_vec();
    let mut free = NAME_GAP / 2.0;
    for &i in &order {
        places[i] = places[i].max(free);
        free = places[i] + NAME_GAP;
    }
    let mut free = height - NAME_GAP / 2.0;
    for &i in order.iter().rev() {
        places[i] = places[i].min(free);
        free = places[i] - NAME_GAP;
    }
    places
}

/// The curves and the playhead are cached separately, so that playback doesn't redraw the curves.
#[derive(Debug, Default)]
pub struct Layers {
    curves: KeyedCache<u64>,
    head: KeyedCache<(Option<usize>, usize)>,
}

impl<M, V: Reading> canvas::Program<M> for ReadCurves<'_, V> {
    type State = Layers;

    fn draw(
        &self,
        cache: &Layers,
        renderer: &Renderer,
        theme: &Theme,
        bounds: Rectangle,
        _cursor: mouse::Cursor,
    ) -> Vec<Geometry> {
        let size = bounds.size();
        let Layers { curves, head } = cache;
        let mark = self.fingerprint();
        let mut layers = curves.draw(renderer, theme, size, mark, |frame, colors| {
            self.paint(frame, colors, size);
        });
        let key = (self.step, self.driving.len());
        layers.extend(head.draw(renderer, theme, size, key, |frame, colors| {
            if let Some(step) = self.step.filter(|step| *step < self.driving.len()) {
                let x = self.x_of(step, size);
                let line = Path::rectangle(Point::new(x - 0.5, 0.0), Size::new(1.0, size.height));
                frame.fill(&line, colors.text);
            }
        }));
        layers
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn curves(driving: &[Option<AuVector>]) -> ReadCurves<'_, AuVector> {
        ReadCurves {
            measured: Vec::new(),
            driving,
            step: None,
        }
    }

    #[test]
    fn the_action_units_that_move_most_come_first() {
        let (smile, brow) = (
            ActionUnit::from_code(12).unwrap(),
            ActionUnit::from_code(2).unwrap(),
        );
        let still = AuVector::NEUTRAL.with(brow, 0.9);
        let read = [
            Some(still),
            None,
            Some(still.with(smile, 0.7).with(brow, 0.6)),
        ];
        let moving = curves(&read).moving();
        assert_eq!(moving.len(), DRAWN);
        assert_eq!(moving[..2], [smile, brow]);
        assert_eq!(curves(&[]).moving().len(), DRAWN);
    }

    proptest! {
        #[test]
        fn curve_labels_keep_their_order_and_never_overlap(
            wanted in proptest::collection::vec(-20.0f32..140.0, 0..=DRAWN),
        ) {
            let places = apart(&wanted, 96.0);
            for i in 0..places.len() {
                prop_assert!((5.9..=90.1).contains(&places[i]));
                for j in 0..i {
                    prop_assert!((places[i] - places[j]).abs() >= NAME_GAP - 0.01);
                    if wanted[i] != wanted[j] {
                        prop_assert_eq!(wanted[i] < wanted[j], places[i] < places[j]);
                    }
                }
            }
        }
    }

    #[test]
    fn different_curves_have_different_fingerprints() {
        let smile = ActionUnit::from_code(12).unwrap();
        let a = [Some(AuVector::NEUTRAL); 3];
        let mut b = a;
        b[1] = Some(AuVector::NEUTRAL.with(smile, 0.01));
        let mut c = a;
        c[2] = None;
        let marks = [&a, &b, &c].map(|read| curves(read).fingerprint());
        assert!(marks[0] != marks[1] && marks[1] != marks[2] && marks[0] != marks[2]);
        assert_eq!(marks[0], curves(&a.clone()).fingerprint());
    }
}
