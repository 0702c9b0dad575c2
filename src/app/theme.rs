//! How the studio looks: dark, quiet, one accent; the pictures are the only other colour.

use iced::theme::Palette;
use iced::widget::{button, container, pick_list, scrollable, text_input};
use iced::{Background, Border, Color, Font, Theme, border, color};

pub const GROUND: Color = color!(0x131416);
pub const PANEL: Color = color!(0x1b1d20);
pub const RAISED: Color = color!(0x272a2f);
pub const LINE: Color = color!(0x3a3e45);
pub const TEXT: Color = color!(0xe4e5e7);
pub const DIM: Color = color!(0x9096a0);
pub const FAINT: Color = color!(0x5c626c);
pub const ACCENT: Color = color!(0x63c1d6);
pub const DANGER: Color = color!(0xf0806a);

/// Text sizes, in logical pixels.
pub const SMALL: f32 = 12.0;
pub const NORMAL: f32 = 13.0;
pub const LARGE: f32 = 16.0;

/// The space between things that belong together, and between groups.
pub const GAP: f32 = 6.0;
pub const SPACE: f32 = 14.0;

/// Figures of equal width: nothing jumps when a value changes.
pub const FIGURES: Font = Font::with_name("Fira Code");

/// The font of everything else; iced carries it.
pub const WORDS: Font = Font::with_name("Fira Sans");

/// The figures' font file.
pub const FIGURES_FILE: &[u8] = include_bytes!("../../resources/fonts/FiraCode-Regular.ttf");

/// The studio's theme.
pub fn theme() -> Theme {
    Theme::custom(
        "Mien dark",
        Palette {
            background: GROUND,
            text: TEXT,
            primary: ACCENT,
            success: ACCENT,
            warning: DANGER,
            danger: DANGER,
        },
    )
}

pub fn panel(_: &Theme) -> container::Style {
    container::Style {
        background: Some(PANEL.into()),
        ..container::Style::default()
    }
}

pub fn card(_: &Theme) -> container::Style {
    container::Style {
        background: Some(PANEL.into()),
        border: border::rounded(10).color(LINE).width(1),
        ..container::Style::default()
    }
}

pub fn tip(_: &Theme) -> container::Style {
    container::Style {
        background: Some(RAISED.into()),
        border: border::rounded(5).color(LINE).width(1),
        text_color: Some(TEXT),
        ..container::Style::default()
    }
}

/// A thin line between rows.
pub fn line(_: &Theme) -> container::Style {
    container::Style {
        background: Some(LINE.scale_alpha(0.6).into()),
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
        button::Status::Hovered => Some(LINE),
        button::Status::Pressed => Some(FAINT),
        button::Status::Active | button::Status::Disabled => rest,
    };
    button::Style {
        background: background.map(Background::Color),
        text_color: match status {
            button::Status::Disabled => FAINT,
            _ => text,
        },
        border: border::rounded(5),
        ..button::Style::default()
    }
}

/// An ordinary button.
pub fn raised(_: &Theme, status: button::Status) -> button::Style {
    button_style(status, Some(RAISED), TEXT)
}

/// A button that shows itself only under the cursor.
pub fn flat(_: &Theme, status: button::Status) -> button::Style {
    button_style(status, None, TEXT)
}

/// A button that stays down while what it stands for is on.
pub fn toggled(on: bool) -> impl Fn(&Theme, button::Status) -> button::Style {
    move |theme, status| {
        if on {
            button::Style {
                border: border::rounded(5).color(ACCENT).width(1),
                ..button_style(status, Some(RAISED), ACCENT)
            }
        } else {
            raised(theme, status)
        }
    }
}

/// The one button of a dialog that does it.
pub fn primary(_: &Theme, status: button::Status) -> button::Style {
    let background = match status {
        button::Status::Hovered => mix(ACCENT, Color::WHITE, 0.15),
        button::Status::Pressed => mix(ACCENT, Color::BLACK, 0.15),
        button::Status::Active => ACCENT,
        button::Status::Disabled => RAISED,
    };
    button::Style {
        background: Some(background.into()),
        text_color: match status {
            button::Status::Disabled => FAINT,
            _ => GROUND,
        },
        border: border::rounded(5),
        ..button::Style::default()
    }
}

pub fn field(theme: &Theme, status: text_input::Status) -> text_input::Style {
    let edge = match status {
        text_input::Status::Focused { .. } => ACCENT,
        text_input::Status::Hovered => LINE,
        text_input::Status::Active | text_input::Status::Disabled => Color::TRANSPARENT,
    };
    text_input::Style {
        background: RAISED.into(),
        border: border::rounded(4).color(edge).width(1),
        placeholder: FAINT,
        value: TEXT,
        ..text_input::default(theme, status)
    }
}

/// A list to choose from, of which the `index`th is chosen.
///
/// Each choice has a background of its own, though no eye can tell: the software renderer repaints a changed text only
/// in part, a changed background whole.
pub fn choice(index: usize) -> impl Fn(&Theme, pick_list::Status) -> pick_list::Style {
    move |theme, status| pick_list::Style {
        background: RAISED.scale_alpha(1.0 - index as f32 * 1e-4).into(),
        ..choice_style(theme, status)
    }
}

fn choice_style(theme: &Theme, status: pick_list::Status) -> pick_list::Style {
    let edge = match status {
        pick_list::Status::Opened { .. } => ACCENT,
        pick_list::Status::Hovered => LINE,
        pick_list::Status::Active => Color::TRANSPARENT,
    };
    pick_list::Style {
        text_color: TEXT,
        handle_color: DIM,
        background: RAISED.into(),
        border: border::rounded(5).color(edge).width(1),
        ..pick_list::default(theme, status)
    }
}

/// A scrollable whose bar keeps quiet.
pub fn scroll(theme: &Theme, status: scrollable::Status) -> scrollable::Style {
    let mut style = scrollable::default(theme, status);
    style.vertical_rail.background = None;
    style.vertical_rail.border = Border::default();
    style.vertical_rail.scroller.background = LINE.into();
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
