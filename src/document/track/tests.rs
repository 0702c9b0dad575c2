use crate::document::au::ActionUnit;
use crate::document::pose::Sides;
use crate::document::track::keys::{Copied, KeyId, Selection};
use crate::document::track::*;
use proptest::prelude::*;

fn unit(code: u8) -> ActionUnit {
    ActionUnit::from_code(code).unwrap()
}

fn smile(value: f32) -> Pose {
    Pose::NEUTRAL.with(Sides::Both, unit(12), value)
}

fn id(code: u8, time: f64) -> KeyId {
    KeyId {
        channel: unit(code).into(),
        time,
    }
}

/// A track with keys of some channels on some frames, their values as fractions of the channels' ranges.
fn track_of(keys: &[(usize, u32, f32, f32)]) -> Track {
    let mut track = Track::default();
    for (index, frame, left, right) in keys {
        let channel = Channel::ALL[*index];
        let halves = (channel.denormalise(*left), channel.denormalise(*right));
        track.set_channel(*frame, channel, halves);
    }
    track
}

fn in_order(track: &Track) -> bool {
    Channel::ALL.into_iter().all(|channel| {
        let keys = track.curve(channel).keys();
        keys.windows(2)
            .all(|pair| pair[1].time - pair[0].time >= curve::TIME_EPSILON)
    })
}

#[test]
fn values_are_interpolated_between_keys_and_constant_outside() {
    let mut track = Track::default();
    assert_eq!(track.value_at(0.0), None);
    track.set_key(12, smile(0.2));
    track.set_key(36, smile(1.0));
    track.set_easing(&track.keys_on(12), Easing::Linear);
    assert_eq!(track.value_at(0.0), Some(smile(0.2)));
    assert_eq!(track.value_at(99.0), Some(smile(1.0)));
    let middle = track.value_at(1.0).unwrap().get(unit(12));
    assert!((middle - 0.6).abs() < 1e-6, "{middle}");
    track.set_easing(&track.keys_on(12), Easing::Hold);
    assert_eq!(track.value_at(1.49), Some(smile(0.2)));
    assert_eq!(track.value_at(1.5), Some(smile(1.0)));
}

#[test]
fn keys_of_one_channel_leave_the_other_channels_unchanged() {
    let mut track = Track::default();
    track.set_channel(0, unit(12), (0.0, 0.2));
    track.set_channel(24, unit(12), (1.0, 0.2));
    track.set_channel(12, unit(4), (0.7, 0.7));
    let base = Pose::NEUTRAL.with(Sides::Left, unit(1), 0.3);
    let pose = track.pose_at(0.5, base);
    assert_eq!(pose.halves(unit(12)), (0.5, 0.2));
    assert_eq!(pose.halves(unit(4)), (0.7, 0.7));
    assert_eq!(pose.halves(unit(1)), (0.3, 0.0));
    assert_eq!(track.moments(), [0.0, 0.5, 1.0]);
    let keyed: Vec<_> = track.keyed().collect();
    assert_eq!(keyed, [unit(4).into(), unit(12).into()]);
    assert!(track.moves());
    track.remove_keys(&[id(12, 0.0)].into());
    assert!(!track.moves() && !track.is_empty());
}

#[test]
fn setting_a_value_changes_the_key_there_or_adds_one() {
    let mut track = Track::default();
    track.set_key(0, smile(0.0));
    track.set_key(0, smile(0.5));
    assert_eq!(track.moments(), [0.0]);
    track.set_key(24, smile(1.0));
    track.set_key(12, smile(0.1));
    assert_eq!(track.moments(), [0.0, 0.5, 1.0]);
}

#[test]
fn selected_keys_move_together_and_replace_the_keys_they_land_on() {
    let mut track = track_of(&[(8, 0, 0.0, 0.0), (8, 12, 0.5, 0.5), (8, 24, 1.0, 0.9)]);
    let ids = [id(12, 0.0), id(12, 1.0)].into();
    // To the last frame, and by a value that takes one half to the end of its range.
    let moved = track.move_keys(&ids, 12, 0.05, SliderRange::Usual);
    assert_eq!(moved, [id(12, 0.5), id(12, 1.5)].into());
    let keys = track.curve(unit(12)).keys();
    let values: Vec<_> = keys
        .iter()
        .map(|key| (key.time, key.left, key.right))
        .collect();
    assert_eq!(values, [(0.5, 0.05, 0.05), (1.5, 1.0, 0.95)]);
    assert_eq!(
        track.move_keys(&moved, -99, 0.0, SliderRange::Usual),
        [id(12, 0.0), id(12, 1.0)].into()
    );
    let last = track.time_of(47);
    assert_eq!(
        track.move_keys(&[id(12, 1.0)].into(), 99, 0.0, SliderRange::Usual),
        [id(12, last)].into()
    );
}

