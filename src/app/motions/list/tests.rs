//! The list in a simulated window.

use iced_test::{Simulator, selector};

use super::*;
use crate::document::{AuVector, ClipMotion, Crop, Document, Expression, MediaSource, PortraitRef};

fn project() -> Project {
    let portrait = PortraitRef {
        id: 0,
        name: "portrait.png".to_owned(),
        source: MediaSource::Bundled("portrait.png".to_owned()),
        width: 512,
        height: 512,
    };
    let crop = Crop::guess(512, 512).unwrap();
    let mut project = Project::new(Document::new(portrait, crop, AuVector::NEUTRAL));
    let source = MediaSource::File("b.mp4".into());
    project.add("Talking", MotionKind::Clip(ClipMotion::new(source)));
    project
}

const TRACK: MotionId = MotionId(1);
const CLIP: MotionId = MotionId(2);

/// The actions that follow from simulated input.
fn act(
    motions: &mut MotionList,
    project: &Project,
    states: &[(MotionId, MotionState)],
    hand: impl FnOnce(&mut Simulator<'_, Message>),
) -> Vec<Action> {
    let messages: Vec<_> = {
        let size = iced::Size::new(272.0, 400.0);
        let mut window = Simulator::with_size(
            iced::Settings::default(),
            size,
            motions.view(project, states),
        );
        hand(&mut window);
        window.into_messages().collect()
    };
    let all = messages.into_iter().map(|message| motions.update(message));
    all.filter(|action| *action != Action::None).collect()
}

fn press(project: &Project, button: &str, id: MotionId) -> Vec<Action> {
    act(&mut MotionList::default(), project, &[], |window| {
        window.click(selector::id(tool_id(button, id))).unwrap();
    })
}

#[test]
fn a_click_selects_a_motion_and_a_double_click_renames_it() {
    let project = project();
    let mut motions = MotionList::default();
    let did = act(&mut motions, &project, &[], |window| {
        window.click("Expression 1").unwrap();
    });
    assert_eq!(did, [Action::Choose(TRACK)]);
    let did = act(&mut motions, &project, &[], |window| {
        window.click("Expression 1").unwrap();
        window.click("Expression 1").unwrap();
    });
    let choose = Action::Choose(TRACK);
    assert_eq!(did, [choose.clone(), choose, Action::Focus(NAME)]);
}

#[test]
fn a_typed_name_is_applied_and_an_empty_one_keeps_the_old_name() {
    let mut project = project();
    let mut motions = MotionList::default();
    let did = act(&mut motions, &project, &[], |window| {
        window.click(selector::id(tool_id("rename", CLIP))).unwrap();
    });
    assert_eq!(did, [Action::Focus(NAME)]);
    let did = act(&mut motions, &project, &[], |window| {
        window.click(selector::id(NAME)).unwrap();
        window.typewrite("!");
    });
    let [Action::Rename(CLIP, name)] = &did[..] else {
        panic!("{did:?}")
    };
    assert_eq!((name.len(), name.contains('!')), (8, true));
    project.rename(CLIP, name);
    let empty = motions.update(Message::Typed("  ".to_owned()));
    assert_eq!(empty, Action::Rename(CLIP, "Talking".to_owned()));
    assert_eq!(motions.update(Message::Submitted), Action::Leave);
    assert_eq!(motions.update(Message::Submitted), Action::None);
    assert_eq!(motions.update(Message::Typed("x".to_owned())), Action::None);
}

#[test]
fn escape_restores_the_name_before_the_edit() {
    let mut motions = MotionList::default();
    assert_eq!(motions.escape(), None);
    motions.update(Message::Rename(CLIP, "Talking".to_owned()));
    motions.update(Message::Typed("Walk".to_owned()));
    let back = Action::Rename(CLIP, "Talking".to_owned());
    assert_eq!(motions.escape(), Some(back));
    motions.update(Message::AddToggled);
    assert_eq!(motions.escape(), Some(Action::None));
    assert!(!motions.adding);
}

#[test]
fn every_entry_of_the_add_menu_sends_its_message() {
    let project = project();
    for kind in NewMotion::ALL {
        let mut motions = MotionList::default();
        act(&mut motions, &project, &[], |window| {
            assert!(window.find(strings::SAMPLE_CLIP).is_err());
            window.click(strings::ADD).unwrap();
        });
        let did = act(&mut motions, &project, &[], |window| {
            window.click(kind.title()).unwrap();
        });
        assert_eq!(did, [Action::Add(kind)]);
        assert!(!motions.adding);
    }
}

#[test]
fn the_last_expression_track_cannot_be_removed() {
    let mut project = project();
    assert_eq!(press(&project, "remove", CLIP), [Action::Remove(CLIP)]);
    assert_eq!(
        press(&project, "duplicate", CLIP),
        [Action::Duplicate(CLIP)]
    );
    project.choose(TRACK);
    assert!(!press(&project, "remove", TRACK).contains(&Action::Remove(TRACK)));
    let track = MotionKind::Track(Expression::of(project.document()));
    project.add("Another", track);
    project.choose(TRACK);
    assert_eq!(press(&project, "remove", TRACK), [Action::Remove(TRACK)]);
}

#[test]
fn the_buttons_of_a_row_appear_while_the_cursor_is_over_it() {
    let project = project();
    let mut motions = MotionList::default();
    let has_tools = |motions: &mut MotionList| {
        let mut found = false;
        act(motions, &project, &[], |window| {
            found = window.find(selector::id(tool_id("rename", TRACK))).is_ok();
        });
        found
    };
    assert!(!has_tools(&mut motions));
    motions.update(Message::Entered(TRACK));
    assert!(has_tools(&mut motions));
    motions.update(Message::Left(CLIP));
    assert!(has_tools(&mut motions));
    motions.update(Message::Left(TRACK));
    assert!(!has_tools(&mut motions));
}

#[test]
fn each_state_of_a_motion_shows_its_label_and_its_action() {
    let project = project();
    let seen = |state: Option<MotionState>, word: &str| {
        let states: Vec<_> = state.into_iter().map(|state| (CLIP, state)).collect();
        act(&mut MotionList::default(), &project, &states, |window| {
            window.click(word).unwrap();
        })
    };
    let progress = Progress::new(200);
    (0..87).for_each(|_| progress.step());
    let reading = MotionState::Reading(progress);
    let choose = [Action::Choose(CLIP)];
    assert_eq!(seen(Some(reading.clone()), "Reading… 43%"), choose);
    assert_eq!(
        seen(Some(reading), common::CANCEL),
        [Action::CancelReading(CLIP)]
    );
    let unknown = MotionState::Reading(Progress::new(0));
    assert_eq!(seen(Some(unknown), strings::READING), choose);
    let missing = MotionState::Missing("b.mp4".to_owned());
    assert_eq!(seen(Some(missing.clone()), "b.mp4 is missing"), choose);
    assert_eq!(seen(Some(missing), common::LOCATE), [Action::Locate(CLIP)]);
    let problem = MotionState::Problem("no face found".to_owned());
    assert_eq!(seen(Some(problem), "no face found"), choose);
    let ready = MotionState::Ready {
        frames: 48,
        fps: 23.976,
    };
    assert_eq!(seen(Some(ready), "48 frames, 23.976 fps"), choose);
    assert_eq!(seen(None, strings::NOT_READ), choose);
}
