//! Draws charts with plotters, on white, with one legend on the right.
//!
//! plotters rounds positions to whole pixels, so a chart is drawn enlarged and scaled back.

use std::sync::LazyLock;

use plotters::chart::ChartBuilder;
use plotters::coord::{CoordTranslate, Shift};
use plotters::drawing::{DrawingArea, DrawingAreaErrorKind, IntoDrawingArea};
use plotters::element::{Circle, Cross, DashedPathElement, PathElement, TriangleMarker};
use plotters::prelude::{BitMapBackend, DrawingBackend, SVGBackend};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{
    Color, FontStyle, IntoFont, RGBColor, ShapeStyle, TextStyle, WHITE, register_font,
};

use super::{Chart, Series};
use crate::error::{ChartError, EngineError};
use crate::media::image::Picture;
use crate::render::lettering::FIGURES_FILE;

/// Supersampling factors for pictures, and for the units of an SVG.
const PICTURE_SCALE: u32 = 3;
const SVG_SCALE: u32 = 4;

/// Downward shift of text in pictures, relative to its size: plotters centres it too high.
const PICTURE_DROP: f64 = 0.19;

/// Minimum drawing size: smaller pictures have no space for a plot.
const MIN_SIZE: (u32, u32) = (320, 240);

/// Values beyond this aren't drawn.
const LARGEST: f64 = 1e12;

/// Lengths in pixels of the chart, before supersampling.
const MARGIN: u32 = 20;
const TITLE: u32 = 44;
const CAPTION: u32 = 30;
const LEFT: u32 = 76;
const BOTTOM: u32 = 48;
const LEGEND_LINE: u32 = 22;
const SAMPLE: u32 = 40;
const GAP: u32 = 8;

const LARGE: u32 = 22;
const NORMAL: u32 = 17;

const INK: RGBColor = RGBColor(30, 30, 30);
const DIM: RGBColor = RGBColor(95, 95, 95);
const GRID: RGBColor = RGBColor(224, 224, 224);

/// A family that SVG viewers have too; in pictures it is the bundled font.
const FONT: &str = "monospace";

static HAS_FONT: LazyLock<bool> =
    LazyLock::new(|| register_font(FONT, FontStyle::Normal, FIGURES_FILE).is_ok());

/// Width of a character in pixels; the font is monospaced.
fn advance(size: u32) -> f64 {
    f64::from(size) * 0.5
}

