//! The dark and light themes: greys and one accent, so that the pictures have the only other colours.

use iced::theme::Palette;
use iced::widget::{button, container, pick_list, scrollable, text_input};
use iced::{Background, Border, Color, Font, Theme, border, color};

/// The colours of one theme.
#[derive(Debug, PartialEq)]
pub struct Colors {
    /// The background of the pictures.
    pub ground: Color,
    /// The background of the controls.
    pub panel: Color,
    /// The background of buttons.
    pub raised: Color,
    /// Lines, and the background of hovered items.
    pub line: Color,
    pub text: Color,
    /// Running text, dimmer than emphasised words.
    pub body: Color,
    /// Secondary text.
    pub dim: Color,
    /// Tertiary text: hints and disabled items.
    pub faint: Color,
    pub accent: Color,
    pub danger: Color,
}

const DARK: Colors = Colors {
    ground: color!(0x131416),
    panel: color!(0x1b1d20),
    raised: color!(0x272a2f),
    line: color!(0x3a3e45),
    text: color!(0xe4e5e7),
    body: color!(0xc4c7cc),
    dim: color!(0x9096a0),
    faint: color!(0x5c626c),
    accent: color!(0x63c1d6),
    danger: color!(0xf0806a),
};

const BRIGHT: Colors = Colors {
    ground: color!(0xd9dbdf),
    panel: color!(0xeeeff1),
    raised: color!(0xdfe1e5),
    line: color!(0xbfc3ca),
    text: color!(0x1c1e22),
    body: color!(0x3b3f46),
    dim: color!(0x5a606b),
    faint: color!(0x8b919c),
    accent: color!(0x14788f),
    danger: color!(0xb53a22),
};

/// The colours that go with an iced theme.
pub fn colors(theme: &Theme) -> &'static Colors {
    if theme.extended_palette().is_dark {
        &DARK
    } else {
        &BRIGHT
    }
}

/// The style of a text, such as [`dim`].
pub type TextStyle = fn(&Theme) -> iced::widget::text::Style;

/// Picks an icon's colour from the theme's.
pub type Tint = fn(&Colors) -> Color;

fn text_style(color: Color) -> iced::widget::text::Style {
    iced::widget::text::Style { color: Some(color) }
}

/// Text of the ordinary colour, also where the parent has another.
pub fn text(theme: &Theme) -> iced::widget::text::Style {
    text_style(colors(theme).text)
}

/// Secondary text.
pub fn dim(theme: &Theme) -> iced::widget::text::Style {
    text_style(colors(theme).dim)
}

/// Tertiary text: hints and disabled items.
pub fn faint(theme: &Theme) -> iced::widget::text::Style {
    text_style(colors(theme).faint)
}

/// Highlighted text.
pub fn accent(theme: &Theme) -> iced::widget::text::Style {
    text_style(colors(theme).accent)
}

/// Text about a problem.
pub fn danger(theme: &Theme) -> iced::widget::text::Style {
    text_style(colors(theme).danger)
}

/// Text sizes, in logical pixels.
pub const SMALL: f32 = 12.0;
pub const NORMAL: f32 = 13.0;
pub const LARGE: f32 = 16.0;

/// The space between related items, and between groups.
pub const GAP: f32 = 6.0;
pub const SPACE: f32 = 14.0;

/// Tabular figures: nothing moves when a value changes.
pub const FIGURES: Font = Font::with_name("Fira Code");

/// The font of everything else, built into iced.
pub const WORDS: Font = Font::with_name("Fira Sans");

pub use crate::render::lettering::FIGURES_FILE;

/// The iced theme, light or dark.
pub fn theme(light: bool) -> Theme {
    let (name, colors) = if light {
        ("Mien light", &BRIGHT)
    } else {
        ("Mien dark", &DARK)
    };
    Theme::custom(
        name,
        Palette {
            background: colors.ground,
            text: colors.text,
            primary: colors.accent,
            success: colors.accent,
            warning: colors.danger,
            danger: colors.danger,
        },
    )
}

pub fn panel(theme: &Theme) -> container::Style {
    container::Style {
        background: Some(colors(theme).panel.into()),
        ..container::Style::default()
    }
}

pub fn card(theme: &Theme) -> container::Style {
    let colors = colors(theme);
    container::Style {
        background: Some(colors.panel.into()),
        border: border::rounded(10).color(colors.line).width(1),
        ..container::Style::default()
    }
}

pub fn tip(theme: &Theme) -> container::Style {
    let colors = colors(theme);
    container::Style {
        background: Some(colors.raised.into()),
        border: border::rounded(5).color(colors.line).width(1),
        text_color: Some(colors.text),
        ..container::Style::default()
    }
}

/// A thin separator between rows.
pub fn line(theme: &Theme) -> container::Style {
    container::Style {
        background: Some(colors(theme).line.scale_alpha(0.6).into()),
        ..container::Style::default()
    }
}