#[test]
fn keys_pasted_on_a_track_of_another_rate_keep_their_seconds() {
    let mut track = track_of(&[(8, 6, 0.2, 0.2), (2, 18, 0.8, 0.4)]);
    let copied = track.copy(&track.all_keys());
    let mut other = Track::default();
    other.set_fps(10.0);
    other.paste(3, &copied);
    assert_eq!(other.moments(), [0.3, 0.8]);
    assert_eq!(
        other.pose_at(0.9, Pose::NEUTRAL).halves(unit(4)),
        (0.8, 0.4)
    );
    assert!(other.paste(0, &Copied::default()).is_empty());
    // Pasted over itself an hour later: kept beyond the end.
    track.paste(100_000, &copied);
    assert_eq!(track.all_keys().len(), 4);
}

#[test]
fn selected_keys_are_scaled_in_time_around_a_pivot() {
    let mut track = track_of(&[(8, 12, 0.0, 0.0), (8, 14, 0.3, 0.3), (8, 24, 1.0, 1.0)]);
    let wide = track.scale_keys(&track.all_keys(), 0.5, 2.0);
    assert_eq!(
        track.moments(),
        [12.0, 16.0, 36.0].map(|frame| frame / 24.0)
    );
    assert_eq!(wide, track.all_keys());
    // So close together that there aren't enough frames: no key is lost.
    track.scale_keys(&wide, 0.5, 0.05);
    assert_eq!(track.all_keys().len(), 3);
    let all = track.all_keys();
    track.scale_keys(&all, 2.0, 1e9);
    assert!(in_order(&track) && track.moments()[0] >= 0.0);
}

#[test]
fn an_easing_is_set_on_several_keys_and_reported_when_all_share_it() {
    let mut track = track_of(&[(8, 0, 0.0, 0.0), (8, 24, 1.0, 1.0), (2, 0, 1.0, 1.0)]);
    let all = track.all_keys();
    assert_eq!(track.easing_of(&all), Some(Easing::default()));
    track.set_easing(&[id(4, 0.0)].into(), Easing::Hold);
    assert_eq!(track.easing_of(&all), None);
    track.set_easing(&all, Easing::Bezier([7.0, 0.0, f32::NAN, 1.0]));
    assert_eq!(
        track.easing_of(&all),
        Some(Easing::Bezier([1.0, 0.0, 1.0, 1.0]))
    );
    assert_eq!(track.keys_before(30), [id(12, 1.0), id(4, 0.0)].into());
}

#[test]
fn ping_pong_repeats_neither_end_frame() {
    let mut track = Track::default();
    track.set_frames(4);
    track.playback = Playback::PingPong;
    assert_eq!(track.order(), [0, 1, 2, 3, 2, 1]);
    let shown: Vec<u32> = (0..8)
        .map(|i| track.playing_at((f64::from(i) + 0.5) / 24.0).0)
        .collect();
    assert_eq!(shown, [0, 1, 2, 3, 2, 1, 0, 1]);
}

#[test]
fn play_once_ends_and_a_loop_does_not() {
    let mut track = Track::default();
    track.set_frames(3);
    track.playback = Playback::Once;
    assert_eq!(track.playing_at(0.05), (1, false));
    assert_eq!(track.playing_at(9.0), (2, true));
    track.playback = Playback::Loop;
    assert_eq!(track.playing_at(3.0 / 24.0 + 0.001), (0, false));
}

#[test]
fn only_frames_between_the_in_and_out_points_are_played() {
    let mut track = Track::default();
    track.set_in(10);
    track.set_out(12);
    assert_eq!(track.range(), Some((10, 12)));
    assert_eq!(track.order(), [10, 11, 12]);
    assert_eq!(track.playing_at(3.5 / 24.0), (10, false));
    track.playback = Playback::PingPong;
    assert_eq!(track.order(), [10, 11, 12, 11]);
    assert_eq!(track.playing_at(3.5 / 24.0), (11, false));
    // Setting one point beyond the other resets the other to the track's end.
    track.set_in(30);
    assert_eq!(track.range(), Some((30, 47)));
    track.set_out(20);
    assert_eq!(track.range(), Some((0, 20)));
    track.set_range(Some((90, 7)));
    assert_eq!(track.range(), Some((7, 47)));
    track.set_range(Some((9, 9)));
    assert_eq!(track.order(), [9]);
    assert_eq!(track.playing_at(5.0), (9, false));
    track.set_range(Some((0, 47)));
    assert_eq!(track.range(), None);
}

