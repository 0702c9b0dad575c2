//! The `mien` commands in a page of the documentation. `tests/command/docs.rs` includes this file as well.

/// The commands in a page's shell blocks, without the program's name and comments. `cargo run` without arguments, which
/// opens the window, isn't among them.
pub fn commands(page: &str) -> Vec<String> {
    let mut commands = Vec::new();
    let mut shell = false;
    for line in page.lines() {
        if let Some(language) = line.strip_prefix("```") {
            shell = language == "sh";
            continue;
        }
        let line = line.split(" # ").next().unwrap_or("").trim();
        if !shell {
            continue;
        }
        let command = line
            .strip_prefix("mien ")
            .or_else(|| line.strip_prefix("cargo run --release -- "));
        commands.extend(command.map(str::to_owned));
    }
    commands
}
