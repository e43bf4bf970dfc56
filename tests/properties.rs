//! What holds for all inputs, with inputs made up: the same ones in every run. The fuzz targets in `tests/fuzz` look further.
#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::collections::BTreeMap;

use auth_sessions::{
    client,
    device::describe,
    http::scrub,
    json::{Document, Json, List, Writer, decimal, quoted},
    text::Text,
    time::Time,
};
use chrono::{DateTime, FixedOffset, SecondsFormat};
use encoding::{base64url, percent_decoded};
use proptest::{collection::vec, prelude::*, test_runner::RngSeed};

#[path = "fuzz/src/encoding.rs"]
mod encoding;

fn config() -> ProptestConfig {
    ProptestConfig { cases: 500, rng_seed: RngSeed::Fixed(1), failure_persistence: None, ..ProptestConfig::default() }
}

// ---------------------------------------------------------------- calls

/// What came of a call: its requests as method and URL, the waits, the ids of `each` with whether the last one comes last, and the result or the error.
struct Told {
    requests: Vec<String>,
    waits: Vec<i64>,
    each: Vec<String>,
    last: bool,
    result: Result<String, String>,
}

/// Drives a call: options and arguments are JSON by name, the back-end is a function of the request's number and URL.
fn call(goal: &str, token: Option<&str>, options: &[(&str, Text)], answer: &mut dyn FnMut(usize, &str) -> (u16, String)) -> Told {
    let mut state: BTreeMap<String, Text> = options.iter().map(|(name, json)| ((*name).to_owned(), json.clone())).collect();
    for (name, json) in
        [("goal", quoted(goal)), ("isSecure", "true".into()), ("memory", "{}".into()), ("event", quoted("start")), ("now", "1767225600000".into())]
    {
        state.insert(name.into(), json);
    }
    state.entry("base".into()).or_insert_with(|| quoted("https://a.example"));
    let mut told = Told { requests: vec![], waits: vec![], each: vec![], last: false, result: Err(String::new()) };
    let mut body = String::new();
    for _ in 0..2000 {
        let mut call = Writer::new();
        for (name, json) in &state {
            call.json(name, json);
        }
        let text = client::step(&call.finish(), std::mem::take(&mut body).as_bytes());
        let document = Document::read(&text).unwrap();
        let action = document.root();
        action.member("keep").each(&mut |name, value| drop(state.insert(name.into(), value.source().into())));
        let mut set = |name: &str, json: Text| drop(state.insert(name.into(), json));
        match action.member("do").word() {
            "done" => told.result = Ok(action.member("value").source().to_owned()),
            "fail" => told.result = Err(action.member("error").source().to_owned()),
            "tokens" => {
                set("event", quoted("tokens"));
                set("access", token.map_or("null".into(), quoted));
                continue;
            }
            "send" => {
                told.requests.push([action.member("method").word(), " ", &action.text("url").unwrap()].concat());
                let (status, text) = answer(told.requests.len(), &action.text("url").unwrap());
                body = text;
                set("event", quoted("answer"));
                set("answered", decimal(status.into()));
                set("received", "{}".into());
                continue;
            }
            "wait" => {
                told.waits.push(action.number("ms").unwrap());
                set("event", quoted("waited"));
                continue;
            }
            "each" => {
                told.each = action.member("ids").items().map(|id| id.as_words().into()).collect();
                told.last = action.is("last");
                set("event", quoted("each"));
                set("codes", ["[", &vec!["null"; told.each.len()].join(","), "]"].concat().as_str().into());
                continue;
            }
            other => panic!("{other}"),
        }
        return told;
    }
    panic!("the call does not end");
}

