//! The available methods: menus, `mien compare`, caches and exports are derived from this list.

use crate::document::{MethodChoice, MethodId, PaneSpec, PaneView};
use crate::methods::{DrivenBy, MethodInfo, fomm, ganimation, rig, tps};

/// The methods that come with the program, in the order in which menus list them.
pub static BUILT_IN: [&MethodInfo; 4] = [
    &rig::method::INFO,
    &ganimation::session::INFO,
    &fomm::method::INFO,
    &tps::method::INFO,
];

/// The method that renders expressions for the picture-driven methods: that of [`MethodChoice::of_expressions`].
pub fn default_expression_method(has_face: bool) -> &'static MethodInfo {
    if MethodChoice::of_expressions(has_face) == MethodChoice::RIG {
        &rig::method::INFO
    } else {
        &ganimation::session::INFO
    }
}

/// A list of methods to choose from.
#[derive(Debug, Clone)]
pub struct Registry(Vec<&'static MethodInfo>);

impl Default for Registry {
    fn default() -> Self {
        Self(BUILT_IN.to_vec())
    }
}

impl Registry {
    /// Adds a method.
    pub fn with(mut self, info: &'static MethodInfo) -> Self {
        self.0.push(info);
        self
    }

    /// The registered methods, in the order of menus.
    pub fn methods(&self) -> &[&'static MethodInfo] {
        &self.0
    }

    /// Looks up a method by its id.
    pub fn get(&self, id: MethodId) -> Option<&'static MethodInfo> {
        self.0.iter().copied().find(|info| info.id == id)
    }

    /// Everything that can fill a pane, in menu order.
    pub fn choices(&self) -> Vec<MethodChoice> {
        let methods = self.0.iter().flat_map(|info| {
            let one = info.modes.is_empty().then_some(None);
            let modes = info.modes.iter().copied().map(Some);
            one.into_iter()
                .chain(modes)
                .map(|mode| MethodChoice::Method(info.id, mode))
        });
        [MethodChoice::Source, MethodChoice::Motion]
            .into_iter()
            .chain(methods)
            .collect()
    }

    /// The views that a choice offers, the result first.
    pub fn views(&self, choice: MethodChoice) -> &'static [PaneView] {
        choice
            .id()
            .and_then(|id| self.get(id))
            .map_or(&[PaneView::Result], |info| info.views)
    }

    /// Whether the choice is a picture-driven method, which can also move a portrait that the rig has given an
    /// expression.
    pub fn follows_pictures(&self, choice: MethodChoice) -> bool {
        let info = choice.id().and_then(|id| self.get(id));
        info.is_some_and(|info| info.driven_by == DrivenBy::Picture)
    }

    /// The method that renders a choice's expressions: itself, or the one that renders the driving pictures.
    pub fn expression_method(
        &self,
        choice: MethodChoice,
        has_face: bool,
    ) -> Option<&'static MethodInfo> {
        match choice {
            MethodChoice::Source => None,
            MethodChoice::Motion => Some(default_expression_method(has_face)),
            MethodChoice::Method(id, _) => {
                let info = self.get(id)?;
                Some(match info.driven_by {
                    DrivenBy::Expression => info,
                    DrivenBy::Picture => default_expression_method(has_face),
                })
            }
        }
    }

    /// The pane with another choice. Its view is kept if the new choice has it, else becomes the result.
    pub fn with_method(&self, pane: PaneSpec, method: MethodChoice) -> PaneSpec {
        let view = Some(pane.view).filter(|view| self.views(method).contains(view));
        PaneSpec {
            method,
            view: view.unwrap_or_default(),
            expression_by_rig: pane.expression_by_rig && self.follows_pictures(method),
            ..pane
        }
    }

    /// The name of a choice in menus and labels, such as "FOMM relative".
    pub fn title(&self, choice: MethodChoice) -> String {
        match choice {
            MethodChoice::Source => "Source".to_owned(),
            MethodChoice::Motion => "Driving motion".to_owned(),
            MethodChoice::Method(id, mode) => {
                let name = match self.get(id) {
                    Some(info) => info.title,
                    None => id.as_str(),
                };
                match mode {
                    None => name.to_owned(),
                    Some(mode) => format!("{name} {}", mode.key()),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::Mode;

    #[test]
    fn the_choices_list_every_method_in_every_mode() {
        let registry = Registry::default();
        let titles: Vec<String> = registry
            .choices()
            .into_iter()
            .map(|choice| registry.title(choice))
            .collect();
        assert_eq!(
            titles,
            [
                "Source",
                "Driving motion",
                "Rig",
                "GANimation",
                "FOMM relative",
                "FOMM standard",
                "TPS relative",
                "TPS standard",
                "TPS avd"
            ]
        );
        let avd = MethodChoice::in_mode("tps", Mode::Avd);
        assert!(registry.views(avd).contains(&PaneView::Contributions));
        for choice in registry.choices() {
            let views = registry.views(choice);
            let draws_layers = choice == MethodChoice::RIG;
            assert_eq!(views.contains(&PaneView::Layers), draws_layers);
        }
        let drawing = |choice, face| {
            registry
                .expression_method(choice, face)
                .map(|info| info.title)
        };
        assert_eq!(drawing(MethodChoice::GANIMATION, true), Some("GANimation"));
        assert_eq!(
            drawing(avd, false),
            Some("GANimation"),
            "it renders what drives TPS"
        );
        assert_eq!(drawing(avd, true), Some("Rig"));
        assert_eq!(drawing(MethodChoice::Source, true), None);
        let unknown = MethodChoice::method("unknown");
        assert_eq!(registry.views(unknown), [PaneView::Result]);
        assert_eq!(registry.title(unknown), "unknown");
    }
}
