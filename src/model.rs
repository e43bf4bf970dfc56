//! What callers get: plain data, the same for every back-end. The names are those of the package's `index.d.ts`.

use crate::device;
use crate::json::Json;
use crate::time::Time;
use crate::value::Value;

/// How a member of a wire item is read.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// Text.
    Text,
    /// ISO 8601.
    Iso,
    /// Always this word.
    Fixed(&'static str),
}

/// Where one member of a session comes from: its name here, its name on the wire, and how to read it.
pub type Field = (&'static str, &'static str, Kind);

/// Every member of a session, in order; what a back-end's table leaves out is null.
const MEMBERS: [&str; 14] =
    ["id", "status", "createdAt", "lastActiveAt", "expiresAt", "userAgent", "ipAddress", "tenant", "userId", "current", "device", "location", "method", "raw"];

/// Reads one session by a back-end's table. `None` where the id is missing. `raw` is the item's JSON text, which the boundary parses.
pub fn session(item: Json<'_>, table: &[Field]) -> Option<Value> {
    let members = MEMBERS.iter().map(|member| {
        let value = match table.iter().find(|(name, ..)| name == member) {
            Some((_, _, Kind::Fixed(word))) => Value::Word(word),
            Some((_, wire, kind)) => {
                let text = item.text(wire);
                if let Kind::Iso = kind { Value::time(text.as_deref().and_then(Time::parse_iso)) } else { Value::text(text) }
            }
            None if *member == "raw" => Value::Text(item.source().to_owned()),
            None => Value::Null,
        };
        (*member, value)
    });
    let mut session = Value::Object(members.collect());
    if let Some(Value::Text(agent)) = session.get("userAgent") {
        let device = device::describe(agent);
        session.set("device", device);
    }
    (!session.str("id").is_empty()).then_some(session)
}

/// How an operation is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Support {
    /// By one request of the back-end's own.
    Native,
    /// By this client, from other requests.
    Emulated,
    /// Not at all.
    Unsupported,
}

impl Support {
    fn word(self) -> Value {
        Value::Word(match self {
            Self::Native => "native",
            Self::Emulated => "emulated",
            Self::Unsupported => "unsupported",
        })
    }
}

/// What a back-end can do.
#[derive(Clone, Copy, Debug)]
pub struct Capabilities {
    /// Its name.
    pub provider: &'static str,
    /// How each of [`OPERATIONS`] is done.
    pub operations: [Support; 11],
    /// What a revocation really ends: "immediate", "refresh-only" (access tokens go on working until they expire) or "unknown".
    pub effect: &'static str,
    /// A browser can call it.
    pub browser: bool,
}

/// The operations that capabilities tell of, in order.
pub const OPERATIONS: [&str; 11] =
    ["list", "get", "current", "revoke", "revokeCurrent", "revokeAll", "revokeOthers", "logout", "refresh", "create", "createToken"];

impl Capabilities {
    /// As callers see it.
    pub fn to_value(self) -> Value {
        let mut members = vec![("provider", Value::Word(self.provider))];
        members.extend(OPERATIONS.into_iter().zip(self.operations.map(Support::word)));
        members.extend([("effect", Value::Word(self.effect)), ("browser", Value::Flag(self.browser)), ("pageSize", Value::Null)]);
        Value::Object(members)
    }
}
