//! The keyboard.

use iced::keyboard::key::{Named, Physical};
use iced::keyboard::{Event, Key, Modifiers};
use iced::{Task, keyboard};

use crate::app::projects::Question;
use crate::app::{App, Message, expression, panes, projects, timeline};

impl App {
    pub(super) fn handle_keyboard(&mut self, event: keyboard::Event) -> Task<Message> {
        match event {
            Event::KeyPressed {
                key,
                modified_key,
                physical_key,
                modifiers,
                repeat,
                ..
            } => {
                if key == Key::Named(Named::Escape) {
                    return self.escape();
                }
                let letter = letter(&key, physical_key);
                let asks = self.export.is_some()
                    || self.projects.waiting.is_some()
                    || self.projects.question.as_ref().is_some_and(Question::waits);
                if asks {
                    return Task::none();
                }
                if is_help(&key, &modified_key) {
                    return self.handle_project(projects::Message::Keys);
                }
                // A list covers the window, but saving and undo still work behind it.
                let listing = self.projects.question.is_some()
                    || self.queue.open
                    || self.motions.grid.is_open()
                    || self.cards.is_some();
                if listing {
                    return match shortcut(&key, letter, modifiers, repeat) {
                        Some(message) if is_harmless(&message) => self.handle(message),
                        _ => Task::none(),
                    };
                }
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
                if letter(&key, physical_key) == Some('s') {
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

/// Whether a message from the keyboard is allowed while a list covers the window.
fn is_harmless(message: &Message) -> bool {
    use projects::Message::{Save, SaveAs};
    matches!(
        message,
        Message::Undo | Message::Redo | Message::Project(Save | SaveAs)
    )
}

/// Whether a key opens the list of shortcuts: F1, or whatever types a question mark on this keyboard.
fn is_help(key: &Key, modified_key: &Key) -> bool {
    *key == Key::Named(Named::F1) || *modified_key == Key::Character("?".into())
}

/// The letter or digit of a key. Where the layout has another character there, the physical position decides: always for a
/// digit, because French and Czech layouts need Shift for it; for a letter only where the layout isn't Latin.
fn letter(key: &Key, physical_key: Physical) -> Option<char> {
    let latin = key.to_latin(physical_key)?.to_ascii_lowercase();
    if latin.is_ascii_alphanumeric() {
        return Some(latin);
    }
    // For a character that isn't Latin, iced falls back to the physical position.
    let greek = Key::Character("\u{3b1}".into());
    greek.to_latin(physical_key).filter(char::is_ascii_digit)
}

/// The message for a key, as `docs/keys.md` lists them.
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
    fn undo_and_redo_have_their_usual_shortcuts() {
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

    #[test]
    fn shortcuts_work_on_other_keyboard_layouts() {
        use iced::keyboard::key::Code;
        let at = |typed: &str, code| letter(&Key::Character(typed.into()), Physical::Code(code));
        // French and Czech digits are typed with Shift.
        assert_eq!(at("&", Code::Digit1), Some('1'));
        assert_eq!(at("ě", Code::Digit2), Some('2'));
        // On QWERTZ, Z is where Y is on QWERTY; a Latin letter counts as itself.
        assert_eq!(at("z", Code::KeyY), Some('z'));
        assert_eq!(at("Z", Code::KeyY), Some('z'));
        assert_eq!(at("ζ", Code::KeyZ), Some('z'));
        assert_eq!(at(",", Code::Comma), None);
        assert_eq!(at(",", Code::KeyM), None, "AZERTY has M elsewhere");
        let help = |key: &str, typed: &str| {
            is_help(&Key::Character(key.into()), &Key::Character(typed.into()))
        };
        assert!(help("/", "?") && help("ß", "?") && help(",", "?"));
        assert!(!help("/", "/"));
        assert!(is_help(&Key::Named(Named::F1), &Key::Named(Named::F1)));
    }
}
