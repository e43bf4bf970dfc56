//! What callers get: plain data, the same for every back-end. The names are those of the package's `index.d.ts`.

use crate::device;
use crate::json::{Json, Writer, quoted};
use crate::time::Time;

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

/// One session by a back-end's table, as JSON. `current`: whether it is the current one, where that is known.
pub fn session(item: Json<'_>, table: &[Field], current: Option<bool>) -> String {
    let mut out = Writer::new();
    let field = |member: &str| table.iter().find(|(name, ..)| *name == member);
    for member in MEMBERS {
        let json = match (field(member), member) {
            (Some((_, _, Kind::Fixed(word))), _) => quoted(word),
            (Some((_, wire, Kind::Text)), _) => item.get(wire).filter(|value| value.is_string()).map(|value| value.source().to_owned()).unwrap_or_default(),
            (Some((_, wire, Kind::Iso)), _) => item.text(wire).as_deref().and_then(Time::parse_iso).map(|time| quoted(&time.to_iso())).unwrap_or_default(),
            (None, "device") => field("userAgent").and_then(|(_, wire, _)| item.text(wire)).map(|agent| device::describe(&agent)).unwrap_or_default(),
            (None, "raw") => item.without(&is_secret),
            (None, "current") => current.map_or("", |current| if current { "true" } else { "false" }).to_owned(),
            _ => String::new(),
        };
        out.json(member, if json.is_empty() { "null" } else { &json });
    }
    out.finish()
}

/// A member with such a name is a credential, whatever the back-end; `raw` leaves it out.
fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ["token", "tokens", "secret", "password", "apikey", "api_key"].iter().any(|end| name.ends_with(end))
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
    /// As callers see it, in JSON.
    pub fn to_json(self) -> String {
        let mut out = Writer::new();
        out.text("provider", Some(self.provider));
        for (name, support) in OPERATIONS.into_iter().zip(self.operations) {
            let word = match support {
                Support::Native => "native",
                Support::Emulated => "emulated",
                Support::Unsupported => "unsupported",
            };
            out.text(name, Some(word));
        }
        out.text("effect", Some(self.effect)).flag("browser", self.browser).json("pageSize", "null").finish()
    }
}
