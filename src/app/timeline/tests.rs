use super::*;
use crate::document::{ActionUnit, AuVector, Crop, MediaSource, PortraitRef, Pose, Sides};

fn document() -> Document {
    let portrait = PortraitRef {
        id: 0,
        name: String::new(),
        source: MediaSource::File("me.jpg".into()),
        width: 9,
        height: 9,
    };
    let crop = Crop {
        x: 0.0,
        y: 0.0,
        side: 8.0,
        ..Crop::default()
    };
    Document::new(portrait, crop, AuVector::NEUTRAL)
}

fn unit(code: u8) -> ActionUnit {
    ActionUnit::from_code(code).unwrap()
}

fn id(frame: u32) -> KeyId {
    let time = f64::from(frame) / 24.0;
    KeyId {
        channel: unit(12).into(),
        time,
    }
}

fn handle(timeline: &mut Timeline, document: &mut Document, message: Message) {
    match timeline.update(message, TimelineSource::Track(document)) {
        Action::Edit(change) | Action::Drag(_, change) => change.apply(document),
        _ => {}
    }
    timeline.follow(TimelineSource::Track(document));
}

#[test]
fn only_lengths_and_frame_rates_in_range_are_accepted() {
    assert_eq!(
        parse(Value::Frames, " 30 "),
        Some((Gesture::Length, Change::Frames(30)))
    );
    assert_eq!(
        parse(Value::Fps, "12,5"),
        Some((Gesture::Fps, Change::Fps(12.5)))
    );
    for text in ["", "1", "-3", "1e9", "x"] {
        assert_eq!(parse(Value::Frames, text), None, "{text}");
    }
    for text in ["0", "NaN", "inf", "121"] {
        assert_eq!(parse(Value::Fps, text), None, "{text}");
    }
}

#[test]
fn a_drag_past_other_keys_keeps_them() {
    let (mut timeline, mut document) = (Timeline::default(), document());
    for (frame, value) in [(0, 0.0), (10, 0.5), (20, 1.0)] {
        document.track.set_channel(frame, unit(12), (value, value));
    }
    let mut send = |message| handle(&mut timeline, &mut document, message);
    send(Message::Selected([id(0)].into(), Some(id(0))));
    send(Message::Moved(id(0), 10, 0.0));
    send(Message::Moved(id(0), 15, 0.25));
    send(Message::Released);
    let keys = document.track.curve(unit(12)).keys();
    let frames: Vec<(u32, f32)> = keys
        .iter()
        .map(|key| (document.track.frame_at(key.time), key.left))
        .collect();
    assert_eq!(frames, [(10, 0.5), (15, 0.25), (20, 1.0)]);
    assert_eq!(timeline.frame(), 15, "the playhead follows");
}

#[test]
fn a_key_can_be_dragged_beyond_the_usual_range_only_while_the_sliders_allow_it() {
    let (mut timeline, mut document) = (Timeline::default(), document());
    document.track.set_channel(0, unit(12), (0.8, 0.8));
    let value = |document: &Document| document.track.key(id(0)).unwrap().left;
    handle(
        &mut timeline,
        &mut document,
        Message::Selected([id(0)].into(), None),
    );
    handle(&mut timeline, &mut document, Message::Moved(id(0), 0, 0.5));
    assert_eq!(value(&document), 1.0);
    assert!(TimelineSource::Track(&document).is_usual());
    timeline.reach = SliderRange::Beyond;
    handle(&mut timeline, &mut document, Message::Moved(id(0), 0, 0.5));
    assert_eq!(value(&document), 1.3);
    assert!(!TimelineSource::Track(&document).is_usual());
    handle(&mut timeline, &mut document, Message::Moved(id(0), 0, -2.0));
    assert_eq!(value(&document), -0.5);
    handle(&mut timeline, &mut document, Message::Released);
}

