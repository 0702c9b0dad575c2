//! The presets below the sliders: choosing, saving, renaming and deleting them.

use iced::widget::tooltip::Position;
use iced::widget::{Id, Row, button, column, container, row, space, text, text_input};
use iced::{Alignment, Element};

use crate::app::strings::common;
use crate::app::strings::expression::presets as strings;
use crate::app::widgets::controls::{action, hinted, toggle};
use crate::app::widgets::theme;
use crate::document::{Pose, Preset};

const NAME: &str = "preset-name";

#[derive(Debug, Default)]
pub struct Presets {
    built_in: Vec<Preset>,
    own: Vec<Preset>,
    naming: Option<Naming>,
    /// Whether the artist's presets are being renamed and deleted.
    changing: bool,
    /// The last deleted preset, for restoring it.
    deleted: Option<Preset>,
}

/// A name being typed.
#[derive(Debug)]
struct Naming {
    name: String,
    /// The preset to rename; `None` saves the sliders as a new preset.
    of: Option<Preset>,
    /// Whether another preset has this name, so that the artist is asked whether to replace it.
    taken: bool,
}

#[derive(Debug, Clone)]
pub enum Message {
    Chosen(Pose),
    /// Start naming a new preset made of the sliders.
    Name,
    /// Start renaming one of the artist's presets.
    Rename(Preset),
    Named(String),
    NamingCancelled,
    /// The name was entered.
    Keep,
    /// Replace the preset that has the name.
    Replace,
    Changing(bool),
    Delete(Preset),
    BringBack,
}

/// What the panel must do.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    None,
    Focus(Id),
    Choose(Pose),
    Store(Change),
}

/// A change of the artist's presets on the disk.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    Keep(Preset),
    /// Replaces the preset with the same name.
    Replace(Preset),
    Rename(Preset, String),
    Delete(Preset),
}

impl Presets {
    pub fn new(built_in: Vec<Preset>, own: Vec<Preset>) -> Self {
        Self {
            built_in,
            own,
            ..Self::default()
        }
    }

    /// All presets, the built-in ones first.
    pub fn all(&self) -> impl Iterator<Item = &Preset> {
        self.built_in.iter().chain(&self.own)
    }

    /// Updates the list after a change was made on the disk.
    pub fn stored(&mut self, change: Change) {
        self.naming = None;
        match change {
            Change::Keep(preset) | Change::Replace(preset) => {
                self.deleted = None;
                self.add(preset);
            }
            Change::Rename(preset, name) => {
                self.own.retain(|other| *other != preset);
                self.add(Preset { name, ..preset });
            }
            Change::Delete(preset) => {
                self.own.retain(|other| *other != preset);
                self.changing &= !self.own.is_empty();
                self.deleted = Some(preset);
            }
        }
    }

    fn add(&mut self, preset: Preset) {
        self.own.retain(|other| !is_named(other, &preset.name));
        self.own.push(preset);
        self.own.sort_by_key(|preset| preset.name.to_lowercase());
    }

    /// Cancels typing and editing; returns whether there was any.
    pub fn escape(&mut self) -> bool {
        self.naming.take().is_some() | std::mem::take(&mut self.changing)
    }

    /// `pose` is the expression the sliders show.
    pub fn update(&mut self, message: Message, pose: &Pose) -> Action {
        match message {
            Message::Chosen(pose) => return Action::Choose(pose),
            Message::Name => return self.name(None),
            Message::Rename(preset) => return self.name(Some(preset)),
            Message::Named(name) => {
                if let Some(naming) = &mut self.naming {
                    naming.name = name;
                    naming.taken = false;
                }
            }
            Message::NamingCancelled => self.naming = None,
            Message::Keep => return self.keep(pose, false),
            Message::Replace => return self.keep(pose, true),
            Message::Changing(changing) => {
                self.changing = changing;
                self.naming = None;
            }
            Message::Delete(preset) => return Action::Store(Change::Delete(preset)),
            Message::BringBack => {
                let deleted = self.deleted.clone();
                return deleted.map_or(Action::None, |preset| Action::Store(Change::Keep(preset)));
            }
        }
        Action::None
    }

