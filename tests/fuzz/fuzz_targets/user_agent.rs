//! Labels of user agents: always a label and a kind, and no word that is not in the tables or the back-end's.
#![no_main]

use auth_sessions::device::{describe, label};
use auth_sessions_fuzz::case::{parsed, text};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Ok(agent) = std::str::from_utf8(data) else { return };
    let device = parsed(&describe(agent));
    let members = device.as_object().expect("an object");
    assert!(members.len() == 4, "{device}");
    assert!("desktop mobile tablet bot unknown".split(' ').any(|kind| text(&device, "kind") == Some(kind)), "{device}");
    let expected = match (text(&device, "browser"), text(&device, "os")) {
        (Some(browser), Some(os)) => format!("{browser} on {os}"),
        (one, other) => one.or(other).unwrap_or("Unknown device").to_owned(),
    };
    assert_eq!(text(&device, "label"), Some(expected.as_str()));
    for is_mobile in [None, Some(false), Some(true)] {
        let device = parsed(&label(agent, Some(agent), is_mobile));
        assert_eq!(text(&device, "browser"), Some(agent));
    }
});