pub(super) fn svg(charts: &[Chart], (width, height): (u32, u32)) -> Result<String, EngineError> {
    let mut text = String::new();
    let size = (width * SVG_SCALE, height * SVG_SCALE);
    let area = SVGBackend::with_string(&mut text, size).into_drawing_area();
    draw(&area, charts, SVG_SCALE, 0.0)?;
    drop(area);
    let drawn = format!(r#"width="{}" height="{}""#, size.0, size.1);
    let shown = format!(r#"width="{width}" height="{height}""#);
    Ok(text.replacen(&drawn, &shown, 1))
}

pub(super) fn picture(charts: &[Chart], size: (u32, u32)) -> Result<Picture, EngineError> {
    // Refuses an invalid size before allocating the large buffer.
    let mut picture = Picture::new(
        size.0,
        size.1,
        vec![255; size.0 as usize * size.1 as usize * 4],
    )?
    .with_alpha(false);
    let scale = PICTURE_SCALE;
    let (width, height) = (size.0.max(MIN_SIZE.0), size.1.max(MIN_SIZE.1));
    let pitch = (width * scale * 3) as usize;
    let mut rgb = vec![255; pitch * (height * scale) as usize];
    let area = BitMapBackend::with_buffer(&mut rgb, (width * scale, height * scale));
    draw(&area.into_drawing_area(), charts, scale, PICTURE_DROP)?;
    let across = size.0 as usize;
    let scale = scale as usize;
    for (i, pixel) in picture.rgba_mut().chunks_exact_mut(4).enumerate() {
        let (x, y) = (i % across * scale, i / across * scale);
        for (channel, value) in pixel[..3].iter_mut().enumerate() {
            let rows = (y..y + scale).map(|y| y * pitch + x * 3 + channel);
            let sum: usize = rows
                .flat_map(|start| (0..scale).map(move |x| start + x * 3))
                .map(|at| usize::from(rgb[at]))
                .sum();
            *value = (sum / (scale * scale)) as u8;
        }
    }
    Ok(picture)
}

impl<E: std::error::Error + Send + Sync> From<DrawingAreaErrorKind<E>> for EngineError {
    fn from(error: DrawingAreaErrorKind<E>) -> Self {
        ChartError::Drawing(error.to_string()).into()
    }
}

type Area<DB> = DrawingArea<DB, Shift>;

fn draw<DB: DrawingBackend>(
    area: &Area<DB>,
    charts: &[Chart],
    scale: u32,
    drop: f64,
) -> Result<(), EngineError> {
    if !*HAS_FONT {
        return Err(ChartError::Drawing("its font can't be read".to_owned()).into());
    }
    let k = |length: u32| (length * scale) as i32;
    area.fill(&WHITE)?;
    let (width, height) = area.dim_in_pixel();
    let (width, height) = (width / scale, height / scale);
    let Some(first) = charts.first() else {
        area.present()?;
        return Ok(());
    };
    let lines = legend(charts);
    let longest = lines.iter().map(|line| line.name.chars().count()).max();
    let names = (longest.unwrap_or(0) as f64 * advance(NORMAL)).ceil() as u32;
    let names = names.min(width / 4);
    let right = MARGIN + SAMPLE + GAP + names + MARGIN;
    let text = Text { area, scale, drop };
    let title = fitted(&first.title, LARGE, width - 2 * MARGIN);
    text.put(&title, LARGE, INK, HPos::Left, (MARGIN, MARGIN + LARGE / 2))?;
    for (i, line) in lines.iter().enumerate() {
        let y = TITLE + CAPTION + LEGEND_LINE * i as u32;
        if y + LEGEND_LINE > height {
            break;
        }
        let x = width - right + MARGIN;
        let sample = [(k(x), k(y)), (k(x + SAMPLE), k(y))];
        stroke(area, &sample, LineStyle::new(i, line, scale))?;
        let middle = [(k(x + SAMPLE / 2), k(y))];
        markers(area, &middle, LineStyle::new(i, line, scale))?;
        let name = fitted(&line.name, NORMAL, names);
        text.put(&name, NORMAL, INK, HPos::Left, (x + SAMPLE + GAP, y))?;
    }

    let across = span(charts.iter().flat_map(xs), first.x.range, 0.0);
    let plot_height = height.saturating_sub(TITLE + BOTTOM + MARGIN / 2);
    let each = plot_height / charts.len() as u32;
    for (i, chart) in charts.iter().enumerate() {
        let is_last = i + 1 == charts.len();
        let top = TITLE + each * i as u32;
        let down = if is_last { each + BOTTOM } else { each };
        // Skips panels that are too small to draw.
        if down <= CAPTION + BOTTOM || width <= LEFT + right {
            continue;
        }
        let caption = fitted(&chart.y.to_string(), NORMAL, width - right - MARGIN);
        text.put(
            &caption,
            NORMAL,
            INK,
            HPos::Left,
            (MARGIN, top + CAPTION / 2),
        )?;
        let (_, below) = area.split_vertically(k(top + CAPTION));
        let (panel, _) = below.split_vertically(k(down - CAPTION));
        let (panel, _) = panel.split_horizontally(k(width - right));
        let bottom = if is_last { BOTTOM } else { MARGIN / 2 };
        let plot = Panel {
            chart,
            across,
            lines: &lines,
            scale,
            drop,
            with_times: is_last,
        };
        plot.draw(&panel, bottom)?;
    }
    if !first.x.title.is_empty() {
        let middle = LEFT + (width - right).saturating_sub(LEFT) / 2;
        let place = (middle, height - MARGIN / 2 - NORMAL / 2);
        let title = fitted(&first.x.to_string(), NORMAL, width / 2);
        text.put(&title, NORMAL, INK, HPos::Center, place)?;
    }
    area.present()?;
    Ok(())
}

/// The lines of all charts, without duplicates.
fn legend(charts: &[Chart]) -> Vec<&Series> {
    let mut lines: Vec<&Series> = Vec::new();
    for series in charts.iter().flat_map(|chart| &chart.series) {
        if !lines.iter().any(|line| same(line, series)) {
            lines.push(series);
        }
    }
    lines
}

fn same(a: &Series, b: &Series) -> bool {
    a.name == b.name && a.colour == b.colour
}

/// Filters out points that can't be drawn.
fn drawable(point: Option<(f64, f64)>) -> Option<(f64, f64)> {
    point.filter(|(x, y)| x.abs() <= LARGEST && y.abs() <= LARGEST)
}

fn points(chart: &Chart) -> impl Iterator<Item = (f64, f64)> + Clone {
    let series = chart.series.iter();
    series.flat_map(|series| series.points.iter().filter_map(|point| drawable(*point)))
}

fn xs(chart: &Chart) -> impl Iterator<Item = f64> + Clone {
    points(chart).map(|(x, _)| x)
}

/// The range of the values with a margin of `share` of it above and below; never empty.
fn span(
    values: impl Iterator<Item = f64> + Clone,
    range: Option<(f64, f64)>,
    share: f64,
) -> (f64, f64) {
    let low = values.clone().fold(f64::INFINITY, f64::min);
    let high = values.fold(f64::NEG_INFINITY, f64::max);
    let (low, high) = match range.filter(|(low, high)| low.max(high.abs()).is_finite()) {
        // Values outside the given range extend it.
        Some((from, to)) => (from.min(low), to.max(high)),
        None if low > high => (0.0, 1.0),
        None => {
            let least = 1e-3 * low.abs().max(high.abs()).max(1e-3);
            let padding = if high - low > least {
                (high - low) * share
            } else {
                least
            };
            // Not extended below 0 if no value is negative.
            let under = low - padding;
            let under = if low >= 0.0 { under.max(0.0) } else { under };
            (under, high + padding)
        }
    };
    if high > low {
        (low, high)
    } else {
        (low, low + 1.0)
    }
}

/// About `count` round values within a range, with their labels.
fn ticks((low, high): (f64, f64), count: u32) -> Vec<(f64, String)> {
    let rough = (high - low) / f64::from(count.max(1));
    let power = 10f64.powf(rough.log10().floor());
    let steps = [1.0, 2.0, 5.0, 10.0].map(|step| step * power);
    let step = steps.into_iter().find(|step| *step >= rough);
    let step = step.unwrap_or(rough);
    let first = (low / step - 1e-6).ceil();
    let digits = (-(step * 1.0001).log10().floor()).clamp(0.0, 9.0) as usize;
    (0..=2 * count)
        .map(|i| (first + f64::from(i)) * step)
        .take_while(|value| *value <= high + step * 1e-6)
        .map(|value| {
            let value = if value.abs() < step * 1e-6 {
                0.0
            } else {
                value
            };
            let text = if value.abs() >= 1e6 {
                format!("{value:.3e}")
            } else {
                format!("{value:.digits$}")
            };
            (value, text)
        })
        .collect()
}

/// One panel's plot.
struct Panel<'a> {
    chart: &'a Chart,
    /// The range of the horizontal axis.
    across: (f64, f64),
    lines: &'a [&'a Series],
    scale: u32,
    drop: f64,
    with_times: bool,
}

