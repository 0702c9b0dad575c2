use proptest::prelude::*;

use super::*;
use crate::document::{AuVector, Sides};
use crate::drive::au_track::AuFrame;

/// A line with a value at each integer from 0.
fn line(name: &str, place: usize, values: &[Option<f64>]) -> Series {
    let points = values.iter().enumerate();
    Series {
        name: name.to_owned(),
        colour: colour(place),
        points: points.map(|(i, y)| Some((i as f64, (*y)?))).collect(),
    }
}

fn chart(series: Vec<Series>) -> Chart {
    Chart {
        title: "A <title> & more".to_owned(),
        x: Axis::seconds(),
        y: Axis::metric("SSIM"),
        series,
        marks: Vec::new(),
    }
}

/// The texts of an SVG, which must be well formed.
fn texts(svg: &str) -> Vec<String> {
    let document = roxmltree::Document::parse(svg).unwrap();
    let nodes = document.descendants().filter(|node| node.is_text());
    let texts = nodes.filter_map(|node| node.text());
    texts.map(|text| text.trim().to_owned()).collect()
}

/// The number of unbroken lines of a colour in an SVG, including the one in the legend.
fn lines(svg: &str, [red, green, blue]: [u8; 3]) -> usize {
    let colour = format!("#{red:02X}{green:02X}{blue:02X}");
    let document = roxmltree::Document::parse(svg).unwrap();
    let nodes = document.descendants();
    nodes
        .filter(|node| {
            node.has_tag_name("polyline")
                || node.has_tag_name(("http://www.w3.org/2000/svg", "polyline"))
        })
        .filter(|node| node.attribute("stroke") == Some(&colour))
        .count()
}

#[test]
fn an_svg_names_its_lines_and_axes() {
    let values = [Some(0.2), Some(0.9), Some(0.4)];
    let svg = chart(vec![line("fomm@<x>", 0, &values), line("tps", 1, &values)])
        .svg()
        .unwrap();
    let texts = texts(&svg);
    let wanted = [
        "A <title> & more",
        "Time in seconds",
        "SSIM (higher is better)",
        "fomm@<x>",
        "tps",
    ];
    for text in wanted {
        assert!(texts.iter().any(|other| other == text), "{text}: {texts:?}");
    }
    let root = roxmltree::Document::parse(&svg).unwrap();
    let root = root.root_element();
    assert_eq!(root.attribute("width"), Some("1200"));
    assert_eq!(root.attribute("viewBox"), Some("0 0 4800 3200"));
}

#[test]
fn a_gap_breaks_the_line() {
    let whole = [Some(0.2), Some(0.9), Some(0.4), Some(0.3), Some(0.3)];
    let mut broken = whole;
    broken[2] = None;
    let mut infinite = whole;
    infinite[2] = Some(f64::INFINITY);
    let drawn = |values: &[Option<f64>]| {
        let svg = chart(vec![line("fomm", 0, values)]).svg().unwrap();
        lines(&svg, colour(0))
    };
    assert_eq!([drawn(&whole), drawn(&broken), drawn(&infinite)], [2, 3, 3]);
}

#[test]
fn png_charts_show_their_lines() {
    let (a, b) = ([Some(0.2), Some(0.9)], [Some(0.9), Some(0.2)]);
    let drawn = |values: &[Option<f64>]| {
        let picture = chart(vec![line("fomm", 0, values)]).png(640, 400).unwrap();
        assert_eq!(picture.size(), (640, 400));
        assert!(!picture.has_alpha());
        picture.into_rgba()
    };
    let (a, b) = (drawn(&a), drawn(&b));
    assert!(a != b);
    assert_eq!(a[..4], [255; 4]);
    assert!(a.chunks_exact(4).any(|pixel| pixel[..3] == colour(0)));
}

#[test]
fn the_charts_of_all_metrics_share_their_times_and_legend() {
    let numbers = [
        ("1 FOMM", "L1", vec![Some(0.1), None]),
        ("1 FOMM", "PSNR dB", vec![Some(f64::INFINITY); 2]),
        ("2 TPS", "L1", vec![Some(0.1), Some(0.2)]),
        ("2 TPS", "PSNR dB", vec![Some(20.0), Some(21.0)]),
    ];
    let charts = Charts::metrics("Numbers", &[0.0, 0.5], numbers);
    assert_eq!(charts.0.len(), 2);
    assert_eq!(charts.0[0].series[0].points, [Some((0.0, 0.1)), None]);
    assert_eq!(charts.0[1].series[1].colour, colour(1));
    let texts = texts(&charts.svg().unwrap());
    for text in [
        "L1 (lower is better)",
        "PSNR dB (higher is better)",
        "1 FOMM",
    ] {
        assert_eq!(texts.iter().filter(|other| *other == text).count(), 1);
    }
}

