//! What callers get: plain data, the same for every back-end. The names are those of the package's `index.d.ts`.
//!
//! The npm package has none of this in its wasm: there `src/npm/read.js` reads sessions, by the same rules, with the engine's own JSON reader, which nothing in wasm comes near
//! to. It tells [`crate::client`] what [`listing`] does; `tests/node/read.test.mjs` compares both.
//!
//! A profile's list may say where each member is (`fields`: arrays of paths, the first that leads to something usable wins), how times are written (`time`:
//! "iso", "seconds", "milliseconds" or "auto", the default) and what the words for a state mean (`statuses`). What it does not say is looked for at the usual places.

use crate::device::{self, rows};
use crate::http::is_secret;
use crate::json::{Json, List, Writer, join, lines, quoted, words};
use crate::provider::{COUNTS, Operation, number_at};
use crate::text::Text;
use crate::time::Time;

/// Where things usually are, in sessions and in the answers around them: for each member, paths one after the other. `src/npm/read.js` has the same file.
const USUAL: &str = include_str!("usual.js");

/// The states that callers are told of. From the fourth on the session is over and can't be revoked any more.
const STATUSES: &str = "active pending blocked revoked expired ended removed abandoned replaced";

/// How a member of a session is made.
#[derive(Clone, Copy)]
enum Member {
    Text,
    Status,
    Time,
    Current,
    Device,
    Location,
    Method,
    Raw,
}

/// Every member of a session, in order, and how it is made.
const MEMBERS: &str = "id status createdAt lastActiveAt expiresAt userAgent ipAddress tenant userId current device location method raw";
const MAKING: [Member; 14] = [
    Member::Text,
    Member::Status,
    Member::Time,
    Member::Time,
    Member::Time,
    Member::Text,
    Member::Text,
    Member::Text,
    Member::Text,
    Member::Current,
    Member::Device,
    Member::Location,
    Member::Method,
    Member::Raw,
];

/// What a value has to be to be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Text that is not blank, or a number.
    Text,
    /// `true` or `false`.
    Flag,
    /// A point in time.
    Time,
    /// An array.
    Array,
    /// Anything.
    Any,
}

fn usual(member: &str) -> Option<&'static str> {
    lines(rows(USUAL)).find_map(|line| line.strip_prefix(member)?.strip_prefix(':'))
}

/// The first usable value at one of the places for a member: what the list says, or the usual ones.
pub fn find<'a>(value: Json<'a>, list: Json<'_>, member: &str, kind: Kind) -> Option<Json<'a>> {
    let is_right = |found: &Json<'a>| match kind {
        // Most texts tell by their first letter, and are not copied for this.
        Kind::Text => found.word().bytes().next().is_some_and(|first| first.is_ascii_alphanumeric()) || !found.as_words().trim_ascii().is_empty(),
        Kind::Flag => found.as_bool().is_some(),
        Kind::Time => time(*found, list).is_some(),
        Kind::Array => found.is_array(),
        Kind::Any => true,
    };
    if let Some(said) = list.member("fields").get(member) {
        return said.items().find_map(|path| value.at(&path.as_words()).filter(is_right));
    }
    words(usual(member)?).find_map(|path| value.at(path).filter(is_right))
}

/// The same, as text.
pub fn find_text(value: Json<'_>, list: Json<'_>, member: &str) -> Option<Text> {
    find(value, list, member, Kind::Text)?.as_text()
}

/// The same, as a flag.
pub fn find_flag(value: Json<'_>, list: Json<'_>, member: &str) -> Option<bool> {
    find(value, list, member, Kind::Flag)?.as_bool()
}

/// How an answer with sessions is to be read, and for whom.
#[derive(Clone, Copy, Debug)]
pub struct Reading<'a> {
    /// The profile's list.
    pub list: Json<'a>,
    /// Where the one session is in the answer; `None` where that is a list.
    pub item: Option<&'a str>,
    /// What the caller wants, and what was asked.
    pub goal: Option<Operation>,
    /// What was asked.
    pub step: Option<Operation>,
    /// The id that the caller named.
    pub id: Json<'a>,
    /// The access token: some back-ends list sessions by theirs.
    pub access: &'a str,
    /// The current session's id, as far as it is known.
    pub current: Option<Json<'a>>,
    /// It is not the first page.
    pub is_paged: bool,
}

