//! ISO times beside `chrono`: what that reads is read the same, and what is written is read again.
#![no_main]

use auth_sessions::time::Time;
use chrono::{DateTime, Datelike, SecondsFormat};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    if let Some(bytes) = data.first_chunk::<8>() {
        for millis in [i64::from_le_bytes(*bytes), i64::from_le_bytes(*bytes) >> 17] {
            if let Some(time) = Time::from_millis(millis) {
                let expected = DateTime::from_timestamp_millis(millis).expect("a year of four digits");
                assert_eq!(time.to_iso(), expected.to_rfc3339_opts(SecondsFormat::Millis, true));
                assert_eq!(Time::parse_iso(&time.to_iso()), Some(time));
                let _ = time.plus(millis).map(Time::to_iso);
            }
            let _ = Time::from_seconds(millis).map(Time::to_iso);
        }
    }
    let Ok(text) = std::str::from_utf8(data) else { return };
    let found = Time::parse_iso(text);
    if let Some(time) = found {
        let written = time.to_iso();
        assert!(written.len() == 24 && Time::parse_iso(&written) == Some(time), "{text} {written}");
    }
    // A leap second is told otherwise there, and here its milliseconds are gone.
    if let Ok(expected) = DateTime::parse_from_rfc3339(text)
        && expected.timestamp_subsec_millis() < 1000
        && (0..=9999).contains(&expected.to_utc().year())
    {
        assert_eq!(found.map(Time::millis), Some(expected.timestamp_millis()), "{text}");
    }
});
