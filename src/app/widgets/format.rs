//! Formatting and parsing of numbers for the artist.

use std::str::FromStr;
use std::time::Duration;

/// Parses a typed number; a decimal comma is accepted.
pub fn decimal<T: FromStr>(text: &str) -> Option<T> {
    text.trim().replace(',', ".").parse().ok()
}

/// Formats a length of time for people.
pub fn duration(time: Duration) -> String {
    let seconds = time.as_secs_f64().ceil() as u64;
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min {:02} s", seconds / 60, seconds % 60),
        _ => format!("{} h {:02} min", seconds / 3600, seconds % 3600 / 60),
    }
}

/// Formats a number of bytes for people.
pub fn size(bytes: u64) -> String {
    let bytes = bytes as f64;
    match bytes {
        ..1e3 => format!("{bytes} bytes"),
        ..1e6 => format!("{:.0} KB", bytes / 1e3),
        ..1e9 => format!("{:.1} MB", bytes / 1e6),
        _ => format!("{:.1} GB", bytes / 1e9),
    }
}

/// Formats a frame rate without trailing zeros: 24, 23.976.
pub fn short(fps: f64) -> String {
    format!("{}", (fps * 1000.0).round() / 1000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_and_sizes_are_formatted_in_readable_units() {
        assert_eq!(duration(Duration::from_millis(1200)), "2 s");
        assert_eq!(duration(Duration::from_secs(61)), "1 min 01 s");
        assert_eq!(duration(Duration::from_secs(7260)), "2 h 01 min");
        assert_eq!(size(999), "999 bytes");
        assert_eq!(size(41_500), "42 KB");
        assert_eq!(size(3_440_000), "3.4 MB");
        assert_eq!(size(1_200_000_000), "1.2 GB");
    }

    #[test]
    fn frame_rates_are_formatted_without_trailing_zeros() {
        assert_eq!(short(24.0), "24");
        assert_eq!(short(23.976_023_9), "23.976");
    }
}