    fn name(&mut self, of: Option<Preset>) -> Action {
        self.naming = Some(Naming {
            name: of.as_ref().map_or_else(String::new, |of| of.name.clone()),
            of,
            taken: false,
        });
        Action::Focus(NAME.into())
    }

    fn keep(&mut self, pose: &Pose, replace: bool) -> Action {
        let Some(naming) = &mut self.naming else {
            return Action::None;
        };
        let name = naming.name.trim().to_owned();
        if name.is_empty() {
            return Action::None;
        }
        if let Some(preset) = &naming.of {
            return Action::Store(Change::Rename(preset.clone(), name));
        }
        let preset = Preset {
            // A preset must suit every face and every method.
            pose: pose.clamped_to_usual().facing_as_portrait(),
            name,
        };
        let taken = self.own.iter().any(|own| is_named(own, &preset.name));
        if taken && !replace {
            naming.taken = true;
            return Action::None;
        }
        Action::Store(match taken {
            true => Change::Replace(preset),
            false => Change::Keep(preset),
        })
    }

    pub fn view(&self, pose: &Pose) -> Element<'_, Message> {
        let shown = pose.facing_as_portrait();
        let built_in = self.built_in.iter().map(|preset| chip(preset, &shown));
        let own = self.own.iter().map(|preset| match self.changing {
            true => changeable(preset),
            false => chip(preset, &shown),
        });
        let chips = Row::with_children(built_in.chain(own))
            .spacing(theme::GAP)
            .wrap()
            .vertical_spacing(theme::GAP);
        let head = match &self.naming {
            Some(naming) => naming.view(),
            None => self.head(),
        };
        let deleted = self.deleted.as_ref().map(|preset| {
            row![
                text(strings::deleted(&preset.name))
                    .size(theme::SMALL)
                    .style(theme::dim),
                action(strings::RESTORE, Some(Message::BringBack)),
            ]
            .spacing(theme::GAP)
            .align_y(Alignment::Center)
        });
        column![head, chips]
            .push(deleted)
            .spacing(theme::GAP)
            .padding([0.0, theme::SPACE])
            .into()
    }

    fn head(&self) -> Element<'_, Message> {
        let change = (!self.own.is_empty()).then(|| {
            hinted(
                toggle(
                    strings::EDIT,
                    self.changing,
                    Message::Changing(!self.changing),
                ),
                strings::EDIT_HINT,
                Position::Top,
            )
        });
        row![
            text(strings::TITLE).size(theme::SMALL).style(theme::dim),
            space::horizontal(),
        ]
        .push(change)
        .push(hinted(
            action(strings::SAVE, Some(Message::Name)),
            strings::SAVE_HINT,
            Position::Top,
        ))
        .spacing(theme::GAP)
        .align_y(Alignment::Center)
        .into()
    }
}

impl Naming {
    fn view(&self) -> Element<'_, Message> {
        let field = text_input(strings::NAME, &self.name)
            .id(NAME)
            .on_input(Message::Named)
            .on_submit(Message::Keep)
            .size(theme::NORMAL)
            .padding([4, 8])
            .style(theme::field);
        let keep = match (&self.of, self.taken) {
            (Some(_), _) => action(common::RENAME, Some(Message::Keep)),
            (None, true) => action(common::REPLACE, Some(Message::Replace)),
            (None, false) => action(strings::SAVE_NAMED, Some(Message::Keep)),
        };
        let taken = self
            .taken
            .then(|| text(strings::TAKEN).size(theme::SMALL).style(theme::danger));
        let line = row![
            field,
            keep,
            action(common::CANCEL, Some(Message::NamingCancelled)),
        ]
        .spacing(theme::GAP)
        .align_y(Alignment::Center);
        column![line].push(taken).spacing(theme::GAP).into()
    }
}