#[test]
fn in_and_out_points_keep_their_seconds_at_another_rate() {
    let mut track = Track::default();
    track.set_range(Some((12, 35)));
    track.set_fps(1.0);
    track.set_frames(2);
    assert!(track.order().len() <= 2);
    track.set_fps(12.0);
    assert_eq!(track.range(), Some((6, 17)));
    track.set_frames(10);
    assert_eq!(track.range(), Some((6, 9)));
}

#[test]
fn a_baked_movement_replaces_the_keys_and_interpolates_missing_frames() {
    let mut track = Track::default();
    track.set_key(40, smile(0.9));
    track.set_movement(10.0, &[Some(smile(0.0)), None, None, Some(smile(0.6))]);
    assert_eq!((track.fps(), track.frames()), (10.0, 4));
    assert_eq!(track.moments().len(), 2);
    let between = track.value_at(0.1).unwrap();
    assert!(between.distance(&smile(0.2)) < 1e-6);
    assert_eq!(track.value_at(0.3), Some(smile(0.6)));
}

#[test]
fn copies_of_a_track_share_unchanged_curves() {
    let mut track = Track::default();
    track.set_movement(24.0, &vec![Some(smile(0.5)); 3000]);
    let before = track.clone();
    track.set_channel(7, unit(4), (0.9, 0.9));
    let place = |track: &Track, code: u8| track.curve(unit(code)).keys().as_ptr();
    assert_eq!(place(&track, 12), place(&before, 12));
    assert_ne!(place(&track, 4), place(&before, 4));
    assert_ne!(track, before);
}

#[test]
fn keys_keep_their_seconds_at_another_frame_rate() {
    let mut track = Track::default();
    track.set_key(24, smile(1.0));
    track.set_fps(12.0);
    assert_eq!((track.frames(), track.duration()), (24, 2.0));
    assert_eq!(track.keys_on(12).len(), 17);
    track.set_fps(f64::NAN);
    assert_eq!(track.fps(), 12.0);
}

#[test]
fn tracks_in_the_first_file_format_are_read_and_invalid_ones_refused() {
    let old = r#"{"keyframes": [
        {"time": 0.5, "pose": {"left": {"AU12": 0.8}, "right": {}}, "easing": "hold"},
        {"time": 0.0, "pose": {"left": {}, "right": {}}, "easing": "linear"}
    ], "fps": 12.0, "frames": 24, "playback": "ping_pong"}"#;
    let track: Track = serde_json::from_str(old).unwrap();
    assert_eq!(track.moments(), [0.0, 0.5]);
    assert_eq!((track.fps(), track.frames()), (12.0, 24));
    assert_eq!(track.curve(unit(12)).at(0.25), Some((0.4, 0.0)));
    assert_eq!(track.key(id(12, 0.5)).unwrap().easing, Easing::Hold);

    let unknown = r#"{"curves": {"AU3": []}, "fps": 24.0, "frames": 48}"#;
    let problem = serde_json::from_str::<Track>(unknown)
        .unwrap_err()
        .to_string();
    assert!(problem.contains("AU3"), "{problem}");
    let wild = r#"{"curves": {"AU12": [{"time": 1.0, "value": 7.0}, {"time": -3.0, "value": 0.1}]},
        "fps": 1e9, "frames": 0, "range": [2.0, 1.0]}"#;
    let track: Track = serde_json::from_str(wild).unwrap();
    assert_eq!(
        (track.fps(), track.frames(), track.range()),
        (120.0, 2, None)
    );
    assert_eq!(track.curve(unit(12)).at(0.0), Some((1.5, 1.5)));
}

/// A file of a track without head or gaze, as Mien 1 wrote it.
const BEFORE: &str = r#"{"curves":{"AU12":[{"time":0.0,"value":0.25,"easing":"linear"},{"time":0.5,"left":0.5,"right":1.0,"easing":{"bezier":[0.1,0.2,0.3,0.4]}}],"AU4":[{"time":1.0,"value":0.7,"easing":"hold"}]},"fps":24.0,"frames":48,"playback":"ping_pong","range":[0.25,1.5]}"#;

#[test]
fn a_track_without_head_or_gaze_keeps_the_older_file_format() {
    let track: Track = serde_json::from_str(BEFORE).unwrap();
    assert_eq!(serde_json::to_string(&track).unwrap(), BEFORE);
    let mut track = Track::default();
    track.set_key(0, smile(0.5));
    track.set_movement(24.0, &[Some(smile(0.5)), Some(smile(1.0))]);
    assert!(track.keyed().all(|channel| channel.unit().is_some()));
}