#[test]
fn only_action_units_that_move_have_a_line() {
    let smile = ActionUnit::from_code(12).unwrap();
    let poses = [
        (0.0, Some(Pose::from(AuVector::NEUTRAL))),
        (0.1, None),
        (0.2, Some(Pose::from(AuVector::NEUTRAL.with(smile, 0.7)))),
    ];
    let chart = Chart::action_units("clip.mp4", &poses);
    assert_eq!(chart.series.len(), 1);
    assert_eq!(chart.series[0].name, "AU12 Lip corner puller");
    assert_eq!(chart.series[0].points[1], None);
    assert!(chart.svg().is_ok());

    assert_eq!(Charts::expression("clip.mp4", &poses), chart.clone().into());
    let turned = poses.map(|(time, pose)| {
        let turned = |pose: Pose| pose.with(Sides::Both, Channel::Yaw, 50.0 * time as f32);
        (time, pose.map(turned))
    });
    let Charts(both) = Charts::expression("clip.mp4", &turned);
    assert_eq!(both[0], chart);
    assert_eq!(both[1].y.title, "Head and eyes (degrees)");
    assert_eq!(both[1].series[0].name, "Turn");
    assert_eq!(both[1].series[0].points[2], Some((0.2, 10.0)));
    let grown = poses.map(|(time, pose)| {
        let grown = |pose: Pose| pose.with(Sides::Both, Channel::Size, 100.0 + 50.0 * time as f32);
        (time, pose.map(grown))
    });
    let Charts(both) = Charts::expression("clip.mp4", &grown);
    assert_eq!(both.len(), 2);
    assert_eq!(both[1].y.title, "Head's place and size (percent)");
    assert_eq!(both[1].series[0].points[0], Some((0.0, 100.0)));

    let frames = [(0.0, Some(0.0)), (0.1, None), (0.2, Some(0.7))];
    let frame = |(time, value): (f64, Option<f32>)| {
        let aus = value.map(|value| AuVector::NEUTRAL.with(smile, value));
        AuFrame {
            time,
            aus,
            relative_to_rest: aus,
            ..AuFrame::default()
        }
    };
    let track = AuTrack {
        name: "clip.mp4".to_owned(),
        fps: 10.0,
        frames: frames.map(frame).to_vec(),
        shapes: vec![None; 3],
        rest: 0,
        read_error: None,
    };
    assert_eq!(Chart::of_clip(&track), chart);
}

#[test]
fn the_reference_frame_is_marked() {
    let scores = [Some(0.4), Some(0.1), None];
    let chart = Chart::reference_score("clip.mp4", &[0.0, 0.04, 0.08], &scores, 1);
    let texts = texts(&chart.svg().unwrap());
    assert!(
        texts.contains(&"reference: frame 2".to_owned()),
        "{texts:?}"
    );
    assert!(texts.contains(&"Difference from the portrait's face (lower is better)".to_owned()));
}

#[test]
fn the_file_extension_determines_the_format_of_a_chart() {
    let folder = tempfile::tempdir().unwrap();
    let chart = chart(vec![line("fomm", 0, &[Some(0.2), Some(0.9)])]);
    let at = |name: &str| folder.path().join(name);
    chart.save(&at("a.SVG")).unwrap();
    chart.save(&at("a.png")).unwrap();
    let svg = std::fs::read_to_string(at("a.SVG")).unwrap();
    assert_eq!(svg, chart.svg().unwrap());
    let png = std::fs::read(at("a.png")).unwrap();
    assert!(png.starts_with(b"\x89PNG"));
    for name in ["a.pdf", "a"] {
        let error = chart.save(&at(name)).unwrap_err().to_string();
        assert!(error.ends_with("end the name in .svg or .png."), "{error}");
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2);
}

fn any_value() -> impl Strategy<Value = f64> {
    prop_oneof![
        4 => -1.0f64..1.0,
        1 => any::<f64>(),
        1 => Just(0.0),
        1 => prop::sample::select(vec![f64::NAN, f64::INFINITY, f64::NEG_INFINITY, f64::MAX, 1e12, -1e12, 1e-300]),
    ]
}

fn any_series() -> impl Strategy<Value = Series> {
    let point = prop::option::weighted(0.8, (any_value(), any_value()));
    let points = prop::collection::vec(point, 0..12);
    (any::<String>(), points).prop_map(|(name, points)| Series {
        name,
        colour: colour(3),
        points,
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_values_give_a_chart(
        series in prop::collection::vec(any_series(), 0..6),
        title in any::<String>(),
        mark in any_value(),
        range in prop::option::of((any_value(), any_value())),
        panels in 0usize..9,
        size in (1u32..500, 1u32..400),
    ) {
        let chart = Chart {
            x: Axis::new(title.clone()),
            y: Axis { range, ..Axis::metric("L1") },
            marks: vec![Mark { x: mark, name: title.clone() }],
            title,
            series,
        };
        let charts = Charts(vec![chart; panels]);
        let svg = charts.svg().unwrap();
        prop_assert!(roxmltree::Document::parse(&svg).is_ok());
        prop_assert_eq!(charts.png(size.0, size.1).unwrap().size(), size);
    }
}
