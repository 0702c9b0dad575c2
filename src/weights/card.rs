//! Model cards: the Markdown next to the weights, parsed to blocks for the window, or formatted as plain text for a
//! terminal.

use pulldown_cmark::{Event, HeadingLevel, Options, Parser, Tag, TagEnd};

/// The style of a span.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Style {
    /// Ordinary text.
    #[default]
    Plain,
    /// Bold.
    Strong,
    /// Italic.
    Emphasis,
    /// Code.
    Code,
}

/// A run of text in one style.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// The text, without markup.
    pub text: String,
    /// Its style.
    pub style: Style,
}

/// A line of spans; a line break in the Markdown becomes a space.
pub type Words = Vec<Span>;

/// A block of a card.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Block {
    /// The level, 1 for the card's title.
    Heading(u8, Words),
    /// A paragraph.
    Paragraph(Words),
    /// A list item, with its number in an ordered list.
    Item(Option<u64>, Words),
    /// A table.
    Table {
        /// May be empty, or have only empty cells.
        header: Vec<Words>,
        /// The cells of each row.
        rows: Vec<Vec<Words>>,
    },
    /// Preformatted lines.
    Code(String),
}

/// Parses the blocks of a card. Pictures are omitted, and links become their text.
pub fn blocks(markdown: &str) -> Vec<Block> {
    let mut reader = Reader::default();
    for event in Parser::new_ext(markdown, Options::ENABLE_TABLES) {
        reader.take(event);
    }
    reader.blocks
}

#[derive(Default)]
struct Reader {
    blocks: Vec<Block>,
    words: Words,
    /// The open styles, the innermost last.
    styles: Vec<Style>,
    /// The next number of each open list.
    lists: Vec<Option<u64>>,
    header: Vec<Words>,
    rows: Vec<Vec<Words>>,
    row: Vec<Words>,
    code: bool,
    /// Number of open pictures: their text is omitted.
    pictures: usize,
}

impl Reader {
    fn take(&mut self, event: Event<'_>) {
        match event {
            Event::Start(tag) => self.start(&tag),
            Event::End(tag) => self.end(tag),
            Event::Text(text) => {
                let style = self.styles.last().copied().unwrap_or_default();
                self.push_text(&text, style);
            }
            Event::Code(text) => self.push_text(&text, Style::Code),
            Event::SoftBreak | Event::HardBreak => self.push_text(" ", Style::Plain),
            _ => {}
        }
    }

    fn start(&mut self, tag: &Tag<'_>) {
        match tag {
            Tag::Strong => self.styles.push(Style::Strong),
            Tag::Emphasis => self.styles.push(Style::Emphasis),
            Tag::List(first) => {
                self.close_item();
                self.lists.push(*first);
            }
            Tag::CodeBlock(_) => self.code = true,
            Tag::Image { .. } => self.pictures += 1,
            _ => {}
        }
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Strong | TagEnd::Emphasis => drop(self.styles.pop()),
            TagEnd::Heading(level) => {
                let level = match level {
                    HeadingLevel::H1 => 1,
                    HeadingLevel::H2 => 2,
                    _ => 3,
                };
                let words = std::mem::take(&mut self.words);
                self.blocks.push(Block::Heading(level, words));
            }
            TagEnd::Paragraph if self.lists.is_empty() => {
                let words = std::mem::take(&mut self.words);
                if !words.is_empty() {
                    self.blocks.push(Block::Paragraph(words));
                }
            }
            TagEnd::Item => self.close_item(),
            TagEnd::List(_) => drop(self.lists.pop()),
            TagEnd::CodeBlock => {
                self.code = false;
                let lines = std::mem::take(&mut self.words);
                let lines: String = lines.into_iter().map(|span| span.text).collect();
                self.blocks.push(Block::Code(lines.trim_end().to_owned()));
            }
            TagEnd::Image => self.pictures -= 1,
            TagEnd::TableCell => self.row.push(std::mem::take(&mut self.words)),
            TagEnd::TableHead => self.header = std::mem::take(&mut self.row),
            TagEnd::TableRow => self.rows.push(std::mem::take(&mut self.row)),
            TagEnd::Table => self.blocks.push(Block::Table {
                header: std::mem::take(&mut self.header),
                rows: std::mem::take(&mut self.rows),
            }),
            _ => {}
        }
    }

    fn close_item(&mut self) {
        let words = std::mem::take(&mut self.words);
        let Some(next) = self.lists.last_mut().filter(|_| !words.is_empty()) else {
            return;
        };
        self.blocks.push(Block::Item(*next, words));
        *next = next.map(|number| number + 1);
    }

    fn push_text(&mut self, text: &str, style: Style) {
        if self.pictures > 0 {
            return;
        }
        match self.words.last_mut() {
            Some(last) if last.style == style || self.code => last.text.push_str(text),
            _ => self.words.push(Span {
                text: text.to_owned(),
                style,
            }),
        }
    }
}

