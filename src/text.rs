//! Names and paths as they appear in messages. They also come from untrusted files: they must not send control
//! sequences to a terminal, imitate a line of Mien's own output, or fill the screen.

use std::path::Path;

/// The maximum number of characters of a name or a path.
const MAX_CHARACTERS: usize = 160;

/// Returns a text in one line: control characters, and marks that change the text direction, are escaped.
pub fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        if is_plain(c) {
            escaped.push(c);
        } else {
            escaped.extend(c.escape_default());
        }
    }
    escaped
}

/// Returns a name in one line; the middle is left out if it has more than 160 characters.
pub fn name(text: &str) -> String {
    shortened(text, MAX_CHARACTERS)
}

/// Returns a text in one line; the middle is left out if it has more than `most` characters. An escape counts as one character.
pub fn shortened(text: &str, most: usize) -> String {
    let count = text.chars().count();
    if count <= most {
        return escaped(text);
    }
    let end = |at: usize| {
        text.char_indices()
            .nth(at)
            .map_or(text.len(), |(end, _)| end)
    };
    let half = most / 2;
    let (first, last) = (&text[..end(half)], &text[end(count - half)..]);
    format!("{}…{}", escaped(first), escaped(last))
}

/// Returns a path, shortened and escaped as [`name`] does.
pub fn path(path: &Path) -> String {
    name(&path.to_string_lossy())
}

/// Returns the message of a parser, a decoder or another program, which may quote a file, as one short line that fits into a
/// sentence: each run of white space is one space, the last full stop is left out, and the rest is as in [`name`].
pub fn fault(error: &impl std::fmt::Display) -> String {
    let message = error.to_string();
    let line = message.split_whitespace().collect::<Vec<_>>().join(" ");
    name(line.trim_end_matches('.'))
}

fn is_plain(c: char) -> bool {
    let turns = matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let breaks = matches!(c, '\u{2028}' | '\u{2029}');
    !(c.is_control() || turns || breaks)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_in_a_name_are_escaped() {
        for (given, shown) in [
            ("smile.png", "smile.png"),
            ("日本 é.png", "日本 é.png"),
            ("a\nmien: all went well", "a\\nmien: all went well"),
            ("\u{1b}]0;x\u{7}", "\\u{1b}]0;x\\u{7}"),
            ("\u{9b}2J", "\\u{9b}2J"),
            ("gnp.\u{202e}exe", "gnp.\\u{202e}exe"),
        ] {
            assert_eq!(name(given), shown);
        }
    }

    #[test]
    fn parser_messages_become_one_short_line() {
        let error = format!(
            "unknown variant `\0{}`,\n expected one of `hold`.",
            "x".repeat(900)
        );
        let shown = fault(&error);
        assert!(shown.starts_with("unknown variant `\\u{0}xx") && shown.ends_with("`hold`"));
        assert!(shown.len() < 200 && !shown.contains(char::is_control));
        assert_eq!(fault(&"a\nb  c."), "a b c");
        // A message that passes through twice stays the same.
        let long = fault(&"é".repeat(500));
        assert_eq!(long.chars().count(), MAX_CHARACTERS + 1);
        assert_eq!(fault(&long), long);
    }

    #[test]
    fn long_names_are_shortened_in_the_middle() {
        let long = format!("{}é{}.png", "a".repeat(50_000), "b".repeat(50_000));
        let shown = name(&long);
        assert_eq!(shown.chars().count(), MAX_CHARACTERS + 1);
        assert!(shown.starts_with("aaa") && shown.ends_with("bbb.png") && shown.contains('…'));
        let whole = "é".repeat(MAX_CHARACTERS);
        assert_eq!(name(&whole), whole);
    }
}
