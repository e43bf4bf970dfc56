//! Labels of user agents: always a label and a kind, made of the parts that are told, and no word that is not in the tables or the back-end's.
#![no_main]

use auth_sessions::device::{describe, label};
use auth_sessions_fuzz::case::{parsed, text};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

fn check(device: &Value) {
    assert!(device.as_object().expect("an object").len() == 4, "{device}");
    let (label, kind) = (text(device, "label").expect("a label"), text(device, "kind").expect("a kind"));
    assert!("desktop mobile tablet bot app unknown".split(' ').any(|known| kind == known), "{device}");
    let (browser, os) = (text(device, "browser"), text(device, "os"));
    let what = match (browser, kind) {
        (None, "bot") => "Bot",
        (None, "app") => "App",
        (browser, _) => browser.unwrap_or_default(),
    };
    // An app is called one unless it is a library or a program, and iOS by the device.
    let place = label.strip_prefix(what).map(|rest| rest.strip_prefix(" app").unwrap_or(rest)).map(|rest| rest.strip_prefix(" on ").unwrap_or(rest)).expect("what it is comes first");
    match os {
        _ if label == "Unknown device" => assert!(browser.is_none() && os.is_none() && kind != "bot" && kind != "app", "{device}"),
        Some("iOS") => assert!("iOS iPhone iPad iPod".split(' ').any(|known| place == known), "{device}"),
        Some(os) => assert!(place == os || place.is_empty() && what.starts_with(os), "{device}"),
        None => assert!(place.is_empty(), "{device}"),
    }
}

fuzz_target!(|data: &[u8]| {
    let Ok(agent) = std::str::from_utf8(data) else { return };
    let device = parsed(&describe(agent));
    check(&device);
    // Case doesn't count.
    assert_eq!(parsed(&describe(&agent.to_ascii_uppercase())), device);
    // What the back-end says counts: three texts in one.
    let mut parts = agent.splitn(3, '\n');
    let [agent, system, browser] = [(); 3].map(|()| parts.next().unwrap_or_default());
    for is_mobile in [None, Some(false), Some(true)] {
        let device = parsed(&label(agent, system, browser, is_mobile));
        let name = browser.split('/').next().unwrap_or_default();
        assert!(["", "Other", "Unknown"].contains(&name) || text(&device, "browser").is_some(), "{device}");
        if is_mobile == Some(true) {
            assert_ne!(text(&device, "kind"), Some("desktop"));
        }
    }
});
