//! Projects, portraits, weights and dialogs.

use std::path::Path;
use std::sync::Arc;

use super::{act, app, asked, drag, escape, press, sample, simulator, unit};
use iced::keyboard::Modifiers;
use iced_test::selector;
use mien::app::{App, Message};
use mien::document::Pose;
use mien::face::portrait::Portrait;
use mien::media::encode::save_png;
use mien::methods::ganimation::model::Model;
use mien::methods::models::Models;
use mien::weights::Bundled;

#[test]
fn discarding_changes_needs_confirmation_and_the_menu_lists_the_shortcuts() {
    let mut app = app();
    drag(&mut app, unit(4).into(), 0.0, 0.6);
    press(&mut app, "n", Modifiers::CTRL);
    assert!(simulator(app.view()).find("Save the changes?").is_ok());
    act(&mut app, |window| {
        window.click("Don't save").unwrap();
    });
    assert!(simulator(app.view()).find("Save the changes?").is_err());
    assert_eq!(app.document().base_pose, Pose::from(app.document().source));
    press(&mut app, "?", Modifiers::SHIFT);
    assert!(simulator(app.view()).find("Shortcuts").is_ok());
    drop(app.update(Message::Keyboard(escape())));
    assert!(simulator(app.view()).find("Shortcuts").is_err());
}

#[test]
fn embedding_media_is_a_project_option_that_undo_keeps() {
    let mut app = app();
    drag(&mut app, unit(4).into(), 0.0, 0.6);
    act(&mut app, |window| {
        window.click("Project").unwrap();
    });
    assert!(!app.project().holds_media());
    act(&mut app, |window| {
        window.click(selector::id("holds-media")).unwrap();
    });
    assert!(app.project().holds_media());
    drop(app.update(Message::Keyboard(escape())));
    press(&mut app, "z", Modifiers::CTRL);
    assert!(app.project().holds_media());
    assert_eq!(app.document().base_pose, Pose::from(app.document().source));
}

#[test]
fn recent_portraits_are_in_the_menu_and_open_on_one_click() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = app();
    let model = Model::bundled().unwrap();
    for name in ["ada.png", "gone.png"] {
        let path = folder.path().join(name);
        save_png(&path, &sample(0).picture).unwrap();
        let portrait = Portrait::open(&path, model.crop()).unwrap();
        drop(app.update(Message::Opened(Ok(Arc::new(portrait)))));
    }
    std::fs::remove_file(folder.path().join("gone.png")).unwrap();
    act(&mut app, |window| {
        window.click("Project").unwrap();
    });
    let mut window = simulator(app.view());
    assert!(window.find("Not found").is_ok());
    window.click("gone.png").unwrap();
    assert_eq!(window.into_messages().count(), 0, "it isn't there");
    act(&mut app, |window| {
        window.click("ada.png").unwrap();
    });
    let mut window = simulator(app.view());
    assert!(window.find("Recent portraits").is_err() && window.find("Opening…").is_ok());
}

#[test]
fn other_weights_are_chosen_next_to_their_model_card_and_the_result_is_reported() {
    let mut app = app();
    act(&mut app, |window| {
        window.click("ganimation-128").unwrap();
    });
    act(&mut app, |window| {
        assert!(window.find("Weights").is_ok());
        window.click("TPS").unwrap();
        window.click("MoCoGAN").unwrap();
    });
    assert!(simulator(app.view()).find("Weights").is_ok());
    drop(app.update(Message::Keyboard(escape())));
    let models = Models::new(Arc::new(Model::bundled().unwrap()));
    let other = models.with(Bundled::Tps, Path::new("tps-128")).unwrap();
    let name = "tps-128".to_owned();
    drop(app.update(Message::Weights(
        Bundled::Tps,
        name.clone(),
        Ok(Arc::new(other)),
    )));
    assert!(simulator(app.view()).find("TPS now uses tps-128.").is_ok());
    let problem = "The weights are gone.".to_owned();
    drop(app.update(Message::Weights(Bundled::Tps, name, Err(problem.clone()))));
    assert!(simulator(app.view()).find(problem.as_str()).is_ok());
}

#[test]
fn opening_another_portrait_can_be_undone() {
    let mut app = app();
    let first = app.document().clone();
    drop(app.update(Message::Opened(Ok(sample(1)))));
    assert_eq!(app.document().portrait.name, "grace_hopper.jpg");
    assert_eq!(asked(&app).subject.picture.size(), (512, 600));
    drop(app.update(Message::Undo));
    assert_eq!(*app.document(), first);
    assert_eq!(asked(&app).subject.picture.size(), (512, 512));
}

#[test]
fn portrait_ids_are_never_reused() {
    let mut app = app();
    let open = |app: &mut App| {
        drop(app.update(Message::Opened(Ok(sample(1)))));
        asked(app).subject.id
    };
    let first = open(&mut app);
    drop(app.update(Message::Undo));
    // An edit clears the redo history, and undoing it releases the portrait that is no longer referenced.
    act(&mut app, |window| {
        window.click("Sad").unwrap();
    });
    drop(app.update(Message::Undo));
    assert_ne!(open(&mut app), first);
}

#[test]
fn a_file_that_cannot_be_opened_is_reported_and_changes_nothing() {
    let mut app = app();
    act(&mut app, |window| {
        window.click("Happy").unwrap();
    });
    let before = app.document().clone();
    let problem = "notes.txt is not a picture that Mien can read.".to_owned();
    drop(app.update(Message::Opened(Err(problem.clone()))));
    assert_eq!(*app.document(), before);
    let mut window = simulator(app.view());
    assert!(window.find(problem.as_str()).is_ok());
}

#[test]
fn the_export_dialog_opens_and_escape_closes_it() {
    let mut app = app();
    act(&mut app, |window| {
        window.click("Export…").unwrap();
    });
    let shown = |app: &App| simulator(app.view()).find("PNG sequence").is_ok();
    assert!(shown(&app));
    drop(app.update(Message::Keyboard(escape())));
    assert!(!shown(&app));
}

#[test]
fn clicking_the_name_of_the_weights_shows_their_model_card() {
    let mut app = app();
    let shown = |app: &App, words: &str| simulator(app.view()).find(words).is_ok();
    assert!(!shown(&app, "Where it falls short"));
    act(&mut app, |window| {
        window.click("ganimation-128").unwrap();
    });
    assert!(shown(&app, "Where it falls short"));
    act(&mut app, |window| {
        window.click("Face Landmarker").unwrap();
    });
    assert!(shown(&app, "A full profile is not found."));
    assert!(!shown(&app, "Where it falls short"));
    // A dialog blocks all other input.
    press(&mut app, "k", Modifiers::empty());
    assert!(app.document().track.is_empty());
    drop(app.update(Message::Keyboard(escape())));
    assert!(!shown(&app, "A full profile is not found."));
}
