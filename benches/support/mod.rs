//! Shared by the networks' benchmarks: speed in multiplications, and peak memory.

#![allow(dead_code)] // each bench uses a part

use criterion::Throughput;

#[path = "../../tests/common/procedural.rs"]
pub mod procedural;

/// Throughput from 10^9 multiply-adds by the layers' definitions: criterion's "Gelem/s" are then GFLOP/s.
pub fn work(gmac: f64) -> Throughput {
    Throughput::Elements((2e9 * gmac) as u64)
}

/// Prints the process' peak memory so far, if the system reports it.
pub fn print_peak_memory(what: &str) {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    if let Some(kilobytes) = line.and_then(|line| line.trim().strip_suffix(" kB")) {
        let megabytes = kilobytes.trim().parse::<f64>().unwrap_or_default() / 1024.0;
        println!("{what}: at most {megabytes:.0} MiB");
    }
}