#[test]
fn an_analysed_clip_can_be_played_and_trimmed_but_not_edited() {
    let poses = vec![Some(Pose::NEUTRAL); 10];
    let subject = |range| TimelineSource::Read {
        fps: 10.0,
        frames: 10,
        playback: Playback::Loop,
        range,
        poses: &poses,
    };
    let mut timeline = Timeline::default();
    timeline.update(Message::Scrubbed(6), subject(None));
    let mut send = |message, range| timeline.update(message, subject(range));
    assert_eq!(send(Message::In, None), Action::Range(Some((6, 9))));
    assert_eq!(send(Message::Out, None), Action::Range(Some((0, 6))));
    // An in point after the out point resets the out point.
    assert_eq!(send(Message::In, Some((1, 4))), Action::Range(Some((6, 9))));
    assert_eq!(
        send(Message::Out, Some((8, 9))),
        Action::Range(Some((0, 6)))
    );
    assert_eq!(send(Message::ResetRange, Some((1, 4))), Action::Range(None));
    let once = Playback::Once;
    assert_eq!(send(Message::Playback(once), None), Action::Playback(once));
    assert_eq!(send(Message::Bake, None), Action::Bake);
    for message in [
        Message::KeyAdded,
        Message::KeyRemoved,
        Message::Pasted,
        Message::Easing(Easing::Hold),
        Message::Typed(Value::Fps, "12".to_owned()),
    ] {
        assert_eq!(send(message, None), Action::None);
    }
}

#[test]
fn dragging_a_bezier_handle_changes_the_easing() {
    let (mut timeline, mut document) = (Timeline::default(), document());
    document.track.set_channel(0, unit(12), (0.0, 0.0));
    document.track.set_channel(24, unit(12), (1.0, 1.0));
    let mut send = |message| handle(&mut timeline, &mut document, message);
    send(Message::Selected([id(0)].into(), None));
    send(Message::Easing(Easing::BEZIER));
    send(Message::Bent(id(0), true, [0.1, 1.0]));
    send(Message::Bent(id(0), false, [-4.0, 0.9]));
    let easing = document.track.key(id(0)).unwrap().easing;
    assert_eq!(easing, Easing::Bezier([0.0, 0.9, 0.1, 1.0]));
    assert!(document.pose(6).get(unit(12)) > 0.9);
}

#[test]
fn stretching_keys_in_time_extends_the_track() {
    let (mut timeline, mut document) = (Timeline::default(), document());
    document.track.set_frames(30);
    for (frame, value) in [(4, 0.0), (14, 0.5), (24, 1.0)] {
        document.track.set_channel(frame, unit(12), (value, value));
    }
    assert_eq!(timeline.stretchable(), None, "nothing is selected");
    let frames = |document: &Document| -> Vec<u32> {
        let keys = document.track.curve(unit(12)).keys().iter();
        keys.map(|key| document.track.frame_at(key.time)).collect()
    };
    handle(&mut timeline, &mut document, Message::SelectedAll);
    let around = timeline.stretchable().unwrap();
    let stretch = |around, factor, held| Message::Stretched {
        around,
        factor,
        held,
    };
    handle(&mut timeline, &mut document, stretch(around, 2.0, false));
    assert_eq!(frames(&document), [4, 24, 44]);
    assert_eq!((document.track.frames(), timeline.selection.len()), (45, 3));

    // During a drag the factor applies to the original times, and the drag is one undo step.
    let change = timeline.update(stretch(around, 0.1, true), TimelineSource::Track(&document));
    assert!(matches!(change, Action::Drag(Gesture::Keys, _)));
    handle(&mut timeline, &mut document, stretch(around, 0.3, true));
    handle(&mut timeline, &mut document, stretch(around, 0.5, true));
    handle(&mut timeline, &mut document, Message::Released);
    assert_eq!(frames(&document), [4, 14, 24]);

    // Keys at one moment can't be stretched.
    let one = Message::Selected([id(14)].into(), None);
    handle(&mut timeline, &mut document, one);
    assert_eq!(timeline.stretchable(), None);
}

#[test]
fn the_panel_can_be_resized_within_its_limits() {
    let (mut timeline, document) = (Timeline::default(), document());
    let first = timeline.height();
    let mut send = |message| timeline.update(message, TimelineSource::Track(&document));
    assert_eq!(send(Message::Resized(first + 80.0)), Action::None);
    assert_eq!(send(Message::ResizeEnded), Action::Height(first + 80.0));
    for (wild, height) in [(1e9, 560.0), (-1e9, 200.0), (f32::NAN, 200.0)] {
        send(Message::Resized(wild));
        assert_eq!(send(Message::ResizeEnded), Action::Height(height));
    }
}

