//! JSON as a person reads it: what fits on a line is on one, and so is every keyframe.

/// Columns.
const WIDTH: usize = 110;

/// From here on, counted from 0 at the whole, everything is on one line: a keyframe, a favourite's codes.
const ONE_LINE: usize = 7;

/// Lays out compact JSON, with a line break at its end. What isn't JSON comes back as it is.
pub(crate) fn pretty(json: &str) -> String {
    let Some(ends) = ends(json.as_bytes()) else {
        return json.to_owned();
    };
    let mut out = String::with_capacity(json.len() * 2);
    let mut open = Vec::new();
    // Opening brackets come in the order in which `ends` has them.
    let mut nth = 0;
    let mut at = 0;
    while let Some(byte) = json.as_bytes().get(at) {
        match byte {
            b'"' => {
                let end = string_end(json.as_bytes(), at);
                out.push_str(&json[at..end]);
                at = end;
                continue;
            }
            b'{' | b'[' => {
                let end = ends[nth];
                let group = &json[at..end];
                let fits = group.len() + 2 * open.len() < WIDTH || open.len() >= ONE_LINE;
                if group.len() == 2 || (fits && !open.is_empty()) {
                    nth += on_one_line(group, &mut out);
                    at = end;
                    continue;
                }
                nth += 1;
                out.push(char::from(*byte));
                open.push(());
                new_line(&mut out, open.len());
            }
            b'}' | b']' => {
                open.pop();
                new_line(&mut out, open.len());
                out.push(char::from(*byte));
            }
            b',' => {
                out.push(',');
                new_line(&mut out, open.len());
            }
            b':' => out.push_str(": "),
            other => out.push(char::from(*other)),
        }
        at += 1;
    }
    out.push('\n');
    out
}

fn new_line(out: &mut String, depth: usize) {
    out.push('\n');
    out.extend(std::iter::repeat_n("  ", depth));
}

/// Returns how many groups it holds, itself included.
fn on_one_line(group: &str, out: &mut String) -> usize {
    let (mut groups, mut at) = (0, 0);
    while let Some(byte) = group.as_bytes().get(at) {
        match byte {
            b'"' => {
                let end = string_end(group.as_bytes(), at);
                out.push_str(&group[at..end]);
                at = end;
                continue;
            }
            b',' => out.push_str(", "),
            b':' => out.push_str(": "),
            other => {
                groups += usize::from(matches!(other, b'{' | b'['));
                out.push(char::from(*other));
            }
        }
        at += 1;
    }
    groups
}

/// Where each group ends, in the order in which they begin; nothing where brackets don't match.
fn ends(json: &[u8]) -> Option<Vec<usize>> {
    let (mut ends, mut open, mut at) = (Vec::new(), Vec::new(), 0);
    while at < json.len() {
        match json[at] {
            b'"' => {
                at = string_end(json, at);
                continue;
            }
            b'{' | b'[' => {
                open.push(ends.len());
                ends.push(0);
            }
            b'}' | b']' => ends[open.pop()?] = at + 1,
            // Outside of texts JSON is ASCII.
            other if !other.is_ascii() => return None,
            _ => {}
        }
        at += 1;
    }
    open.is_empty().then_some(ends)
}

/// Behind the quotation mark that ends the text which begins at `at`.
fn string_end(json: &[u8], at: usize) -> usize {
    let mut end = at + 1;
    while let Some(byte) = json.get(end) {
        match byte {
            b'\\' => end += 2,
            b'"' => return end + 1,
            _ => end += 1,
        }
    }
    json.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    #[test]
    fn short_things_are_on_one_line_and_long_ones_are_not() {
        let value =
            json!({"a": [1, 2.5, "x,y:{"], "b": {}, "long": vec![1234567; 20], "c": "é\"\\"});
        let text = pretty(&value.to_string());
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "{");
        assert!(lines.contains(&r#"  "a": [1, 2.5, "x,y:{"],"#), "{text}");
        assert!(lines.contains(&r#"  "b": {},"#), "{text}");
        assert!(lines.contains(&"    1234567,"), "{text}");
        assert!(text.ends_with("]\n}\n"), "{text}");
    }

    #[test]
    fn what_lies_deep_is_on_one_line() {
        let mut value = json!(vec![1234567; 40]);
        for _ in 0..ONE_LINE {
            value = json!([value, 0]);
        }
        let text = pretty(&value.to_string());
        assert!(text.lines().any(|line| line.len() > 300), "{text}");
    }

    fn values() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            ".{0,60}".prop_map(Value::from),
        ];
        leaf.prop_recursive(9, 200, 8, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..8).prop_map(Value::from),
                proptest::collection::btree_map(".{0,9}", inner, 0..8)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn it_says_the_same(value in values()) {
            let text = pretty(&value.to_string());
            prop_assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), value);
        }

        #[test]
        fn nothing_is_too_odd(text in ".{0,80}|[\\[\\]{}\",:a]{0,40}") {
            pretty(&text);
        }
    }
}