#[test]
fn head_and_gaze_curves_are_saved_by_name_in_degrees() {
    let text = r#"{"curves": {
        "yaw": [{"time": 0.0, "value": -10.0, "easing": "linear"}, {"time": 1.0, "value": 99.0}],
        "gaze_y": [{"time": 0.0, "left": 4.0, "right": 8.0}]
    }, "fps": 24.0, "frames": 48}"#;
    let track: Track = serde_json::from_str(text).unwrap();
    assert_eq!(track.pose_at(0.5, Pose::NEUTRAL).get(Channel::Yaw), 5.0);
    let end = track.value_at(2.0).unwrap();
    assert_eq!((end.head.yaw(), end.gaze.y()), (20.0, 6.0));
    let written = serde_json::to_value(&track).unwrap();
    let curves = &written["curves"];
    assert_eq!(curves["yaw"][0]["value"], -10.0);
    assert_eq!(curves["gaze_y"][0]["value"], 6.0, "eyes have no halves");
    assert_eq!(curves.as_object().unwrap().len(), 2);
    let unknown = text.replace("gaze_y", "gaze");
    let problem = serde_json::from_str::<Track>(&unknown).unwrap_err();
    assert!(
        problem
            .to_string()
            .contains("yaw, pitch, roll, gaze_x, gaze_y")
    );
}

#[test]
fn keys_of_action_units_and_of_the_head_move_by_the_same_fraction_of_their_ranges() {
    let mut track = Track::default();
    track.set_channel(0, unit(12), (0.5, 0.5));
    track.set_channel(0, Channel::Yaw, (0.0, 0.0));
    let low = track.keys_in(&Channel::ALL, 0.0..=1.0, 0.0..=0.4);
    assert!(low.is_empty(), "both are in the middle");
    let moved = track.move_keys(&track.all_keys(), 12, 0.25, SliderRange::Usual);
    assert_eq!(track.keys_in(&Channel::ALL, 0.5..=0.5, 0.7..=0.8), moved);
    let pose = track.value_at(0.5).unwrap();
    assert_eq!((pose.get(unit(12)), pose.head.yaw()), (0.75, 10.0));
    let copied = track.copy(&moved);
    let mut other = Track::default();
    other.paste(3, &copied);
    assert_eq!(other.value_at(0.0).unwrap(), pose);
}

#[test]
fn a_baked_movement_adds_head_keys_only_when_the_head_turns() {
    let turned = Pose::NEUTRAL.with(Sides::Both, Channel::Roll, -3.0);
    let mut track = Track::default();
    track.set_channel(0, Channel::GazeX, (9.0, 9.0));
    track.set_movement(10.0, &[Some(Pose::NEUTRAL), None, Some(turned)]);
    let keyed: Vec<_> = track
        .keyed()
        .filter(|channel| channel.unit().is_none())
        .collect();
    assert_eq!(keyed, [Channel::Roll]);
    assert_eq!(track.value_at(0.1).unwrap().head.roll(), -1.5);
}

#[test]
fn dragged_keys_leave_the_usual_range_only_with_the_extended_range() {
    let mut track = Track::default();
    track.set_channel(0, unit(12), (0.9, 1.3));
    let all = track.all_keys();
    let at = |track: &Track| track.curve(unit(12)).at(0.0).unwrap();
    let mut usual = track.clone();
    usual.move_keys(&all, 0, 0.4, SliderRange::Usual);
    assert_eq!(at(&usual), (1.0, 1.3));
    usual.move_keys(&all, 0, -2.0, SliderRange::Usual);
    assert_eq!(at(&usual), (0.0, 0.0));
    let mut beyond = track.clone();
    beyond.move_keys(&all, 0, 0.4, SliderRange::Beyond);
    assert_eq!(at(&beyond), (1.3, 1.5));
    beyond.move_keys(&all, 0, -9.0, SliderRange::Beyond);
    assert_eq!(at(&beyond), (-0.5, -0.5));
}

#[test]
fn an_overshooting_easing_stays_in_the_usual_range_between_usual_keys() {
    let swing = Easing::bezier([0.3, -1.0, 0.7, 2.0]);
    let highest = |end: f32| {
        let mut track = Track::default();
        track.set_channel(0, unit(12), (0.0, 0.0));
        track.set_channel(24, unit(12), (end, end));
        track.set_easing(&track.all_keys(), swing);
        let values = (0..=24).map(|frame| track.curve(unit(12)).at(track.time_of(frame)));
        let values: Vec<f32> = values.map(|value| value.unwrap().0).collect();
        assert!(values.iter().all(|value| *value >= 0.0));
        values.into_iter().fold(0.0, f32::max)
    };
    assert_eq!(highest(1.0), 1.0);
    assert_eq!(highest(0.9), 1.0);
    assert_eq!(highest(1.3), 1.3);
}

