//! Checks the documentation against the program: its list of options, its examples, its links.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use clap::{Command, CommandFactory, Parser};

use super::{Arguments, shell_blocks};

fn project() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The README, the manual, the model cards, and the pages of other folders.
fn pages() -> Vec<PathBuf> {
    let folders = ["docs", "weights"].map(|folder| project().join(folder));
    let files = folders
        .iter()
        .flat_map(|folder| std::fs::read_dir(folder).unwrap());
    let mut pages: Vec<PathBuf> = files
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
        .collect();
    pages.extend(
        [
            "README.md",
            "CHANGELOG.md",
            "benches/README.md",
            "resources/README.md",
            "resources/samples/README.md",
            "tests/face/README.md",
            "tests/fixtures/README.md",
            "tests/fixtures/clips/README.md",
            "tests/fuzz/README.md",
            "weights/recipe/README.md",
            "weights/recipe/units/README.md",
        ]
        .map(|page| project().join(page)),
    );
    pages.sort();
    pages
}

fn read(page: &Path) -> String {
    std::fs::read_to_string(page).unwrap()
}

/// All commands with their help, as a Markdown page.
fn commands() -> String {
    let mut page = "# Commands\n\nWritten by the program itself (`mien COMMAND --help`); [command-line.md](command-line.md) explains.\n".to_owned();
    let mut mien = Arguments::command().term_width(100);
    mien.build();
    describe(&mut page, &mut mien, "mien");
    page
}

fn describe(page: &mut String, command: &mut Command, name: &str) {
    let help = command.render_long_help().to_string();
    let help: Vec<&str> = help.lines().map(str::trim_end).collect();
    write!(
        page,
        "\n## {name}\n\n```text\n{}\n```\n",
        help.join("\n").trim_end()
    )
    .unwrap();
    let below: Vec<String> = command
        .get_subcommands()
        .map(|below| below.get_name().to_owned())
        .filter(|below| below != "help")
        .collect();
    for below in below {
        let name = format!("{name} {below}");
        describe(page, command.find_subcommand_mut(&below).unwrap(), &name);
    }
}

#[test]
fn the_documented_list_of_commands_matches_the_program() {
    let path = project().join("docs/commands.md");
    let now = commands();
    if std::env::var_os("MIEN_UPDATE_DOCS").is_some() {
        std::fs::write(&path, &now).unwrap();
    }
    assert!(
        read(&path) == now,
        "docs/commands.md is out of date; run this test with MIEN_UPDATE_DOCS=1"
    );
}

#[test]
fn every_command_in_the_documentation_parses() {
    let mut found = 0;
    for page in pages() {
        for command in shell_blocks::commands(&read(&page)) {
            let words = std::iter::once("mien").chain(command.split_whitespace());
            let parsed = Arguments::try_parse_from(words);
            assert!(
                parsed.is_ok(),
                "{}: mien {command}: {}",
                page.display(),
                parsed.unwrap_err()
            );
            found += 1;
        }
    }
    assert!(found > 20, "{found}");
}

/// The targets of a page's links and pictures.
fn links(text: &str) -> Vec<String> {
    let mut links = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find("](") {
        rest = &rest[at + 2..];
        if let Some(end) = rest.find(')') {
            links.push(rest[..end].to_owned());
        }
    }
    links
}

/// The link anchor of a heading.
fn anchor(heading: &str) -> String {
    let plain = heading.trim_start_matches('#').trim().to_lowercase();
    let kept = plain
        .chars()
        .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}

#[test]
fn every_link_in_the_documentation_has_a_target() {
    for page in pages() {
        let folder = page.parent().unwrap();
        for link in links(&read(&page)) {
            if link.contains("://") {
                continue;
            }
            let (path, heading) = link.split_once('#').unwrap_or((&link, ""));
            let target = if path.is_empty() {
                page.clone()
            } else {
                folder.join(path)
            };
            assert!(target.exists(), "{}: {link}", page.display());
            if !heading.is_empty() {
                let text = read(&target);
                let mut headings = text.lines().filter(|line| line.starts_with('#'));
                assert!(
                    headings.any(|line| anchor(line) == heading),
                    "{}: {link}",
                    page.display()
                );
            }
        }
    }
}