/// What an answer says of sessions, in JSON, for [`crate::client`]: see `listed` there. Empty where it is no answer with sessions.
pub fn listing(reading: &Reading<'_>, body: Json<'_>) -> Text {
    let Reading { list, goal, .. } = *reading;
    let entry = |item: Json<'_>, is_current| {
        let session = session(item, list, is_current);
        let id = find(item, list, "id", Kind::Text).unwrap_or(Json::NULL);
        Writer::new().json("id", id.source()).json("handle", handle(item, list).source()).json("session", &session).finish()
    };
    let mut out = Writer::new();
    if let Some(path) = reading.item {
        if let Some((item, id)) = body.at(path).and_then(|item| Some((item, find(item, list, "id", Kind::Text)?))) {
            let known = reading.current.filter(|_| goal != Some(Operation::Create)).map(|current| current.as_words() == id.as_words());
            out.json("found", &entry(item, if reading.step == Some(Operation::Current) { Some(true) } else { known }));
        }
        return out.finish();
    }
    let Some(items) = find(body, list, "items", Kind::Array) else { return out.finish() };
    if items.items().any(|item| find(item, list, "id", Kind::Text).is_none()) {
        return out.text("lacks", Some("id")).finish();
    }
    let id = |item| find(item, list, "id", Kind::Text).unwrap_or(Json::NULL);
    let words = |item| id(item).as_words();
    let named = find(body, list, "currentId", Kind::Text);
    let current = named.or(reading.current).unwrap_or(Json::NULL).as_words();
    // What a profile names counts, and not what marks may mean that it does not.
    let fields = list.member("fields");
    let is_named = named.is_some() && !fields.member("currentId").is_null() && fields.member("current").is_null();
    let is_marked = |item: Json<'_>| {
        let handle = handle(item, list).as_words();
        // Better Auth's tokens may come with a signature.
        let uses = !handle.is_empty() && reading.access.strip_prefix(handle.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
        find_flag(item, list, "current").filter(|_| !is_named).or(uses.then_some(true))
    };
    // Tokens that name none of the sessions tell nothing about any of them. A mark that only one of them has says something of the others.
    let (mut one_is, mut is_listed) = (false, false);
    for item in items.items() {
        one_is |= is_marked(item) == Some(true);
        is_listed |= words(item) == current;
    }
    let total = usual("total").and_then(|paths| number_at(body, paths));
    let next = find_text(body, list, "next");
    // Where a token's id is always a session's, it is on another page.
    let has_pages = reading.is_paged || next.is_some() || total.is_some_and(|total| total > items.items().count() as i64);
    let is_known = is_listed || list.is("isStable") && !current.is_empty() && has_pages;
    let is_current = |item| is_marked(item).or(if one_is { Some(false) } else { is_known.then(|| words(item) == current) });
    let (mut sessions, mut handles, mut currents, mut ids) = (List::default(), Writer::new(), List::default(), List::default());
    let (mut size, mut are_numbers, mut found) = (0, false, None);
    for item in items.items() {
        let is_current = is_current(item);
        size += 1;
        are_numbers = !id(item).is_string();
        if !list.member("handle").is_null() {
            handles.named(&words(item), handle(item, list).source());
        }
        let is_found = match goal {
            Some(Operation::Get | Operation::Revoke) => words(item) == reading.id.as_words(),
            Some(Operation::Current | Operation::RevokeCurrent | Operation::Logout) => is_current == Some(true),
            _ => false,
        };
        if goal == Some(Operation::List) {
            sessions.push(&session(item, list, is_current));
        } else if is_found {
            found = Some(entry(item, is_current));
        } else if is_current == Some(true) {
            currents.push(&quoted(&words(item)));
        } else if !is_over(item, list) {
            ids.push(&quoted(&words(item)));
        }
    }
    out.number("size", size).flag("areNumbers", are_numbers).optional("count", number_at(body, COUNTS)).optional("total", total);
    out.text("next", next.as_deref()).json("found", found.as_deref().unwrap_or("null"));
    out.json("currents", &currents.finish()).json("ids", &ids.finish()).json("handles", &handles.finish()).json("sessions", &sessions.finish()).finish()
}

