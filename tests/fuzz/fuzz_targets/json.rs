//! The JSON reader and writer beside `serde_json`. They accept the same documents and read the same, but for what is documented: a byte order mark is skipped,
//! nesting is bounded at 64, a lone surrogate becomes U+FFFD.
#![no_main]

use auth_sessions::json::{Document, Json, quoted, unescape};
use libfuzzer_sys::fuzz_target;
use serde_json::{Map, Value};

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else {
        assert!(Document::parse(data).is_none(), "no UTF-8");
        return;
    };
    // How serde_json passes numbers on inside itself.
    if text.contains("$serde_json") {
        return;
    }
    let quote = quoted(text);
    assert_eq!(serde_json::from_str::<String>(&quote).ok().as_deref(), Some(text));
    assert_eq!(Document::read(&quote).and_then(|document| document.root().as_str()).as_deref(), Some(text));
    let document = Document::parse(data);
    let expected = serde_json::from_str::<Value>(text.strip_prefix('\u{feff}').unwrap_or(text));
    match (&document, &expected) {
        (Some(document), Ok(expected)) => {
            compare(document.root(), expected);
            let again = rewritten(document.root());
            assert_eq!(serde_json::from_str::<Value>(&again).ok().as_ref(), Some(expected), "{again}");
        }
        (Some(_), Err(error)) => {
            let why = error.to_string();
            let is_known =
                why.contains("surrogate") || why.contains("hex escape") || why.contains("recursion limit") || text.to_ascii_lowercase().contains("\\ud");
            assert!(is_known, "read here, and not by serde_json: {why}");
        }
        (None, Ok(expected)) => assert!(depth(expected) > 64, "not read here"),
        (None, Err(_)) => {}
    }
});

fn compare(json: Json<'_>, expected: &Value) {
    match expected {
        Value::Null => assert!(json.is_null()),
        Value::Bool(flag) => assert_eq!(json.as_bool(), Some(*flag)),
        Value::String(text) => {
            assert_eq!(json.as_str().as_deref(), Some(text.as_str()));
            assert_eq!(json.as_scaled(3), None);
        }
        Value::Number(number) => {
            assert!(json.source().eq_ignore_ascii_case(&number.to_string()) || json.source().contains(['e', 'E']), "{} {number}", json.source());
            // Whole numbers that are far from the end of what fits.
            if let Ok(number) = json.source().parse::<i64>()
                && number.unsigned_abs() < i64::MAX as u64 / 10
            {
                assert_eq!(
                    (json.as_scaled(0), json.as_scaled(1)),
                    (Some(number), (number.abs() < i64::MAX / 100).then_some(number * 10).or(json.as_scaled(1)))
                );
            }
        }
        Value::Array(items) => {
            assert!(json.is_array() && json.items().count() == items.len());
            json.items().zip(items).for_each(|(item, expected)| compare(item, expected));
        }
        Value::Object(members) => {
            let mut found = Map::new();
            let mut is_plain = true;
            json.each(&mut |name, value| {
                is_plain &= !name.contains('\\');
                found.insert(unescape(name).into(), serde_json::from_str(value.source()).unwrap_or(Value::String("no JSON".to_owned())));
            });
            assert_eq!(&found, members);
            for (name, expected) in members.iter().filter(|_| is_plain) {
                compare(json.get_or_null(name).expect("a member"), expected);
                let pointer = format!("/{}", name.replace('~', "~0").replace('/', "~1"));
                assert_eq!(json.at(&pointer), json.get(name), "{pointer}");
            }
        }
    }
}

fn rewritten(json: Json<'_>) -> auth_sessions::text::Text {
    json.map(&|_, value| Some(rewritten(value)))
}

fn depth(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Value::Object(members) => 1 + members.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}