fn is_named(preset: &Preset, name: &str) -> bool {
    preset.name.to_lowercase() == name.to_lowercase()
}

fn chip<'a>(preset: &'a Preset, shown: &Pose) -> Element<'a, Message> {
    button(text(preset.name.as_str()).size(theme::SMALL))
        .on_press(Message::Chosen(preset.pose))
        .padding([4, 9])
        .style(theme::toggled(preset.pose == *shown))
        .into()
}

/// One of the artist's presets, with buttons to rename and delete it.
fn changeable(preset: &Preset) -> Element<'_, Message> {
    container(
        row![
            hinted(
                button(text(preset.name.as_str()).size(theme::SMALL))
                    .on_press(Message::Rename(preset.clone()))
                    .padding([3, 6])
                    .style(theme::flat),
                common::RENAME,
                Position::Top,
            ),
            hinted(
                button(text("×").size(theme::SMALL))
                    .on_press(Message::Delete(preset.clone()))
                    .padding([3, 6])
                    .style(theme::flat),
                strings::DELETE,
                Position::Top,
            ),
        ]
        .align_y(Alignment::Center),
    )
    .style(theme::card)
    .into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::{ActionUnit, Sides};

    fn wink() -> Pose {
        let lid = ActionUnit::from_code(45).unwrap();
        Pose::NEUTRAL.with(Sides::Left, lid, 1.0)
    }

    /// Saves the sliders under a name, up to the point where the artist would be asked.
    fn keep(presets: &mut Presets, name: &str) -> Action {
        presets.update(Message::Name, &wink());
        presets.update(Message::Named(name.to_owned()), &wink());
        presets.update(Message::Keep, &wink())
    }

    #[test]
    fn a_one_sided_expression_is_saved_as_a_one_sided_preset() {
        let mut presets = Presets::default();
        let Action::Store(change) = keep(&mut presets, " Wink ") else {
            panic!("nothing is kept");
        };
        let kept = Preset {
            name: "Wink".to_owned(),
            pose: wink(),
        };
        assert_eq!(change, Change::Keep(kept.clone()));
        presets.stored(change);
        assert_eq!(presets.all().collect::<Vec<_>>(), [&kept]);
        assert!(presets.naming.is_none());
    }

    #[test]
    fn a_preset_of_the_same_name_is_replaced_only_after_confirmation() {
        let old = Preset {
            name: "Wink".to_owned(),
            pose: Pose::NEUTRAL,
        };
        let mut presets = Presets::new(Vec::new(), vec![old.clone()]);
        assert_eq!(keep(&mut presets, "wink"), Action::None);
        assert!(presets.naming.as_ref().unwrap().taken);
        // A changed name is checked again.
        presets.update(Message::Named("wink".to_owned()), &wink());
        assert!(!presets.naming.as_ref().unwrap().taken);
        let Action::Store(change) = presets.update(Message::Replace, &wink()) else {
            panic!("nothing is kept");
        };
        assert!(matches!(&change, Change::Replace(preset) if preset.pose == wink()));
        presets.stored(change);
        assert_eq!(presets.own.len(), 1);
    }

    #[test]
    fn a_deleted_preset_can_be_brought_back() {
        let own = Preset {
            name: "Wink".to_owned(),
            pose: wink(),
        };
        let mut presets = Presets::new(Vec::new(), vec![own.clone()]);
        presets.stored(Change::Delete(own.clone()));
        assert_eq!(presets.all().count(), 0);
        let back = presets.update(Message::BringBack, &Pose::NEUTRAL);
        assert_eq!(back, Action::Store(Change::Keep(own.clone())));
        presets.stored(Change::Keep(own));
        assert_eq!(presets.all().count(), 1);
        assert!(presets.deleted.is_none());
    }
}
