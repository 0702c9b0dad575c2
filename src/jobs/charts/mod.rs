//! Charts for saving as SVG or PNG: metrics over time, Action Unit curves, and the dissimilarity to the reference frame.
//!
//! Lines differ by colour and, for black-and-white print, by dashes and markers. The text is in the bundled font, so that
//! no system font is needed.

mod draw;
#[cfg(test)]
mod tests;

use std::fmt;
use std::path::{Path, PathBuf};

use crate::document::{ActionUnit, Channel, Document, Pose};
use crate::drive::au_track::AuTrack;
use crate::error::{ChartError, EngineError};
use crate::media::atomic_file::AtomicFile;
use crate::media::encode::write_png;
use crate::media::image::Picture;

/// Width of a saved chart, its height with few panels, and the height per panel with many, in pixels.
const WIDTH: u32 = 1200;
const HEIGHT: u32 = 800;
const PANEL: u32 = 190;

/// Minimum range of a channel's values that counts as movement, as a fraction of the channel's range.
const MOVES: f32 = 0.02;

/// Which direction of a metric is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Better {
    /// Lower is better.
    Lower,
    /// Higher is better.
    Higher,
}

impl Better {
    /// Returns the direction of a metric, given its name with or without a unit.
    fn of(metric: &str) -> Option<Self> {
        let name = metric.split(' ').next().unwrap_or_default();
        match name.to_lowercase().as_str() {
            "l1" | "akd" | "acd" | "step" | "head" | "unsteadiness" | "ms" => Some(Better::Lower),
            "psnr" | "ssim" | "correlation" => Some(Better::Higher),
            _ => None,
        }
    }
}

/// What an axis measures.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Axis {
    /// The quantity and its unit.
    pub title: String,
    /// Which direction is better, if either.
    pub better: Option<Better>,
    /// The range of the axis; `None` fits the points.
    pub range: Option<(f64, f64)>,
}

impl Axis {
    /// An axis with a title, whose range fits the points.
    pub fn new(title: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            ..Self::default()
        }
    }

    /// The axis of a metric.
    fn metric(name: &str) -> Self {
        Self {
            better: Better::of(name),
            ..Self::new(name)
        }
    }

    fn seconds() -> Self {
        Self::new("Time in seconds")
    }
}

impl fmt::Display for Axis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.title)?;
        match self.better {
            Some(Better::Lower) => f.write_str(" (lower is better)"),
            Some(Better::Higher) => f.write_str(" (higher is better)"),
            None => Ok(()),
        }
    }
}

/// A line of a chart.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// The name in the legend.
    pub name: String,
    /// Red, green and blue.
    pub colour: [u8; 3],
    /// From left to right; the line is interrupted at `None` and at values that aren't finite.
    pub points: Vec<Option<(f64, f64)>>,
}

/// A marked position on the horizontal axis.
#[derive(Debug, Clone, PartialEq)]
pub struct Mark {
    /// The position, in the unit of the horizontal axis.
    pub x: f64,
    /// The label.
    pub name: String,
}

/// Lines on one pair of axes.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Chart {
    /// The heading.
    pub title: String,
    /// The horizontal axis.
    pub x: Axis,
    /// The vertical axis.
    pub y: Axis,
    /// The lines.
    pub series: Vec<Series>,
    /// The marked positions.
    pub marks: Vec<Mark>,
}

/// Charts below each other, with the first one's title and horizontal axis.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Charts(pub Vec<Chart>);

impl From<Chart> for Charts {
    fn from(chart: Chart) -> Self {
        Self(vec![chart])
    }
}

