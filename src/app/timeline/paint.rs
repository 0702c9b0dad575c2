//! Draws the sheet in two cached layers: what doesn't change during playback, and the playhead above it.

use std::hash::{DefaultHasher, Hash, Hasher};

use iced::widget::canvas::{Frame, Geometry, Path, Stroke};
use iced::{Point, Rectangle, Renderer, Size, Theme};

use crate::app::widgets::keyed_cache::KeyedCache;
use crate::app::widgets::theme::Colors;
use crate::document::{Channel, Pose, SliderRange, Track};
use crate::methods::drive::PoseKey;

use super::Tab;
use super::lens::TimeView;
use super::sheet::{Sheet, between};
use super::subject::TimelineSource;

/// Cache key of the static layer.
#[derive(Debug, Clone, PartialEq)]
pub struct Ground {
    track: Option<(Track, Pose)>,
    /// A hash of the long data: read poses, rendered frames, highlighted keys, and numbers.
    long: u64,
    frames: u32,
    range: Option<(u32, u32)>,
    lens: TimeView,
    tab: Tab,
    channels: Vec<(Channel, bool)>,
    over: Option<Channel>,
    metric: Option<String>,
    reach: SliderRange,
}

/// Cache key of the front layer: the static layer's key, the playhead's frame, and the selection box.
type Front = (Ground, u32, Option<(Point, Point)>);

/// The two cached layers.
#[derive(Debug, Default)]
pub struct Layers {
    ground: KeyedCache<Ground>,
    front: KeyedCache<Front>,
}

impl Sheet<'_> {
    fn ground(&self, over: Option<Channel>) -> Ground {
        let given = self.given;
        let document = given.subject.document();
        let mut long = DefaultHasher::new();
        given.rendered.hash(&mut long);
        for id in &self.lit {
            (id.channel, id.time.to_bits()).hash(&mut long);
        }
        if let TimelineSource::Read { poses, .. } = given.subject {
            for pose in poses {
                pose.as_ref().map(PoseKey::from).hash(&mut long);
            }
        }
        for series in given.numbers.iter().flat_map(|numbers| &numbers.series) {
            (&series.name, &series.metric).hash(&mut long);
            for value in &series.values {
                value.map(f32::to_bits).hash(&mut long);
            }
        }
        Ground {
            track: document.map(|document| (document.track.clone(), document.base_pose)),
            long: long.finish(),
            frames: given.subject.frames(),
            range: given.subject.range(),
            lens: self.lens,
            tab: self.tab,
            channels: self.channels.clone(),
            over,
            metric: self.metric.map(str::to_owned),
            reach: self.reach,
        }
    }

    /// Draws everything, from the caches where possible: `over` is the channel under the cursor, `area` the selection box.
    pub fn paint(
        &self,
        layers: &Layers,
        over: Option<Channel>,
        area: Option<(Point, Point)>,
        renderer: &Renderer,
        theme: &Theme,
        size: Size,
    ) -> Vec<Geometry> {
        let ground = self.ground(over);
        let front = (ground.clone(), self.frame, area);
        let mut all = layers
            .ground
            .draw(renderer, theme, size, ground, |frame, colors| {
                self.draw_ruler(frame, colors, size);
                match self.tab {
                    Tab::Curves => self.draw_curves(frame, colors, size, over),
                    Tab::Dope => self.draw_dope(frame, colors, size, over),
                    Tab::Metrics => self.draw_numbers(frame, colors, size),
                }
                self.draw_range(frame, colors, size);
            });
        all.extend(
            layers
                .front
                .draw(renderer, theme, size, front, |frame, colors| {
                    if self.tab == Tab::Curves {
                        self.draw_values(frame, colors, size);
                    }
                    self.draw_playhead(frame, colors, size);
                    if let Some((a, b)) = area {
                        draw_box(frame, colors, between(a, b));
                    }
                }),
        );
        all
    }
}

fn draw_box(frame: &mut Frame, colors: &Colors, area: Rectangle) {
    let path = Path::rectangle(area.position(), area.size());
    frame.fill(&path, colors.accent.scale_alpha(0.12));
    let stroke = Stroke::default()
        .with_color(colors.accent.scale_alpha(0.7))
        .with_width(1.0);
    frame.stroke(&path, stroke);
}