impl Panel<'_> {
    fn draw<DB: DrawingBackend>(&self, area: &Area<DB>, bottom: u32) -> Result<(), EngineError> {
        let scale = self.scale;
        let (width, height) = area.dim_in_pixel();
        let (plot_width, plot_height) = (
            (width / scale).saturating_sub(LEFT),
            (height / scale).saturating_sub(bottom),
        );
        let ys = points(self.chart).map(|(_, y)| y);
        let (x, y) = (self.across, span(ys, self.chart.y.range, 0.06));
        let x_ticks = ticks(x, (plot_width / 90).clamp(2, 12));
        let y_ticks = ticks(y, (plot_height / 26).clamp(2, 10));
        let k = |length: u32| length * scale;
        let plot = ChartBuilder::on(area)
            .margin_left(k(LEFT))
            .margin_bottom(k(bottom))
            .build_cartesian_2d(x.0..x.1, y.0..y.1)?;
        let plane = plot.plotting_area();
        let line = |points: [(f64, f64); 2], colour: RGBColor| {
            plane.draw(&PathElement::new(points, colour.stroke_width(scale)))
        };
        for (value, _) in &x_ticks {
            line([(*value, y.0), (*value, y.1)], GRID)?;
        }
        for (value, _) in &y_ticks {
            line([(x.0, *value), (x.1, *value)], GRID)?;
        }
        line([(x.0, y.0), (x.1, y.0)], DIM)?;
        line([(x.0, y.0), (x.0, y.1)], DIM)?;
        let text = Text {
            area,
            scale,
            drop: self.drop,
        };
        let base = area.get_base_pixel();
        let at = |x: f64, y: f64| {
            let (x, y) = plane.map_coordinate(&(x, y));
            let local = |place: i32, base: i32| (place - base).max(0) as u32 / scale;
            (local(x, base.0), local(y, base.1))
        };
        for (value, label) in &y_ticks {
            let (left, middle) = at(x.0, *value);
            let place = (left.saturating_sub(GAP), middle);
            text.put(label, NORMAL, DIM, HPos::Right, place)?;
        }
        for (value, label) in x_ticks.iter().filter(|_| self.with_times) {
            let (middle, under) = at(*value, y.0);
            text.put(
                label,
                NORMAL,
                DIM,
                HPos::Center,
                (middle, under + GAP + NORMAL / 2),
            )?;
        }
        if points(self.chart).next().is_none() {
            let (middle, down) = at((x.0 + x.1) / 2.0, (y.0 + y.1) / 2.0);
            text.put("No values", NORMAL, DIM, HPos::Center, (middle, down))?;
        }
        for mark in &self.chart.marks {
            if !(x.0..=x.1).contains(&mark.x) {
                continue;
            }
            let line = vec![(mark.x, y.0), (mark.x, y.1)];
            let style = DIM.stroke_width(scale);
            plane.draw(&DashedPathElement::new(line, k(2), k(3), style))?;
            let (place, top) = at(mark.x, y.1);
            let is_left = place > LEFT + plot_width / 2;
            let (anchor, place) = if is_left {
                (HPos::Right, place.saturating_sub(GAP))
            } else {
                (HPos::Left, place + GAP)
            };
            text.put(
                &mark.name,
                NORMAL,
                INK,
                anchor,
                (place, top + NORMAL / 2 + 4),
            )?;
        }
        // The first series is drawn last, above the others.
        for series in self.chart.series.iter().rev() {
            let place = self.lines.iter().position(|line| same(line, series));
            let look = LineStyle::new(place.unwrap_or(0), series, scale);
            let points: Vec<_> = series.points.iter().map(|point| drawable(*point)).collect();
            for run in points.split(Option::is_none) {
                let run: Vec<(f64, f64)> = run.iter().flatten().copied().collect();
                stroke(plane, &run, look)?;
            }
            let known: Vec<(f64, f64)> = points.iter().flatten().copied().collect();
            // Staggered, so that markers of different lines don't coincide.
            let apart = known.len().div_ceil(MARKERS).max(1);
            let skip = place.unwrap_or(0) * apart / 4 % apart;
            let some: Vec<_> = known.iter().copied().skip(skip).step_by(apart).collect();
            markers(plane, &some, look)?;
            for mark in &self.chart.marks {
                if let Some(point) = known.iter().find(|(x, _)| *x == mark.x) {
                    plane.draw(&Circle::new(*point, k(5), look.style.filled()))?;
                }
            }
        }
        Ok(())
    }
}

