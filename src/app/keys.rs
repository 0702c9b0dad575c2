//! The keyboard.

use iced::keyboard::{Event, Key, Modifiers, key::Named};
use iced::{Task, keyboard};

use crate::app::{App, Message, expression, panes, projects, timeline};

impl App {
    pub(super) fn handle_keyboard(&mut self, event: keyboard::Event) -> Task<Message> {
        match event {
            Event::KeyPressed {
                key,
                physical_key,
                modifiers,
                repeat,
                ..
            } => {
                if key == Key::Named(Named::Escape) {
                    return self.escape();
                }
                if key == Key::Character("?".into()) {
                    return self.handle_project(projects::Message::Keys);
                }
                // A dialog stands before everything else.
                if self.export.is_some()
                    || self.projects.question.is_some()
                    || self.projects.waiting.is_some()
                    || self.queue.open
                    || self.motions.grid.is_open()
                    || self.cards.is_some()
                {
                    return Task::none();
                }
                let letter = key.to_latin(physical_key);
                if letter == Some('t') && modifiers.is_empty() && !repeat {
                    let light = !self.projects.settings.light;
                    return self.handle_project(projects::Message::Light(light));
                }
                if letter == Some('s') && modifiers.is_empty() {
                    self.panes.holding = true;
                    return Task::none();
                }
                match shortcut(&key, letter, modifiers, repeat) {
                    Some(message) => self.handle(message),
                    None => Task::none(),
                }
            }
            Event::KeyReleased {
                key, physical_key, ..
            } => {
                if key.to_latin(physical_key) == Some('s') {
                    self.panes.holding = false;
                }
                Task::none()
            }
            Event::ModifiersChanged(_) => Task::none(),
        }
    }

    fn escape(&mut self) -> Task<Message> {
        let typing = self.expression.escape()
            | self.timeline.escape()
            | self.motions.reference.escape()
            | self.motions.list.escape().is_some();
        if !typing && self.projects.question.take().is_some() {
            return Task::none();
        }
        if !typing && self.export.is_some() {
            return self.handle(Message::Export(crate::app::export::Message::Cancel));
        }
        if !typing && self.queue.open {
            self.queue.open = false;
            return Task::none();
        }
        if !typing && self.motions.grid.escape() {
            return Task::none();
        }
        if !typing && self.cards.is_some() {
            return self.handle(Message::Card(crate::app::weights::card::Message::Close));
        }
        if !typing {
            self.timeline.deselect();
        }
        Task::none()
    }
}

/// What a key asks for, as the README lists it.
fn shortcut(
    key: &Key,
    letter: Option<char>,
    modifiers: Modifiers,
    repeat: bool,
) -> Option<Message> {
    let timeline = |message| Some(Message::Timeline(message));
    let panes = |message| Some(Message::Panes(message));
    let project = |message| Some(Message::Project(message));
    if modifiers.command() {
        return match letter? {
            'z' if modifiers.shift() => Some(Message::Redo),
            'z' => Some(Message::Undo),
            'y' => Some(Message::Redo),
            'o' if modifiers.shift() => project(projects::Message::OpenDialog),
            'o' => Some(Message::OpenDialog),
            's' if modifiers.shift() => project(projects::Message::SaveAs),
            's' => project(projects::Message::Save),
            'n' => project(projects::Message::New),
            'e' => Some(Message::ExportDialog),
            'a' => timeline(timeline::Message::SelectedAll),
            'c' => timeline(timeline::Message::Copied),
            'x' => timeline(timeline::Message::Cut),
            'v' => timeline(timeline::Message::Pasted),
            _ => None,
        };
    }
    match key {
        Key::Named(Named::ArrowLeft) => return timeline(timeline::Message::Step(-1)),
        Key::Named(Named::ArrowRight) => return timeline(timeline::Message::Step(1)),
        Key::Named(Named::Home) => return timeline(timeline::Message::ToStart),
        _ => {}
    }
    if repeat {
        return None;
    }
    match key {
        Key::Named(Named::Space) => return timeline(timeline::Message::PlayToggled),
        Key::Named(Named::Delete | Named::Backspace) => {
            return timeline(timeline::Message::KeyRemoved);
        }
        _ => {}
    }
    match letter? {
        'k' => timeline(timeline::Message::KeyAdded),
        'i' => timeline(timeline::Message::In),
        'o' => timeline(timeline::Message::Out),
        'w' => panes(panes::Message::WipeToggled),
        'a' => panes(panes::Message::AdjustToggled),
        'c' => panes(panes::Message::CropToggled),
        'f' => panes(panes::Message::Fit),
        'g' => panes(panes::Message::Face),
        'r' => Some(Message::Expression(expression::Message::ResetAll)),
        'l' => panes(panes::Message::LabelsToggled),
        'm' => Some(Message::MotionsToggled),
        'p' => panes(panes::Message::Add),
        digit @ '1'..='6' => panes(panes::Message::Solo(digit as usize - '1' as usize)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn undo_and_redo_have_their_keys() {
        let press = |letter: char, modifiers| {
            shortcut(
                &Key::Character(letter.to_string().into()),
                Some(letter),
                modifiers,
                false,
            )
        };
        let both = Modifiers::CTRL | Modifiers::SHIFT;
        assert!(matches!(press('z', Modifiers::CTRL), Some(Message::Undo)));
        assert!(matches!(press('z', both), Some(Message::Redo)));
        assert!(matches!(press('y', Modifiers::CTRL), Some(Message::Redo)));
        assert!(press('z', Modifiers::empty()).is_none());
        assert!(press('x', Modifiers::empty()).is_none());
    }
}
