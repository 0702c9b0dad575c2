//! Parsing times as users write them: seconds, minutes and hours.

/// Text that isn't a time.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" isn't a time; write seconds like 1.5, minutes like 1:02.5 or hours like 0:01:02.")]
pub struct NotATime(String);

/// Returns the seconds of a time such as `1.5`, `1:02.5` (a minute and 2.5 seconds) or `0:01:02`.
///
/// The last number may have a fraction; numbers after a colon must be below 60.
///
/// # Errors
///
/// [`NotATime`], one sentence with examples, for anything else, including signed numbers.
pub fn parse_time(text: &str) -> Result<f64, NotATime> {
    seconds(text.trim()).ok_or_else(|| NotATime(text.trim().chars().take(40).collect()))
}

fn seconds(text: &str) -> Option<f64> {
    let (whole, last) = match text.rsplit_once(':') {
        Some((whole, last)) => (Some(whole), last),
        None => (None, text),
    };
    let mut minutes = 0.0;
    if let Some(whole) = whole {
        minutes = match whole.split_once(':') {
            Some((hours, rest)) => digits(hours)? * 60.0 + below_sixty(digits(rest)?)?,
            None => digits(whole)?,
        };
    }

    // Number formats like "1e3" and "inf" aren't times.
    let (integer, fraction) = last.split_once('.').unwrap_or((last, "0"));
    digits(integer)?;
    digits(fraction)?;
    let last: f64 = last.parse().ok()?;
    Some(match whole {
        Some(_) => minutes * 60.0 + below_sixty(last)?,
        None => last,
    })
}

/// Parses one to nine digits and nothing else.
fn digits(text: &str) -> Option<f64> {
    let is_number = (1..=9).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().ok()).flatten()
}

fn below_sixty(value: f64) -> Option<f64> {
    (value < 60.0).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_parsed_to_seconds() {
        for (text, expected) in [
            ("0", 0.0),
            ("1.5", 1.5),
            (" 90 ", 90.0),
            ("1:02.5", 62.5),
            ("0:01:02", 62.0),
            ("2:00:00.25", 7200.25),
            ("120:00", 7200.0),
            ("0.1", 0.1),
        ] {
            assert_eq!(parse_time(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn invalid_times_are_errors() {
        for text in [
            "",
            ".",
            "1.",
            ".5",
            "-1",
            "+1",
            "1e3",
            "inf",
            "nan",
            "1:60",
            "1:60:00",
            "1:2:3:4",
            "1:",
            ":1",
            "1.5:00",
            "1,5",
            "5s",
            "１",
            "99999999999",
        ] {
            assert!(parse_time(text).is_err(), "{text}");
        }
        assert_eq!(
            parse_time("1:75").unwrap_err().to_string(),
            "\"1:75\" isn't a time; write seconds like 1.5, minutes like 1:02.5 or hours like 0:01:02."
        );
    }
}