/// Approximate number of markers per line.
const MARKERS: usize = 12;

/// How a line differs from the others.
#[derive(Clone, Copy)]
struct LineStyle {
    style: ShapeStyle,
    /// The lengths of dashes and gaps; `None` for a solid line.
    dashes: Option<(u32, u32)>,
    /// The shape of the markers (0 for none), and their size.
    marker: usize,
    size: u32,
}

impl LineStyle {
    fn new(place: usize, series: &Series, scale: u32) -> Self {
        let [red, green, blue] = series.colour;
        let dashes = [None, Some((9, 4)), Some((3, 3)), Some((16, 5))][place % 4];
        Self {
            style: RGBColor(red, green, blue).stroke_width(2 * scale),
            dashes: dashes.map(|(dash, gap)| (dash * scale, gap * scale)),
            marker: place / 4 % 5,
            size: 4 * scale,
        }
    }
}

/// Draws a line without gaps; a single point is drawn as a dot.
fn stroke<DB: DrawingBackend, CT: CoordTranslate>(
    area: &DrawingArea<DB, CT>,
    run: &[CT::From],
    look: LineStyle,
) -> Result<(), EngineError>
where
    CT::From: Clone + 'static,
{
    match (run, look.dashes) {
        ([], _) => {}
        ([point], _) => area.draw(&Circle::new(
            point.clone(),
            look.size / 2,
            look.style.filled(),
        ))?,
        (run, Some((dash, gap))) => {
            let points = run.to_vec();
            area.draw(&DashedPathElement::new(points, dash, gap, look.style))?;
        }
        (run, None) => area.draw(&PathElement::new(run, look.style))?,
    }
    Ok(())
}