/// Formats a card as plain text with at most `width` characters per line, unless a word is longer.
pub fn plain(markdown: &str, width: usize) -> String {
    let mut text = String::new();
    let mut before: Option<Block> = None;
    for block in blocks(markdown) {
        let listed = |block: &Block| matches!(block, Block::Item(..));
        if before
            .as_ref()
            .is_some_and(|b| !(listed(b) && listed(&block)))
        {
            text.push('\n');
        }
        match &block {
            Block::Heading(level, words) => {
                let words = joined(words);
                text += &format!("{words}\n");
                let line = if *level == 1 { "=" } else { "-" };
                text += &format!("{}\n", line.repeat(words.chars().count()));
            }
            Block::Paragraph(words) => text += &wrapped(&joined(words), "", "", width),
            Block::Item(number, words) => {
                let sign = number.map_or_else(|| "- ".to_owned(), |number| format!("{number}. "));
                let rest = " ".repeat(sign.len());
                text += &wrapped(&joined(words), &sign, &rest, width);
            }
            Block::Table { header, rows } => text += &table(header, rows, width),
            Block::Code(lines) => {
                for line in lines.lines() {
                    text += &format!("    {line}\n");
                }
            }
        }
        before = Some(block);
    }
    text
}

/// Returns the text without styles.
pub fn joined(words: &[Span]) -> String {
    words.iter().map(|span| span.text.as_str()).collect()
}

/// Wraps text to `width` characters, unless a word is longer; the first line begins with `first`, the others with
/// `rest`.
fn wrapped(text: &str, first: &str, rest: &str, width: usize) -> String {
    let mut lines = String::new();
    let mut line = first.to_owned();
    let mut empty = true;
    for word in text.split_whitespace() {
        if !empty && line.chars().count() + 1 + word.chars().count() > width {
            lines += line.trim_end();
            lines.push('\n');
            line = rest.to_owned();
            empty = true;
        }
        if !empty {
            line.push(' ');
        }
        line += word;
        empty = false;
    }
    lines + line.trim_end() + "\n"
}

/// Formats columns as wide as their widest cell, except the last, which is wrapped.
fn table(header: &[Words], rows: &[Vec<Words>], width: usize) -> String {
    let cells = |row: &[Words]| -> Vec<String> { row.iter().map(|cell| joined(cell)).collect() };
    let header = cells(header);
    let rows: Vec<Vec<String>> = rows.iter().map(|row| cells(row)).collect();
    let titled = header.iter().any(|cell| !cell.is_empty());
    let columns = header.len();
    let widths: Vec<usize> = (0..columns)
        .map(|i| {
            let all = rows.iter().chain([&header]).filter_map(|row| row.get(i));
            all.map(|cell| cell.chars().count()).max().unwrap_or(0)
        })
        .collect();
    let mut text = String::new();
    let mut line = |row: &[String]| {
        let Some((last, others)) = row.split_last() else {
            return;
        };
        let mut first = String::new();
        for (cell, width) in others.iter().zip(&widths) {
            first += &format!("{cell:<width$}  ");
        }
        let rest = " ".repeat(first.chars().count());
        text += &wrapped(last, &first, &rest, width);
    };
    if titled {
        line(&header);
        let rules: Vec<String> = widths.iter().map(|&width| "-".repeat(width)).collect();
        line(&rules);
    }
    for row in &rows {
        line(row);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const CARD: &str = "# small-1\n\nWords that are **strong** and\n`code`, [a link](x.md).\n\n\
        ![a picture](x.png)\n\n| AU | rise |\n|---|---|\n| 12 | +0.61, which is much |\n| 4 | |\n\n## Limits\n\n\
        - one\n- two *things*\n\n1. first\n2. second\n\n```sh\nrun  it\n```\n";

    fn span(text: &str, style: Style) -> Span {
        Span {
            text: text.to_owned(),
            style,
        }
    }

    #[test]
    fn a_model_card_is_parsed_into_blocks() {
        let word = |text: &str| vec![span(text, Style::Plain)];
        let expected = [
            Block::Heading(1, word("small-1")),
            Block::Paragraph(vec![
                span("Words that are ", Style::Plain),
                span("strong", Style::Strong),
                span(" and ", Style::Plain),
                span("code", Style::Code),
                span(", a link.", Style::Plain),
            ]),
            Block::Table {
                header: vec![word("AU"), word("rise")],
                rows: vec![
                    vec![word("12"), word("+0.61, which is much")],
                    vec![word("4"), Vec::new()],
                ],
            },
            Block::Heading(2, word("Limits")),
            Block::Item(None, word("one")),
            Block::Item(
                None,
                vec![span("two ", Style::Plain), span("things", Style::Emphasis)],
            ),
            Block::Item(Some(1), word("first")),
            Block::Item(Some(2), word("second")),
            Block::Code("run  it".to_owned()),
        ];
        assert_eq!(blocks(CARD), expected);
    }

    #[test]
    fn a_model_card_is_printed_as_plain_text() {
        let expected = "small-1\n=======\n\nWords that are\nstrong and code, a\nlink.\n\n\
            AU  rise\n--  --------------------\n12  +0.61, which is\n    much\n4\n\nLimits\n------\n\n\
            - one\n- two things\n1. first\n2. second\n\n    run  it\n";
        assert_eq!(plain(CARD, 19), expected);
    }

    #[test]
    fn nested_lists_keep_all_their_words() {
        let read = blocks("- a\n  - b\n- c\n");
        let words: Vec<String> = read
            .iter()
            .map(|block| match block {
                Block::Item(None, words) => joined(words),
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(words, ["a", "b", "c"]);
    }
}