#[test]
fn a_preset_is_inserted_at_the_playhead() {
    let smile = Preset {
        name: "Smile".to_owned(),
        pose: AuVector::NEUTRAL.with(unit(12), 0.9).into(),
    };
    let (mut timeline, mut document) = (Timeline::new(vec![smile]), document());
    let mut send = |message| handle(&mut timeline, &mut document, message);
    send(Message::Scrubbed(24));
    send(Message::Preset("Smile".to_owned()));
    send(Message::Preset("Nothing".to_owned()));
    assert_eq!(document.track.all_keys(), [id(0), id(24)].into());
    assert_eq!(document.pose(24).of(Sides::Both, unit(12)), 0.9);
    assert_eq!(document.pose(0), AuVector::NEUTRAL);
}

#[test]
fn equal_values_get_an_axis_of_positive_height() {
    for (low, high) in [(0.0, 0.0), (31.25, 31.25), (-0.5, 0.2), (0.9999, 1.0)] {
        let (under, over) = metrics::span(low, high);
        assert!(under <= low && over > high && over - under >= 0.001);
        assert_eq!(under < 0.0, low < 0.0);
    }
}

#[test]
fn action_units_that_move_come_first() {
    let mut document = document();
    document.track.set_channel(0, unit(1), (0.5, 0.5));
    let first = |document: &Document| TimelineSource::Track(document).channels()[0];
    assert_eq!(first(&document), (unit(1).into(), true));
    document.track.set_channel(0, unit(12), (0.0, 0.0));
    document.track.set_channel(9, unit(12), (0.0, 0.3));
    assert_eq!(first(&document), (unit(12).into(), true));
    let channels = TimelineSource::Track(&document).channels();
    assert_eq!(channels[1], (unit(1).into(), false), "keyed, constant");
    assert_eq!(channels.len(), ActionUnit::COUNT, "the head doesn't turn");
    document.track.set_channel(0, Channel::Yaw, (-20.0, -20.0));
    document.track.set_channel(9, Channel::Yaw, (5.0, 5.0));
    let channels = TimelineSource::Track(&document).channels();
    let first: Vec<Channel> = channels
        .iter()
        .take(2)
        .map(|(channel, _)| *channel)
        .collect();
    assert_eq!(first, [unit(12).into(), Channel::Yaw]);
    assert_eq!(channels.len(), ActionUnit::COUNT + 1);
}

#[test]
fn a_saved_chart_shows_the_visible_curves_or_metric() {
    let mut document = document();
    document.track.set_key(0, AuVector::NEUTRAL);
    let smile = AuVector::NEUTRAL.with(unit(12), 1.0);
    document.track.set_key(24, smile);
    let series = |name: &str, metric: &str| numbers::Series {
        name: name.to_owned(),
        metric: metric.to_owned(),
        values: vec![Some(0.5), None, Some(0.25)],
    };
    let numbers = numbers::Numbers {
        frames: 3,
        series: vec![
            series("2 FOMM", "L1"),
            series("3 TPS", "L1"),
            series("3 TPS", "SSIM"),
        ],
    };
    let mut timeline = Timeline::default();
    let subject = TimelineSource::Track(&document);
    let charts = timeline.chart("Smile", subject, Some(&numbers)).unwrap();
    assert_eq!(charts.0[0].series.len(), 1);
    assert_eq!(charts.0[0].series[0].points[24], Some((1.0, 1.0)));

    let action = timeline.update(Message::SaveChart, subject);
    assert_eq!(action, Action::SaveChart);
    timeline.update(Message::Tab(Tab::Metrics), subject);
    timeline.update(Message::Metric("SSIM".to_owned()), subject);
    let charts = timeline.chart("Smile", subject, Some(&numbers)).unwrap();
    let [chart] = charts.0.as_slice() else {
        panic!("{charts:?}");
    };
    assert_eq!(chart.y.title, "SSIM");
    let times = [Some((0.0, 0.5)), None, Some((2.0 / 24.0, 0.25))];
    assert_eq!(chart.series[0].points, times);
    assert_eq!(timeline.chart("Smile", subject, None), None);
}