impl Charts {
    /// Metrics over time: a panel per metric, a line per name. Each of `numbers` is a name, a metric, and the metric's value at
    /// each of the times.
    pub fn metrics<'a>(
        title: &str,
        times: &[f64],
        numbers: impl IntoIterator<Item = (&'a str, &'a str, Vec<Option<f64>>)>,
    ) -> Self {
        let mut charts: Vec<Chart> = Vec::new();
        let mut names: Vec<&str> = Vec::new();
        for (name, metric, values) in numbers {
            let place = names.iter().position(|other| *other == name);
            let place = place.unwrap_or_else(|| {
                names.push(name);
                names.len() - 1
            });
            let points = times.iter().zip(values);
            let series = Series {
                name: name.to_owned(),
                colour: colour(place),
                points: points.map(|(x, y)| Some((*x, y?))).collect(),
            };
            match charts.iter_mut().find(|chart| chart.y.title == metric) {
                Some(chart) => chart.series.push(series),
                None => charts.push(Chart {
                    title: title.to_owned(),
                    x: Axis::seconds(),
                    y: Axis::metric(metric),
                    series: vec![series],
                    marks: Vec::new(),
                }),
            }
        }
        Self(charts)
    }

    /// Returns the charts as an SVG file, at the size that [`Charts::save`] uses.
    ///
    /// # Errors
    /// [`ChartError::Drawing`] only for a bug in this program.
    pub fn svg(&self) -> Result<String, EngineError> {
        draw::svg(&self.0, self.size())
    }

    /// Returns the charts as an opaque picture.
    ///
    /// # Errors
    /// Those of [`Charts::svg`]; [`EngineError::Media`] for an invalid size.
    pub fn png(&self, width: u32, height: u32) -> Result<Picture, EngineError> {
        draw::picture(&self.0, (width, height))
    }

    /// Saves the charts in the format of the name's extension. The file is written completely or not at all.
    ///
    /// # Errors
    /// Those of [`ChartFile::create`] and [`ChartFile::write`].
    pub fn save(&self, path: &Path) -> Result<(), EngineError> {
        ChartFile::create(path)?.write(self)
    }

    fn size(&self) -> (u32, u32) {
        let panels = u32::try_from(self.0.len()).unwrap_or(u32::MAX).min(64);
        (WIDTH, HEIGHT.max(panels * PANEL))
    }
}

impl Charts {
    /// An expression over time: the Action Units that move, and below them the angles of head and eyes and the head's
    /// place and size if they move.
    pub fn expression(title: &str, poses: &[(f64, Option<Pose>)]) -> Self {
        let units = Chart::action_units(title, poses);
        let head = [
            ("Head and eyes (degrees)", &Channel::ANGLES[..]),
            ("Head's place and size (percent)", &Channel::PLACE[..]),
        ];
        let head = head.map(|(axis, channels)| Chart {
            y: Axis::new(axis),
            ..Chart::curves(title, channels, poses)
        });
        let moving: Vec<Chart> = head
            .into_iter()
            .filter(|chart| !chart.series.is_empty())
            .collect();
        let shows_units = moving.is_empty() || !units.series.is_empty();
        Self(
            shows_units
                .then_some(units)
                .into_iter()
                .chain(moving)
                .collect(),
        )
    }

    /// The curves of the document's track.
    pub fn of_track(title: &str, document: &Document) -> Self {
        let track = &document.track;
        let frames = 0..track.frames();
        let poses: Vec<_> = frames
            .map(|frame| (track.time_of(frame), Some(document.pose(frame))))
            .collect();
        Self::expression(title, &poses)
    }
}

impl Chart {
    /// Curves over time of those channels that move.
    fn curves(title: &str, channels: &[Channel], poses: &[(f64, Option<Pose>)]) -> Self {
        let moves = |channel: &Channel| {
            let values = poses
                .iter()
                .filter_map(|(_, pose)| Some(pose.as_ref()?.get(*channel)));
            let high = values.clone().fold(f32::NEG_INFINITY, f32::max);
            let low = values.fold(f32::INFINITY, f32::min);
            high - low > MOVES * channel.width()
        };
        let channels = channels.iter().copied().filter(moves);
        let series = channels.enumerate().map(|(i, channel)| Series {
            name: match channel {
                Channel::Unit(unit) => format!("{unit} {}", unit.name()),
                _ => channel.title().to_owned(),
            },
            colour: colour(i),
            points: poses
                .iter()
                .map(|(time, pose)| Some((*time, f64::from(pose.as_ref()?.get(channel)))))
                .collect(),
        });
        Self {
            title: title.to_owned(),
            x: Axis::seconds(),
            series: series.collect(),
            ..Self::default()
        }
    }