fn some_keys() -> impl Strategy<Value = Vec<(usize, u32, f32, f32)>> {
    proptest::collection::vec(
        (0..Channel::COUNT, 0u32..48, -0.2f32..=1.3, -0.2f32..=1.3),
        1..40,
    )
}

fn some_of(track: &Track, every: usize) -> Selection {
    track.all_keys().into_iter().step_by(every).collect()
}

proptest! {
    #[test]
    fn every_edit_keeps_the_keys_ordered_and_on_distinct_frames(keys in some_keys(), every in 1usize..5, frames in -60i64..60, value in -1f32..1.0, factor in 0.05f64..5.0, at in 0u32..48) {
        let mut track = track_of(&keys);
        let moved = track.move_keys(&some_of(&track, every), frames, value, SliderRange::Beyond);
        prop_assert!(in_order(&track));
        prop_assert!(moved.iter().all(|id| track.key(*id).is_some()));
        let count = track.all_keys().len();
        let scaled = track.scale_keys(&track.all_keys(), f64::from(at) / 24.0, factor);
        prop_assert!(in_order(&track));
        prop_assert_eq!(track.all_keys().len(), count);
        let copied = track.copy(&scaled);
        let pasted = track.paste(at, &copied);
        prop_assert!(in_order(&track));
        prop_assert!(pasted.iter().all(|id| track.key(*id).is_some_and(|key| id.channel.range().contains(&key.left))));
        track.remove_keys(&track.all_keys());
        prop_assert!(track.is_empty());
    }

    #[test]
    fn pasting_a_copy_where_it_was_changes_nothing(keys in some_keys(), every in 1usize..5) {
        let mut track = track_of(&keys);
        let before = track.clone();
        let ids = some_of(&track, every);
        let first = ids.iter().map(|id| id.time).fold(f64::INFINITY, f64::min);
        let pasted = track.paste(track.frame_at(first), &track.copy(&ids));
        prop_assert_eq!(pasted, ids);
        prop_assert_eq!(track, before);
    }

    #[test]
    fn moving_keys_there_and_back_restores_the_track(keys in some_keys(), frames in -47i64..47) {
        let mut track = track_of(&keys);
        let (before, all) = (track.clone(), track.all_keys());
        let first = |ids: &Selection| ids.iter().map(|id| id.time).fold(f64::INFINITY, f64::min);
        let moved = track.move_keys(&all, frames, 0.0, SliderRange::Usual);
        let back = ((first(&all) - first(&moved)) * 24.0).round() as i64;
        prop_assert_eq!(track.move_keys(&moved, back, 0.0, SliderRange::Usual), all);
        prop_assert_eq!(track, before);
    }

    #[test]
    fn curves_pass_continuously_through_every_key(keys in some_keys(), handles in [-1f32..2.0, -1f32..2.0, -1f32..2.0, -1f32..2.0]) {
        let mut track = track_of(&keys);
        for easing in [Easing::Linear, Easing::EaseIn, Easing::EaseOut, Easing::EaseInOut, Easing::bezier(handles)] {
            let all = track.all_keys();
            track.set_easing(&all, easing);
            for id in all {
                let key = *track.key(id).unwrap();
                let curve = track.curve(id.channel);
                let near = 0.05 * id.channel.width();
                prop_assert_eq!(curve.at(id.time), Some((key.left, key.right)));
                for time in [id.time - 1e-9, id.time + 1e-9] {
                    let (left, right) = curve.at(time).unwrap();
                    prop_assert!((left - key.left).abs() < near && (right - key.right).abs() < near);
                    prop_assert!(id.channel.range().contains(&left));
                    prop_assert!(id.channel.unit().is_some() || left == right);
                }
            }
        }
    }

    #[test]
    fn a_track_round_trips_through_json(keys in some_keys(), range in proptest::option::of((0u32..48, 0u32..48)), handles in [0f32..1.0, -1f32..2.0, 0f32..1.0, -1f32..2.0]) {
        let mut track = track_of(&keys);
        track.set_range(range);
        track.set_easing(&some_of(&track, 3), Easing::bezier(handles));
        let text = serde_json::to_string(&track).unwrap();
        prop_assert_eq!(serde_json::from_str::<Track>(&text).unwrap(), track, "{}", text);
    }
}
