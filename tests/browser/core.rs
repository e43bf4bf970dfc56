//! Some of the pure functions, in wasm as well.

use auth_sessions::json::{Document, quoted};
use auth_sessions::jwt::{Claims, payload};
use auth_sessions::time::Time;
use wasm_bindgen_test::wasm_bindgen_test;

#[wasm_bindgen_test]
fn times_are_those_of_the_browser() {
    for text in ["1970-01-01T00:00:00.000Z", "2024-02-29T23:59:59.999Z", "2026-01-31T10:30:00+01:00", "9999-12-31T23:59:59.000Z"] {
        let time = Time::parse_iso(text).unwrap();
        let date = js_sys::Date::new(&text.into());
        assert_eq!(time.millis() as f64, date.get_time(), "{text}");
        assert_eq!(date.to_iso_string(), time.to_iso().as_str(), "{text}");
    }
}

#[wasm_bindgen_test]
fn json_is_that_of_the_browser() {
    for text in ["", "a\"b\\c", "\u{0}\u{1f}\u{7f}", "é→\u{1F600}", "\u{2028}"] {
        assert_eq!(js_sys::JSON::parse(&quoted(text)).unwrap().as_string().as_deref(), Some(text));
        let theirs = String::from(js_sys::JSON::stringify(&text.into()).unwrap());
        assert_eq!(Document::read(&theirs).unwrap().root().as_str().as_deref(), Some(text));
    }
    for text in ["[1,]", "{\"a\":1}x", "01", "'a'", "[", "\"\n\"", "nul", "{}", "[1,2]", " -1.5e3 ", "\u{feff}"] {
        assert_eq!(Document::read(text).is_some(), js_sys::JSON::parse(text).is_ok(), "{text}");
    }
}

#[wasm_bindgen_test]
fn claims_are_read() {
    // {"sid":"s-1","iat":1000,"exp":4600}
    let payload = self::payload("e30.eyJzaWQiOiJzLTEiLCJpYXQiOjEwMDAsImV4cCI6NDYwMH0.x");
    let document = Document::parse(&payload).unwrap();
    let claims = Claims::read(document.root());
    assert_eq!((claims.session_id.map(|id| id.word()), claims.lifetime()), (Some("s-1"), Some(3_600_000)));
    assert!(self::payload("not a token").is_empty());
}