fn rest(more: &[(&'static str, Text)]) -> Vec<(&'static str, Text)> {
    [("provider", quoted("rest")), ("maxRetries", "2".into()), ("maxRetryAfter", "10".into()), ("totalTimeout", "30000".into())]
        .into_iter()
        .chain(more.iter().cloned())
        .collect()
}

/// What a percent-encoded text stands for, strictly: nothing but unreserved characters stands for itself.
fn decoded(text: &str) -> Option<String> {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~%".contains(&byte)).then(|| percent_decoded(text))?
}

/// A server with sessions, newest first, in pages by offset. Others sign in while the pages are read.
struct Server {
    ids: Vec<String>,
    size: usize,
    /// After that page so many new ones.
    arrivals: Vec<usize>,
    current: String,
    marks: bool,
}

impl Server {
    fn page(&mut self, number: usize, url: &str) -> (u16, String) {
        let offset: usize = url.split_once("cursor=").map_or(0, |(_, cursor)| cursor.parse().unwrap());
        let mut items = List::default();
        for id in self.ids.iter().skip(offset).take(self.size) {
            let mut item = Writer::new();
            item.text("id", Some(id));
            if self.marks {
                item.flag("is_current", *id == self.current);
            }
            items.push(&item.finish());
        }
        let end = offset + self.size;
        let next = (end < self.ids.len()).then(|| end.to_string());
        let body = Writer::new().json("sessions", &items.finish()).text("next_cursor", next.as_deref()).finish();
        for arrival in 0..self.arrivals.get(number - 1).copied().unwrap_or(0) {
            self.ids.insert(0, format!("new-{number}-{arrival}"));
        }
        (200, body.into())
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn an_id_is_one_segment_of_the_path(id in "\\PC{1,40}|[./%\\\\?#:@&=+{}~]{1,12}|.{1,20}") {
        let told = call("revoke", Some("t"), &rest(&[("id", quoted(&id))]), &mut |_, _| (204, String::new()));
        if matches!(id.as_str(), "." | "..") {
            prop_assert!(told.requests.is_empty());
            return Ok(());
        }
        let path = told.requests[0].strip_prefix("DELETE https://a.example/api/v1/sessions/").unwrap();
        prop_assert!(!path.contains(['/', '?', '#', '\\']));
        prop_assert_eq!(decoded(path), Some(id));
    }

    #[test]
    fn a_cursor_is_one_value_of_the_query(cursor in "[ -~\u{a0}-\u{ff}]{1,40}") {
        let told = call("list", Some("t"), &rest(&[("cursor", quoted(&cursor))]), &mut |_, _| (200, "[]".into()));
        let value = told.requests[0].strip_prefix("GET https://a.example/api/v1/sessions?cursor=").unwrap();
        prop_assert_eq!(decoded(value), Some(cursor));
    }

    #[test]
    fn revoke_all_ends_each_session_once_and_the_current_one_last(
        count in 1..40usize, size in 1..9usize, arrivals in vec(0..4usize, 0..12), at in any::<prop::sample::Index>(), marks: bool, others: bool,
    ) {
        let ids: Vec<String> = (0..count).map(|number| format!("s{number}")).collect();
        let current = ids[at.index(count)].clone();
        let mut server = Server { ids: ids.clone(), size, arrivals, current: current.clone(), marks };
        // {"sid":…}, where the server marks none.
        let claims = Writer::new().text("sid", Some(&current)).finish();
        let token = format!("h.{}.s", base64url(claims.as_bytes()));
        let goal = if others { "revokeOthers" } else { "revokeAll" };
        let told = call(goal, Some(if marks { "opaque" } else { &token }), &rest(&[]), &mut |number, url| server.page(number, url));
        prop_assert!(told.result.is_ok(), "{:?}", told.result);
        let mut once = told.each.clone();
        once.sort();
        once.dedup();
        prop_assert_eq!(once.len(), told.each.len(), "twice: {:?}", &told.each);
        for id in &ids {
            prop_assert_eq!(told.each.contains(id), !others || *id != current, "{} of {:?}", id, &told.each);
        }
        prop_assert_eq!(told.last, !others);
        prop_assert!(others || told.each.last() == Some(&current));
    }

    #[test]
    fn waits_grow_and_have_a_bound(random in 0..=1000i64, status in prop::sample::select(vec![429u16, 502, 503, 504]), retries in 0..30usize) {
        let options = [("provider", quoted("rest")), ("random", decimal(random)), ("maxRetries", retries.to_string().into()), ("maxRetryAfter", "10".into()), ("totalTimeout", "10000000".into())];
        let told = call("list", Some("t"), &options, &mut |_, _| (status, String::new()));
        prop_assert_eq!(told.waits.len(), retries);
        prop_assert_eq!(told.requests.len(), retries + 1);
        prop_assert!(told.waits.iter().all(|ms| (250..=8000).contains(ms)) && told.waits.is_sorted(), "{:?}", told.waits);
        prop_assert!(told.result.is_err());
    }

    // ---------------------------------------------------------------- texts

    #[test]
    fn json_is_read_as_it_was_written(tree in tree()) {
        let text = tree.written();
        let document = Document::read(&text).unwrap();
        tree.check(document.root())?;
        prop_assert_eq!(rewritten(document.root()), text);
    }

    #[test]
    fn a_secret_leaves_no_trace(secrets in vec("[A-Z0-9]{4,12}", 1..5), text in vec(("[a-z ,:é]{1,8}", any::<prop::sample::Index>()), 0..12), longer: bool) {
        let mut secrets = secrets;
        if longer {
            // One that begins as another does, and comes later.
            secrets.push(format!("{}X9", secrets[0]));
        }
        let (mut given, mut expected) = (String::new(), String::new());
        for (words, index) in &text {
            given += words;
            given += &secrets[index.index(secrets.len())];
            expected += words;
            expected += "[redacted]";
        }
        let secrets: Vec<Text> = secrets.into_iter().map(Text::from).collect();
        prop_assert_eq!(scrub(&given, &secrets), expected);
    }

    #[test]
    fn a_scrubbed_text_is_short(text in ".{0,2000}") {
        prop_assert!(scrub(&text, &[]).len() < 520);
    }

    // ---------------------------------------------------------------- labels

    #[test]
    fn a_label_shows_no_version(agent in agent()) {
        let device = describe(&agent);
        prop_assert!(!device.bytes().any(|byte| byte.is_ascii_digit()), "{}: {}", agent, device);
    }

    #[test]
    fn versions_do_not_change_a_label(agent in agent(), version in "[1-9]{1,3}") {
        let other = renumbered(&agent, &version);
        prop_assert_eq!(describe(&agent), describe(&other), "{} and {}", agent, other);
    }

    #[test]
    fn what_comes_late_in_an_agent_does_not_count(agent in agent(), more in "\\PC{0,2000}") {
        let padded = [&agent, &*" ".repeat(1024 - agent.len().min(1024))].concat();
        prop_assert_eq!(describe(&padded), describe(&[padded.as_str(), &more].concat()));
    }

    // ---------------------------------------------------------------- times

    #[test]
    fn times_are_what_chrono_makes_of_them(millis in -62_167_219_200_000..=253_402_300_799_999i64) {
        let time = Time::from_millis(millis).unwrap();
        prop_assert_eq!(time.to_iso(), DateTime::from_timestamp_millis(millis).unwrap().to_rfc3339_opts(SecondsFormat::Millis, true));
        prop_assert_eq!(Time::parse_iso(&time.to_iso()), Some(time));
    }

    #[test]
    fn times_with_offsets_are_read(seconds in -62_000_000_000..253_000_000_000i64, nanos in 0..1_000_000_000u32, minutes in -1439..=1439i32, form in 0..4usize) {
        let form = [SecondsFormat::Secs, SecondsFormat::Millis, SecondsFormat::Micros, SecondsFormat::Nanos][form];
        let moment = DateTime::from_timestamp(seconds, nanos).unwrap().with_timezone(&FixedOffset::east_opt(minutes * 60).unwrap());
        let text = moment.to_rfc3339_opts(form, false);
        let expected = DateTime::parse_from_rfc3339(&text).unwrap().timestamp_millis();
        prop_assert_eq!(Time::parse_iso(&text).map(Time::millis), Some(expected), "{}", text);
        let spaced = text.replace('T', " ");
        prop_assert_eq!(Time::parse_iso(&spaced).map(Time::millis), Some(expected), "{}", spaced);
    }
}

// ---------------------------------------------------------------- user agents

/// Words of agents in any order, with versions.
fn agent() -> impl Strategy<Value = String> {
    let words = [
        "Mozilla/",
        "(Windows NT ",
        "; Win64; x64)",
        "(Macintosh; Intel Mac OS X ",
        "(iPhone; CPU iPhone OS ",
        " like Mac OS X)",
        "(Linux; Android ",
        "; wv)",
        "AppleWebKit/",
        "Version/",
        "Mobile/15E",
        "Safari/",
        "Chrome/",
        "CriOS/",
        "Edg/",
        "OPR/",
        "Firefox/",
        "SamsungBrowser/",
        "Trident/",
        "Instagram ",
        "FBAN/FBIOS;FBAV/",
        "Gmail/",
        "CFNetwork/",
        "Darwin/",
        "okhttp/",
        "Examplebot/",
        "Tablet; ",
        "Electron/",
        "é ",
    ];
    vec((prop::sample::select(words.to_vec()), "[0-9]{1,3}([._][0-9]{1,3}){0,2}"), 0..9)
        .prop_map(|parts| parts.into_iter().map(|(word, version)| [word, &version].concat()).collect::<Vec<_>>().join(" "))
}

/// The text with another number for each in it.
fn renumbered(text: &str, number: &str) -> String {
    let digit = |c: char| c.is_ascii_digit();
    text.split_inclusive(|c| !digit(c)).flat_map(|part| [if part.starts_with(digit) { number } else { "" }, part.trim_start_matches(digit)]).collect()
}

// ---------------------------------------------------------------- JSON

#[derive(Clone, Debug)]
enum Tree {
    Null,
    Flag(bool),
    Number(i64),
    Text(String),
    List(Vec<Tree>),
    Object(BTreeMap<String, Tree>),
}

fn tree() -> impl Strategy<Value = Tree> {
    let leaf = prop_oneof![
        Just(Tree::Null),
        any::<bool>().prop_map(Tree::Flag),
        any::<i64>().prop_map(Tree::Number),
        "\\PC{0,12}|.{0,12}|[\"\\\\\u{0}-\u{1f}]{0,6}".prop_map(Tree::Text)
    ];
    leaf.prop_recursive(6, 48, 6, |inner| {
        prop_oneof![vec(inner.clone(), 0..6).prop_map(Tree::List), prop::collection::btree_map("[ -!#-\\[\\]-~é]{0,8}", inner, 0..6).prop_map(Tree::Object)]
    })
}

impl Tree {
    fn written(&self) -> Text {
        match self {
            Self::Null => "null".into(),
            Self::Flag(flag) => flag.to_string().into(),
            Self::Number(number) => decimal(*number),
            Self::Text(text) => quoted(text),
            Self::List(items) => {
                let mut list = List::default();
                items.iter().for_each(|item| list.push(&item.written()));
                list.finish()
            }
            Self::Object(members) => {
                let mut object = Writer::new();
                for (name, value) in members {
                    object.json(name, &value.written());
                }
                object.finish()
            }
        }
    }

    fn check(&self, json: Json<'_>) -> Result<(), TestCaseError> {
        match self {
            Self::Null => prop_assert!(json.is_null()),
            Self::Flag(flag) => prop_assert_eq!(json.as_bool(), Some(*flag)),
            Self::Number(number) => {
                prop_assert_eq!(json.as_words(), number.to_string());
                // What is near the end of what fits is refused.
                prop_assert!(json.as_scaled(0) == Some(*number) || number.unsigned_abs() > (i64::MAX / 10).unsigned_abs());
            }
            Self::Text(text) => prop_assert_eq!(json.as_str(), Some(text.as_str().into())),
            Self::List(items) => {
                prop_assert_eq!(json.items().count(), items.len());
                for (item, json) in items.iter().zip(json.items()) {
                    item.check(json)?;
                }
            }
            Self::Object(members) => {
                for (name, value) in members {
                    value.check(json.member(name))?;
                }
            }
        }
        Ok(())
    }
}

fn rewritten(json: Json<'_>) -> Text {
    json.map(&|_, value| Some(rewritten(value)))
}