/// What the revocation of a session takes for its id, where that is something else.
fn handle<'a>(item: Json<'a>, list: Json<'_>) -> Json<'a> {
    list.get("handle").and_then(|path| item.at(path.word())).unwrap_or(Json::NULL)
}

/// One session as JSON. `current`: whether it is the current one, where that is known.
pub fn session(item: Json<'_>, list: Json<'_>, current: Option<bool>) -> Text {
    if list.is("own") {
        return item.source().into();
    }
    let mut out = Writer::new();
    let text = |member: &str| find_text(item, list, member);
    for (member, how) in words(MEMBERS).zip(MAKING) {
        let json = match how {
            Member::Status => Some(quoted(status(item, list))),
            Member::Time => find(item, list, member, Kind::Time).and_then(|found| time(found, list)).map(|time| quoted(&time.to_iso())),
            Member::Current => current.map(|current| (if current { "true" } else { "false" }).into()),
            Member::Device => {
                // What the server makes of the user agent counts.
                let text = |member: &str| text(member).unwrap_or_default();
                let (agent, mut browser, os) = (text("userAgent"), text("browser"), text("os"));
                if browser.is_empty() && !os.is_empty() {
                    // Beside a system that is the browser; elsewhere it may be an OAuth client.
                    browser = Some(item.member("clientName").as_words()).filter(|name| !name.trim_ascii().is_empty()).unwrap_or_default();
                }
                let system = join(&os, " ", &text("deviceType"));
                (agent.len() + browser.len() + system.len() > 1).then(|| device::label(&agent, &system, &browser, find_flag(item, list, "isMobile")))
            }
            Member::Location => {
                let (city, country) = (text("city"), text("country"));
                (city.is_some() || country.is_some()).then(|| Writer::new().text("city", city.as_deref()).text("country", country.as_deref()).finish())
            }
            Member::Method => find(item, list, member, Kind::Any).and_then(|found| {
                let mut method = Writer::new();
                for (name, wire) in [("category", "category"), ("code", "code"), ("name", "displayName")] {
                    method.text(name, Some(&found.text(wire)?));
                }
                Some(method.finish())
            }),
            Member::Raw => Some(without_secrets(item)),
            Member::Text => find(item, list, member, Kind::Text).map(Json::as_quoted),
        };
        out.json(member, json.as_deref().unwrap_or("null"));
    }
    out.finish()
}

/// The item's state; a list that tells none holds live sessions.
fn status(item: Json<'_>, list: Json<'_>) -> &'static str {
    // Some write a moment before all time for "never".
    if find(item, list, "revoked", Kind::Time).and_then(|found| time(found, list)).is_some_and(|moment| moment.millis() > 0) {
        return "revoked";
    }
    let Some(word) = find_text(item, list, "status") else { return "active" };
    let word = list.get("statuses").and_then(|statuses| statuses.text(&word)).unwrap_or_else(|| word.to_ascii_lowercase().into());
    words(STATUSES).find(|known| *known == word).unwrap_or("unknown")
}

/// The session is known to be over.
pub fn is_over(item: Json<'_>, list: Json<'_>) -> bool {
    let status = status(item, list);
    words(STATUSES).skip(3).any(|over| over == status)
}

/// A time, as the list writes times. Seconds are what comes before 1973 as milliseconds, and after 5138 as seconds.
fn time(value: Json<'_>, list: Json<'_>) -> Option<Time> {
    let unit = list.text("time").unwrap_or_default();
    match value.as_str() {
        Some(text) => Time::parse_iso(&text),
        // Parse Server's dates.
        None if value.get("iso").is_some() => time(value.get("iso").filter(|iso| iso.get("iso").is_none())?, list),
        None if unit == "iso" => None,
        None if unit == "milliseconds" || unit != "seconds" && value.as_scaled(0)?.abs() >= 100_000_000_000 => Time::from_millis(value.as_scaled(0)?),
        None => Time::from_millis(value.as_scaled(3)?),
    }
}

fn without_secrets(value: Json<'_>) -> Text {
    value.map(&|name, value| (!is_secret(name, value)).then(|| without_secrets(value)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_at_the_same_places_in_lists_and_in_results() {
        assert_eq!(usual("count"), Some(COUNTS));
    }
}