    /// A clip's Action Units over time: a line for each Action Unit that moves.
    pub fn action_units(title: &str, poses: &[(f64, Option<Pose>)]) -> Self {
        Self {
            y: Axis {
                range: Some((0.0, 1.0)),
                ..Axis::new("Action Unit, 0 to 1")
            },
            ..Self::curves(title, &ActionUnit::ALL.map(Channel::from), poses)
        }
    }

    /// The curves measured in a clip.
    pub fn of_clip(track: &AuTrack) -> Self {
        let poses: Vec<_> = track
            .frames
            .iter()
            .map(|frame| (frame.time, frame.aus.map(Pose::from)))
            .collect();
        Self::action_units(&track.name, &poses)
    }

    /// How dissimilar each frame's face is to the portrait's, with the reference frame marked. Frames are counted from 0.
    pub fn reference_score(
        title: &str,
        times: &[f64],
        scores: &[Option<f32>],
        reference: usize,
    ) -> Self {
        let points = times.iter().zip(scores);
        let mark = times.get(reference).map(|time| Mark {
            x: *time,
            name: format!("reference: frame {}", reference + 1),
        });
        Self {
            title: title.to_owned(),
            x: Axis::seconds(),
            y: Axis {
                better: Some(Better::Lower),
                ..Axis::new("Difference from the portrait's face")
            },
            series: vec![Series {
                name: "score".to_owned(),
                colour: colour(0),
                points: points.map(|(x, y)| Some((*x, f64::from((*y)?)))).collect(),
            }],
            marks: mark.into_iter().collect(),
        }
    }

    /// [`Charts::svg`] of this chart.
    ///
    /// # Errors
    /// Those of [`Charts::svg`].
    pub fn svg(&self) -> Result<String, EngineError> {
        draw::svg(std::slice::from_ref(self), (WIDTH, HEIGHT))
    }

    /// [`Charts::png`] of this chart.
    ///
    /// # Errors
    /// Those of [`Charts::png`].
    pub fn png(&self, width: u32, height: u32) -> Result<Picture, EngineError> {
        draw::picture(std::slice::from_ref(self), (width, height))
    }

    /// [`Charts::save`] of this chart.
    ///
    /// # Errors
    /// Those of [`Charts::save`].
    pub fn save(&self, path: &Path) -> Result<(), EngineError> {
        Charts::from(self.clone()).save(path)
    }
}

/// The colour of the line with this index: eight colours that also differ with red-green colour blindness (after Okabe and
/// Ito), dark enough for white paper.
pub fn colour(place: usize) -> [u8; 3] {
    const COLOURS: [[u8; 3]; 8] = [
        [0, 96, 168],
        [204, 78, 0],
        [0, 138, 103],
        [176, 74, 140],
        [30, 30, 30],
        [66, 155, 205],
        [178, 132, 0],
        [142, 36, 36],
    ];
    COLOURS[place % COLOURS.len()]
}

/// A file for a chart, opened before the work that produces its data.
pub struct ChartFile {
    path: PathBuf,
    is_svg: bool,
    file: AtomicFile,
}

impl ChartFile {
    /// Starts the file; the final name isn't used yet.
    ///
    /// # Errors
    /// [`ChartError::Unknown`] for a name that ends neither in .svg nor in .png, [`EngineError::Media`] when the file can't be
    /// written.
    pub fn create(path: &Path) -> Result<Self, EngineError> {
        let extension = path.extension().unwrap_or_default().to_string_lossy();
        let is_svg = match extension.to_lowercase().as_str() {
            "svg" => true,
            "png" => false,
            _ => return Err(ChartError::Unknown(path.to_owned()).into()),
        };
        Ok(Self {
            path: path.to_owned(),
            is_svg,
            file: AtomicFile::create(path)?,
        })
    }

    /// Writes the charts and gives the file its final name.
    ///
    /// # Errors
    /// [`EngineError::Media`] when the file can't be written; an existing file of that name is then unchanged.
    pub fn write(mut self, charts: &Charts) -> Result<(), EngineError> {
        if self.is_svg {
            self.file.put(charts.svg()?.as_bytes())?;
        } else {
            let (width, height) = charts.size();
            let picture = charts.png(width, height)?;
            write_png(&mut self.file, &self.path, &picture, None)?;
        }
        Ok(self.file.commit()?)
    }
}
