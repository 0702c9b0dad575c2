//! `mien` without arguments opens the studio; `mien COMMAND` runs without a window.

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    mien::cli::main()
}
