//! What the benches of the networks share: speed by multiplications, and the memory that was needed.

#![allow(dead_code)] // each bench uses a part

use criterion::Throughput;

#[path = "../../tests/common/procedural.rs"]
pub mod procedural;

/// So many thousand million multiplications and additions, by the layers' definitions: criterion's "Gelem/s" are then GFLOP/s.
pub fn work(gmac: f64) -> Throughput {
    Throughput::Elements((2e9 * gmac) as u64)
}

/// Prints the most memory that the process has had so far, where the system tells.
pub fn print_peak_memory(what: &str) {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    if let Some(kilobytes) = line.and_then(|line| line.trim().strip_suffix(" kB")) {
        let megabytes = kilobytes.trim().parse::<f64>().unwrap_or_default() / 1024.0;
        println!("{what}: at most {megabytes:.0} MiB");
    }
}
