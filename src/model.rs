//! What callers get: plain data, the same for every back-end. The names are those of the package's `index.d.ts`.
//!
//! A profile's list may say where each member is (`fields`: arrays of paths, the first that leads to something usable wins), how times are written (`time`:
//! "iso", "seconds", "milliseconds" or "auto", the default) and what the words for a state mean (`statuses`). What it does not say is looked for at the usual places.

use crate::device;
use crate::http::is_secret;
use crate::json::{Json, Writer, join, quoted, words};
use crate::time::Time;

/// Where things usually are, in sessions and in the answers around them: for each member, paths one after the other.
const USUAL: [&str; 22] = [
    "id:id session_id sessionId uuid $id _id objectId",
    "createdAt:created_at createdAt created started started_at $createdAt",
    "lastActiveAt:last_activity_at last_active_at last_activity lastActivity lastActiveAt last_seen last_seen_at lastSeen lastAccess last_used_at updatedAt updated_at",
    "expiresAt:expires_at expiresAt expires expire",
    "userAgent:user_agent_raw user_agent userAgent /device_info/user_agent /devices/0/user_agent",
    "browser:browser browser_name browserName /browser/name /device/browser /device_info/browser",
    "os:os os_name osName /os/name /device/os /device_info/os",
    "deviceType:device_type deviceType /device_info/device_type deviceName",
    "isMobile:is_mobile isMobile mobile /device_info/is_mobile",
    "ipAddress:ip_address ipAddress ip last_ip_address last_ip /device_info/ip_address /devices/0/ip_address /device_info/ip /devices/0/ip",
    "current:is_current isCurrent current",
    "status:status state",
    "revoked:revoked_at revokedAt",
    "userId:user_id userId",
    "tenant:tenant",
    "city:city /location/city",
    "country:country /location/country",
    "items: sessions items data results /data/sessions /data/items",
    "currentId:current_session_id currentSessionId /data/current_session_id",
    "next:next_cursor nextCursor cursor /data/next_cursor /data/nextCursor",
    "count:count revoked_count revokedCount /data/count /data/revoked_count /data/revokedCount",
    "total:total_count totalCount total /data/total_count /data/total",
];

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
    /// A whole number.
    Number,
    /// An array.
    Array,
    /// Anything.
    Any,
}

/// The first usable value at one of the places for a member: what the list says, or the usual ones.
pub fn find<'a>(value: Json<'a>, list: Json<'_>, member: &str, kind: Kind) -> Option<Json<'a>> {
    let is_right = |found: &Json<'a>| match kind {
        // Most texts tell by their first letter, and are not copied for this.
        Kind::Text => found.word().bytes().next().is_some_and(|first| first.is_ascii_alphanumeric()) || !found.as_words().trim_ascii().is_empty(),
        Kind::Flag => found.as_bool().is_some(),
        Kind::Time => time(*found, list).is_some(),
        Kind::Number => found.as_scaled(0).is_some(),
        Kind::Array => found.is_array(),
        Kind::Any => true,
    };
    if let Some(said) = list.member("fields").get(member) {
        return said.items().find_map(|path| value.at(&path.as_words()).filter(is_right));
    }
    let paths = USUAL.iter().find_map(|line| line.strip_prefix(member)?.strip_prefix(':'))?;
    words(paths).find_map(|path| value.at(path).filter(is_right))
}

/// The same, as text.
pub fn find_text(value: Json<'_>, list: Json<'_>, member: &str) -> Option<String> {
    find(value, list, member, Kind::Text)?.as_text()
}

/// The same, as a number of sessions: what JavaScript can't count to is none.
pub fn find_number(value: Json<'_>, list: Json<'_>, member: &str) -> Option<i64> {
    find(value, list, member, Kind::Number)?.as_scaled(0).filter(|number| (0..1 << 53).contains(number))
}

/// The same, as a flag.
pub fn find_flag(value: Json<'_>, list: Json<'_>, member: &str) -> Option<bool> {
    find(value, list, member, Kind::Flag)?.as_bool()
}

/// One session as JSON. `current`: whether it is the current one, where that is known.
pub fn session(item: Json<'_>, list: Json<'_>, current: Option<bool>) -> String {
    if list.is("own") {
        return item.source().to_owned();
    }
    let mut out = Writer::new();
    let text = |member: &str| find_text(item, list, member);
    for (member, how) in words(MEMBERS).zip(MAKING) {
        let json = match how {
            Member::Status => Some(quoted(status(item, list))),
            Member::Time => find(item, list, member, Kind::Time).and_then(|found| time(found, list)).map(|time| quoted(&time.to_iso())),
            Member::Current => current.map(|current| (if current { "true" } else { "false" }).to_owned()),
            Member::Device => {
                // What the server makes of the user agent counts.
                let text = |member: &str| text(member).unwrap_or_default();
                let (agent, mut browser, os) = (text("userAgent"), text("browser"), text("os"));
                if browser.is_empty() && !os.is_empty() {
                    // Beside a system that is the browser; elsewhere it may be an OAuth client.
                    browser = item.member("clientName").as_words();
                }
                let system = join(&[&os, " ", &text("deviceType")]);
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
    let word = list.get("statuses").and_then(|statuses| statuses.text(&word)).unwrap_or_else(|| word.to_ascii_lowercase());
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
        None if value.get("iso").is_some() => time(value.get("iso")?, list),
        None if unit == "iso" => None,
        None if unit == "milliseconds" || unit != "seconds" && value.as_scaled(0)?.abs() >= 100_000_000_000 => Time::from_millis(value.as_scaled(0)?),
        None => Time::from_millis(value.as_scaled(3)?),
    }
}

fn without_secrets(value: Json<'_>) -> String {
    value.map(&|name, value| (!is_secret(name, value)).then(|| without_secrets(value)))
}
