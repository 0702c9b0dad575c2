//! The controls in a simulated window: input, and the resulting changes.

use iced_test::{Simulator, selector};
use proptest::prelude::*;

use super::*;

fn values() -> Vec<Value> {
    let groups = Group::ALL.map(Value::Gain);
    let mut all = vec![Value::Strength, Value::Still, Value::Quick];
    all.extend(groups);
    all
}

fn messages(follow: &Follow, hand: impl FnOnce(&mut Simulator<'_, Message>)) -> Vec<Message> {
    let controls = Controls::default();
    let mut window = Simulator::with_size(
        iced::Settings::default(),
        iced::Size::new(272.0, 460.0),
        controls.view(follow, Playback::Loop),
    );
    hand(&mut window);
    window.into_messages().collect()
}

#[test]
fn every_value_has_a_unique_name_and_is_set_independently() {
    for value in values() {
        let same: Vec<_> = values()
            .into_iter()
            .filter(|other| other.name() == value.name())
            .collect();
        assert_eq!(same, [value]);
        let mut follow = Follow::default();
        Change::Value(value, 0.25).apply(&mut follow);
        for other in values() {
            let expected = if other == value { 0.25 } else { other.usual() };
            assert_eq!(other.of(&follow), expected, "{other:?} after {value:?}");
        }
    }
}

#[test]
fn each_switch_sets_its_own_field() {
    let mut follow = Follow::default();
    for change in [
        Change::LockPlace(true),
        Change::LockScale(true),
        Change::Relative(false),
        Change::Own(Some(false)),
        Change::Reference(Some(7)),
    ] {
        change.apply(&mut follow);
    }
    let expected = Follow {
        lock_place: true,
        lock_scale: true,
        relative: false,
        use_baseline: Some(false),
        reference: Some(7),
        ..Follow::default()
    };
    assert_eq!(follow, expected);
}

proptest! {
    #[test]
    fn every_value_is_clamped_to_its_range(index in 0usize..8, number in any::<f32>()) {
        let value = values()[index];
        let mut follow = Follow::default();
        Change::Value(value, number).apply(&mut follow);
        prop_assert!((0.0..=value.most()).contains(&value.of(&follow)));
        if number.is_nan() {
            prop_assert_eq!(follow, Follow::default());
        }
    }
}

#[test]
fn typed_numbers_are_accepted_only_in_range() {
    let mut controls = Controls::default();
    let typed = |controls: &mut Controls, value, text: &str| {
        controls.update(Message::Typed(value, text.to_owned()))
    };
    assert_eq!(
        typed(&mut controls, Value::Strength, "1,5"),
        Action::Drag("strength", Change::Value(Value::Strength, 1.5))
    );
    for nonsense in ["", "x", "3", "-1", "NaN"] {
        let action = typed(&mut controls, Value::Strength, nonsense);
        assert_eq!(action, Action::None, "{nonsense}");
    }
    assert_eq!(typed(&mut controls, Value::Still, "1.5"), Action::None);
    assert_eq!(controls.update(Message::Entered), Action::Leave);
    assert!(!controls.escape());
}

#[test]
fn a_gain_slider_covers_0_to_2() {
    let value = Value::Gain(Group::Mouth);
    let sent = messages(&Follow::default(), |window| {
        let place = window.find(selector::id(slider_id(value))).unwrap();
        let place = place.bounds();
        window.point_at(iced::Point::new(
            place.x + place.width - 1.0,
            place.center_y(),
        ));
        window.simulate(iced_test::simulator::click());
    });
    assert!(
        matches!(sent[..], [Message::Moved(moved, number), Message::Released]
            if moved == value && number == 2.0),
        "{sent:?}"
    );
}

#[test]
fn clicking_the_label_of_a_switch_sends_its_change() {
    for (word, expected) in [
        (
            strings::NEUTRAL_OWN,
            Action::Change(Change::Own(Some(true))),
        ),
        ("Ping-pong", Action::Playback(Playback::PingPong)),
    ] {
        let sent = messages(&Follow::default(), |window| {
            window.click(word).unwrap();
        });
        let action = Controls::default().update(sent[0].clone());
        assert_eq!(action, expected);
    }
}