pub fn shade(_: &Theme) -> container::Style {
    container::Style {
        background: Some(Color::BLACK.scale_alpha(0.6).into()),
        ..container::Style::default()
    }
}

fn button_style(
    colors: &Colors,
    status: button::Status,
    rest: Option<Color>,
    text: Color,
) -> button::Style {
    let background = match status {
        button::Status::Hovered => Some(colors.line),
        button::Status::Pressed => Some(colors.faint),
        button::Status::Active | button::Status::Disabled => rest,
    };
    button::Style {
        background: background.map(Background::Color),
        text_color: match status {
            button::Status::Disabled => colors.faint,
            _ => text,
        },
        border: border::rounded(5),
        ..button::Style::default()
    }
}

/// An ordinary button.
pub fn raised(theme: &Theme, status: button::Status) -> button::Style {
    let colors = colors(theme);
    button_style(colors, status, Some(colors.raised), colors.text)
}

/// A button with a background only while hovered.
pub fn flat(theme: &Theme, status: button::Status) -> button::Style {
    let colors = colors(theme);
    button_style(colors, status, None, colors.text)
}

/// A button that is highlighted while `on`.
pub fn toggled(on: bool) -> impl Fn(&Theme, button::Status) -> button::Style {
    move |theme, status| {
        if on {
            let colors = colors(theme);
            button::Style {
                border: border::rounded(5).color(colors.accent).width(1),
                ..button_style(colors, status, Some(colors.raised), colors.accent)
            }
        } else {
            raised(theme, status)
        }
    }
}

/// The primary button of a dialog.
pub fn primary(theme: &Theme, status: button::Status) -> button::Style {
    let colors = colors(theme);
    let background = match status {
        button::Status::Hovered => mix(colors.accent, Color::WHITE, 0.15),
        button::Status::Pressed => mix(colors.accent, Color::BLACK, 0.15),
        button::Status::Active => colors.accent,
        button::Status::Disabled => colors.raised,
    };
    button::Style {
        background: Some(background.into()),
        text_color: match status {
            button::Status::Disabled => colors.faint,
            _ => colors.ground,
        },
        border: border::rounded(5),
        ..button::Style::default()
    }
}

pub fn field(theme: &Theme, status: text_input::Status) -> text_input::Style {
    let colors = colors(theme);
    let edge = match status {
        text_input::Status::Focused { .. } => colors.accent,
        text_input::Status::Hovered => colors.line,
        text_input::Status::Active | text_input::Status::Disabled => Color::TRANSPARENT,
    };
    text_input::Style {
        background: colors.raised.into(),
        border: border::rounded(4).color(edge).width(1),
        placeholder: colors.faint,
        value: colors.text,
        ..text_input::default(theme, status)
    }
}

/// A pick list whose `index`th item is chosen.
///
/// Each index gets a background that differs invisibly: the software renderer repaints a changed text only in part, but a
/// changed background in full.
pub fn choice(index: usize) -> impl Fn(&Theme, pick_list::Status) -> pick_list::Style {
    move |theme, status| pick_list::Style {
        background: colors(theme)
            .raised
            .scale_alpha(1.0 - index as f32 * 1e-4)
            .into(),
        ..choice_style(theme, status)
    }
}

fn choice_style(theme: &Theme, status: pick_list::Status) -> pick_list::Style {
    let colors = colors(theme);
    let edge = match status {
        pick_list::Status::Opened { .. } => colors.accent,
        pick_list::Status::Hovered => colors.line,
        pick_list::Status::Active => Color::TRANSPARENT,
    };
    pick_list::Style {
        text_color: colors.text,
        handle_color: colors.dim,
        background: colors.raised.into(),
        border: border::rounded(5).color(edge).width(1),
        ..pick_list::default(theme, status)
    }
}

/// A scrollable with an inconspicuous bar.
pub fn scroll(theme: &Theme, status: scrollable::Status) -> scrollable::Style {
    let mut style = scrollable::default(theme, status);
    style.vertical_rail.background = None;
    style.vertical_rail.border = Border::default();
    style.vertical_rail.scroller.background = colors(theme).line.into();
    style
}

/// `(1 - t) * a + t * b`.
pub fn mix(a: Color, b: Color, t: f32) -> Color {
    Color {
        r: a.r + (b.r - a.r) * t,
        g: a.g + (b.g - a.g) * t,
        b: a.b + (b.b - a.b) * t,
        a: a.a + (b.a - a.a) * t,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_theme_has_its_own_colours() {
        assert_eq!(colors(&theme(false)), &DARK);
        assert_eq!(colors(&theme(true)), &BRIGHT);
        assert_eq!(dim(&theme(true)).color, Some(BRIGHT.dim));
    }
}
