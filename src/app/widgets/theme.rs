//! The dark and light themes: greys and one accent, so that the pictures have the only other colours.

use std::sync::atomic::{AtomicBool, Ordering};

use iced::theme::Palette;
use iced::widget::{button, container, pick_list, scrollable, text_input};
use iced::{Background, Border, Color, Font, Theme, border, color};

/// Whether the theme is light. A global, because drawings on a canvas need the colours too.
static LIGHT: AtomicBool = AtomicBool::new(false);

/// Held by tests that change or picture the theme, because it is global.
#[cfg(test)]
pub static ONE_AT_A_TIME: std::sync::Mutex<()> = std::sync::Mutex::new(());

/// Whether the theme is light.
pub fn is_light() -> bool {
    LIGHT.load(Ordering::Relaxed)
}

/// Makes the theme light or dark.
pub fn set_light(light: bool) {
    LIGHT.store(light, Ordering::Relaxed);
}

/// The colours of one theme.
struct Colors {
    ground: Color,
    panel: Color,
    raised: Color,
    line: Color,
    text: Color,
    dim: Color,
    faint: Color,
    accent: Color,
    danger: Color,
}

const DARK: Colors = Colors {
    ground: color!(0x131416),
    panel: color!(0x1b1d20),
    raised: color!(0x272a2f),
    line: color!(0x3a3e45),
    text: color!(0xe4e5e7),
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
    dim: color!(0x5a606b),
    faint: color!(0x8b919c),
    accent: color!(0x14788f),
    danger: color!(0xb53a22),
};

fn colors() -> &'static Colors {
    if is_light() { &BRIGHT } else { &DARK }
}

/// The background of the pictures.
pub fn ground() -> Color {
    colors().ground
}

/// The background of the controls.
pub fn panel_color() -> Color {
    colors().panel
}

/// The background of buttons.
pub fn raised_color() -> Color {
    colors().raised
}

/// Lines, and the background of hovered items.
pub fn line_color() -> Color {
    colors().line
}

pub fn text() -> Color {
    colors().text
}

/// Secondary text.
pub fn dim() -> Color {
    colors().dim
}

/// Tertiary text: hints and disabled items.
pub fn faint() -> Color {
    colors().faint
}

/// The accent colour.
pub fn accent() -> Color {
    colors().accent
}

pub fn danger() -> Color {
    colors().danger
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

/// The iced theme.
pub fn theme() -> Theme {
    Theme::custom(
        if is_light() {
            "Mien light"
        } else {
            "Mien dark"
        },
        Palette {
            background: ground(),
            text: text(),
            primary: accent(),
            success: accent(),
            warning: danger(),
            danger: danger(),
        },
    )
}

pub fn panel(_: &Theme) -> container::Style {
    container::Style {
        background: Some(panel_color().into()),
        ..container::Style::default()
    }
}

pub fn card(_: &Theme) -> container::Style {
    container::Style {
        background: Some(panel_color().into()),
        border: border::rounded(10).color(line_color()).width(1),
        ..container::Style::default()
    }
}

pub fn tip(_: &Theme) -> container::Style {
    container::Style {
        background: Some(raised_color().into()),
        border: border::rounded(5).color(line_color()).width(1),
        text_color: Some(text()),
        ..container::Style::default()
    }
}

/// A thin separator between rows.
pub fn line(_: &Theme) -> container::Style {
    container::Style {
        background: Some(line_color().scale_alpha(0.6).into()),
        ..container::Style::default()
    }
}

pub fn shade(_: &Theme) -> container::Style {
    container::Style {
        background: Some(Color::BLACK.scale_alpha(0.6).into()),
        ..container::Style::default()
    }
}

fn button_style(status: button::Status, rest: Option<Color>, text: Color) -> button::Style {
    let background = match status {
        button::Status::Hovered => Some(line_color()),
        button::Status::Pressed => Some(faint()),
        button::Status::Active | button::Status::Disabled => rest,
    };
    button::Style {
        background: background.map(Background::Color),
        text_color: match status {
            button::Status::Disabled => faint(),
            _ => text,
        },
        border: border::rounded(5),
        ..button::Style::default()
    }
}

/// An ordinary button.
pub fn raised(_: &Theme, status: button::Status) -> button::Style {
    button_style(status, Some(raised_color()), text())
}

/// A button with a background only while hovered.
pub fn flat(_: &Theme, status: button::Status) -> button::Style {
    button_style(status, None, text())
}

/// A button that is highlighted while `on`.
pub fn toggled(on: bool) -> impl Fn(&Theme, button::Status) -> button::Style {
    move |theme, status| {
        if on {
            button::Style {
                border: border::rounded(5).color(accent()).width(1),
                ..button_style(status, Some(raised_color()), accent())
            }
        } else {
            raised(theme, status)
        }
    }
}

/// The primary button of a dialog.
pub fn primary(_: &Theme, status: button::Status) -> button::Style {
    let background = match status {
        button::Status::Hovered => mix(accent(), Color::WHITE, 0.15),
        button::Status::Pressed => mix(accent(), Color::BLACK, 0.15),
        button::Status::Active => accent(),
        button::Status::Disabled => raised_color(),
    };
    button::Style {
        background: Some(background.into()),
        text_color: match status {
            button::Status::Disabled => faint(),
            _ => ground(),
        },
        border: border::rounded(5),
        ..button::Style::default()
    }
}

pub fn field(theme: &Theme, status: text_input::Status) -> text_input::Style {
    let edge = match status {
        text_input::Status::Focused { .. } => accent(),
        text_input::Status::Hovered => line_color(),
        text_input::Status::Active | text_input::Status::Disabled => Color::TRANSPARENT,
    };
    text_input::Style {
        background: raised_color().into(),
        border: border::rounded(4).color(edge).width(1),
        placeholder: faint(),
        value: text(),
        ..text_input::default(theme, status)
    }
}

/// A pick list whose `index`th item is chosen.
///
/// Each index gets a background that differs invisibly: the software renderer repaints a changed text only in part, but a
/// changed background in full.
pub fn choice(index: usize) -> impl Fn(&Theme, pick_list::Status) -> pick_list::Style {
    move |theme, status| pick_list::Style {
        background: raised_color().scale_alpha(1.0 - index as f32 * 1e-4).into(),
        ..choice_style(theme, status)
    }
}

fn choice_style(theme: &Theme, status: pick_list::Status) -> pick_list::Style {
    let edge = match status {
        pick_list::Status::Opened { .. } => accent(),
        pick_list::Status::Hovered => line_color(),
        pick_list::Status::Active => Color::TRANSPARENT,
    };
    pick_list::Style {
        text_color: text(),
        handle_color: dim(),
        background: raised_color().into(),
        border: border::rounded(5).color(edge).width(1),
        ..pick_list::default(theme, status)
    }
}

/// A scrollable with an inconspicuous bar.
pub fn scroll(theme: &Theme, status: scrollable::Status) -> scrollable::Style {
    let mut style = scrollable::default(theme, status);
    style.vertical_rail.background = None;
    style.vertical_rail.border = Border::default();
    style.vertical_rail.scroller.background = line_color().into();
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