fn markers<DB: DrawingBackend, CT: CoordTranslate>(
    area: &DrawingArea<DB, CT>,
    points: &[CT::From],
    look: LineStyle,
) -> Result<(), EngineError>
where
    CT::From: Clone + 'static,
{
    for point in points.iter().cloned() {
        match look.marker {
            1 => area.draw(&Circle::new(point, look.size, look.style.filled()))?,
            2 => area.draw(&TriangleMarker::new(
                point,
                look.size + look.size / 4,
                look.style.filled(),
            ))?,
            3 => area.draw(&Cross::new(point, look.size, look.style))?,
            4 => area.draw(&Circle::new(point, look.size, look.style))?,
            _ => {}
        }
    }
    Ok(())
}

/// Draws text on an area, in pixels of the chart.
struct Text<'a, DB: DrawingBackend> {
    area: &'a Area<DB>,
    scale: u32,
    /// Downward shift, relative to the text size.
    drop: f64,
}

impl<DB: DrawingBackend> Text<'_, DB> {
    /// Draws a line of text, anchored horizontally by `anchor` and vertically centred.
    fn put(
        &self,
        text: &str,
        size: u32,
        colour: RGBColor,
        anchor: HPos,
        (x, y): (u32, u32),
    ) -> Result<(), EngineError> {
        let font = (FONT, size * self.scale).into_font();
        let style = TextStyle::from(font)
            .color(&colour)
            .pos(Pos::new(anchor, VPos::Center));
        let lower = f64::from(size * self.scale) * self.drop;
        let place = (
            (x * self.scale) as i32,
            (y * self.scale) as i32 + lower as i32,
        );
        self.area.draw_text(&plain(text), &style, place)?;
        Ok(())
    }
}

/// Replaces characters that XML can't contain.
fn plain(text: &str) -> String {
    let is_none = |letter: char| letter.is_control() || matches!(letter, '\u{fffe}' | '\u{ffff}');
    text.replace(is_none, " ")
}

/// Truncates a text to a width; a truncated text ends in an ellipsis.
fn fitted(text: &str, size: u32, width: u32) -> String {
    let fits = (f64::from(width) / advance(size)).floor() as usize;
    if text.chars().count() <= fits {
        return text.to_owned();
    }
    let start: String = text.chars().take(fits.saturating_sub(1)).collect();
    start + "…"
}
