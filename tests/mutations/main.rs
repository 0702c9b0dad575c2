//! Each of Mien's readers, given randomly and structurally damaged files.
//!
//! Whatever the bytes: no panic, no hang, little memory, and one plain sentence if a file can't be read. A normal run
//! uses the same cases every time. `MIEN_FUZZ_TIMES=100` runs a hundred times as many, `MIEN_FUZZ_SEED=7` different
//! ones; a failure prints the case and saves the file.

mod corpus;
mod mutate;
mod readers;
mod rng;

use std::fs;
use std::panic::{self, AssertUnwindSafe};
use std::path::PathBuf;
use std::process::{Command, ExitCode};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use libtest_mimic::{Arguments, Failed, Trial};

use readers::Reader;
use rng::Rng;

/// Far longer than any of these files takes.
const PATIENCE: Duration = Duration::from_secs(10);

/// The maximum number of damaged files that could still be read and are damaged further.
const MAX_KEPT: usize = 64;

/// The location of a panic in Mien's own code, on any thread. Readers of clips and pictures catch panics of decoders,
/// which would hide it.
static PANICKED: Mutex<Option<String>> = Mutex::new(None);

fn panicked() -> Option<String> {
    PANICKED
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .take()
}

fn main() -> ExitCode {
    // ffmpeg reads files that Mien doesn't; run again without it on the path.
    if std::env::var_os("PATH").is_some_and(|path| !path.is_empty()) {
        let again = Command::new(std::env::current_exe().unwrap())
            .args(std::env::args_os().skip(1))
            .env("PATH", "")
            .status();
        return if again.is_ok_and(|status| status.success()) {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        };
    }
    panic::set_hook(Box::new(|info| {
        let place = info
            .location()
            .map_or_else(String::new, ToString::to_string);
        if place.starts_with("src/") || place.starts_with("tests/") {
            *PANICKED.lock().unwrap_or_else(PoisonError::into_inner) = Some(format!("{info}"));
        }
    }));
    let trials = readers::ALL
        .iter()
        .map(|reader| Trial::test(reader.name, move || check_reader(reader)));
    // One at a time, to attribute a panic to its reader.
    let mut arguments = Arguments::from_args();
    arguments.test_threads = Some(1);
    libtest_mimic::run(&arguments, trials.collect()).exit_code()
}

fn variable(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

fn check_reader(reader: &'static Reader) -> Result<(), Failed> {
    let times = variable("MIEN_FUZZ_TIMES").unwrap_or(1);
    let seed = variable("MIEN_FUZZ_SEED").unwrap_or(1);
    let folder = tempfile::tempdir()?;
    let mut corpus = (reader.corpus)();
    let (originals, started) = (corpus.len(), Instant::now());
    for (number, bytes) in corpus.iter().enumerate() {
        panicked();
        let is_read = (reader.read)(folder.path(), bytes);
        if let Some(place) = panicked() {
            return Err(format!("whole file {number}: {place}").into());
        }
        if !is_read && !reader.takes_none {
            return Err(format!("whole file {number} isn't read").into());
        }
    }
    let executions = reader.executions * times;
    let (mut read, mut slowest) = (0u64, Duration::ZERO);
    for execution in 0..executions {
        let mut rng = Rng::new(reader.name, seed, execution);
        let bytes = mutate::damaged(&corpus, reader.format, &mut rng);
        panicked();
        let start = Instant::now();
        let outcome =
            panic::catch_unwind(AssertUnwindSafe(|| (reader.read)(folder.path(), &bytes)));
        let duration = start.elapsed();
        slowest = slowest.max(duration);
        let fault = match (panicked(), outcome) {
            (Some(place), _) => Some(place),
            (None, Err(_)) => {
                Some("a panic outside of Mien's own lines that nothing caught".to_owned())
            }
            (None, Ok(_)) if duration > PATIENCE => Some(format!("it took {duration:?}")),
            (None, Ok(is_read)) => {
                if is_read {
                    read += 1;
                    if corpus.len() < originals + MAX_KEPT {
                        corpus.push(bytes.clone());
                    } else {
                        let at = originals + rng.below(MAX_KEPT);
                        corpus[at] = bytes.clone();
                    }
                }
                None
            }
        };
        if let Some(fault) = fault {
            let saved_to = keep(reader.name, seed, execution, &bytes);
            return Err(format!(
                "seed {seed}, execution {execution}: {fault}\nthe file is {}",
                saved_to.display()
            )
            .into());
        }
    }
    if let Some(peak) = peak_memory() {
        let most = 3 << 30;
        if peak > most {
            return Err(format!("{peak} bytes of memory were taken").into());
        }
    }
    eprintln!(
        "{}: {executions} files in {:.1} s, {read} of them read, {:.0} ms at most",
        reader.name,
        started.elapsed().as_secs_f64(),
        slowest.as_secs_f64() * 1e3,
    );
    Ok(())
}

fn keep(name: &str, seed: u64, execution: u64, bytes: &[u8]) -> PathBuf {
    let path =
        PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{seed}-{execution}"));
    let _ = fs::write(&path, bytes);
    path
}

/// The process' peak memory in bytes, if the system reports it.
fn peak_memory() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    let kilobytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kilobytes << 10)
}
