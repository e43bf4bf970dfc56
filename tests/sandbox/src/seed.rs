//! The people and devices of a fresh sandbox.

use crate::ambient::{Random, random_uuid};
use crate::store::{Session, Store, User};
use crate::tokens::{PASSWORD_ROUNDS, PasswordHash};

/// E-mail address and password of the user who has many devices.
pub const DEMO: (&str, &str) = ("demo@example.com", "demo-password");
/// E-mail address and password of somebody else.
pub const OTHER: (&str, &str) = ("other@example.com", "other-password");

/// Application and client of a sign-in that names none.
pub const DEFAULT_APPLICATION: &str = "app-web";
/// See [`DEFAULT_APPLICATION`].
pub const DEFAULT_CLIENT: &str = "web-client";
/// A second application, so that lists can be filtered.
pub const MOBILE_APPLICATION: &str = "app-mobile";
/// See [`MOBILE_APPLICATION`].
pub const MOBILE_CLIENT: &str = "mobile-client";
/// Tenant of new sessions.
pub const DEFAULT_TENANT: &str = "Acme";

const MINUTE: i64 = 60 * 1000;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
/// Seeded devices live longer than a sign-in does by default, so that the demo is not empty after a week.
const LIFETIME: i64 = 30 * DAY;

struct Device {
    mobile: bool,
    created: i64,
    last_active: i64,
    user_agent: Option<&'static str>,
    ip: Option<&'static str>,
    tenant: Option<&'static str>,
    place: Option<(&'static str, &'static str)>,
}

/// Addresses are from the ranges for documentation (RFC 5737, RFC 3849).
const DEMO_DEVICES: &[Device] = &[
    Device {
        mobile: false,
        created: 2 * HOUR,
        last_active: 4 * MINUTE,
        user_agent: Some("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/152.0.0.0 Safari/537.36"),
        ip: Some("203.0.113.24"),
        tenant: Some("Acme"),
        place: Some(("Warsaw", "PL")),
    },
    Device {
        mobile: true,
        created: 9 * HOUR,
        last_active: 38 * MINUTE,
        user_agent: Some(
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.4 Mobile/15E148 Safari/604.1",
        ),
        ip: Some("2001:db8:4f2:1c00::7"),
        tenant: Some("Acme"),
        place: Some(("Warsaw", "PL")),
    },
    Device {
        mobile: false,
        created: DAY + 3 * HOUR,
        last_active: 5 * HOUR,
        user_agent: Some("Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:151.0) Gecko/20100101 Firefox/151.0"),
        ip: Some("198.51.100.77"),
        tenant: Some("Acme"),
        place: Some(("Kraków", "PL")),
    },
    Device { mobile: false, created: 2 * DAY + 6 * HOUR, last_active: 2 * DAY + 5 * HOUR, user_agent: None, ip: None, tenant: None, place: None },
    Device {
        mobile: true,
        created: 3 * DAY + HOUR,
        last_active: 21 * HOUR,
        user_agent: Some(
            "Mozilla/5.0 (Linux; Android 16; SAMSUNG SM-S938B) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/29.0 Chrome/136.0.0.0 Mobile Safari/537.36",
        ),
        ip: Some("203.0.113.140"),
        tenant: Some("Acme"),
        place: Some(("Berlin", "DE")),
    },
    Device {
        mobile: false,
        created: 4 * DAY + 10 * HOUR,
        last_active: 2 * DAY,
        user_agent: Some("Mozilla/5.0 (iPad; CPU OS 18_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.4 Mobile/15E148 Safari/604.1"),
        ip: Some("2001:db8:4f2:1c00::b"),
        tenant: Some("Acme"),
        place: Some(("Warsaw", "PL")),
    },
    Device {
        mobile: false,
        created: 12 * DAY,
        last_active: 11 * DAY + 2 * HOUR,
        user_agent: Some("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/151.0.0.0 Safari/537.36 Edg/151.0.0.0"),
        ip: Some("198.51.100.9"),
        tenant: Some("Globex"),
        place: Some(("Lisbon", "PT")),
    },
];

const OTHER_DEVICES: &[Device] = &[
    Device {
        mobile: false,
        created: 5 * HOUR,
        last_active: 12 * MINUTE,
        user_agent: Some("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.4 Safari/605.1.15"),
        ip: Some("203.0.113.201"),
        tenant: Some("Globex"),
        place: Some(("Gdańsk", "PL")),
    },
    Device {
        mobile: true,
        created: 6 * DAY,
        last_active: 3 * DAY,
        user_agent: Some("Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/152.0.0.0 Mobile Safari/537.36"),
        ip: Some("198.51.100.160"),
        tenant: Some("Globex"),
        place: Some(("Gdańsk", "PL")),
    },
];

/// How much was put into a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seeded {
    /// Users.
    pub users: usize,
    /// Sessions of all of them.
    pub sessions: usize,
}

/// Replaces everything in the store by the demo users and their devices, at times relative to `now`.
pub fn seed(store: &Store, random: &dyn Random, now: i64) -> anyhow::Result<Seeded> {
    let mut users = Vec::new();
    let mut sessions = Vec::new();
    let people = [(DEMO, "Dana Demo", DEMO_DEVICES), (OTHER, "Oskar Other", OTHER_DEVICES)];
    for ((email, password), name, devices) in people {
        let mut salt = [0u8; 16];
        random.fill(&mut salt)?;
        let user = User { seq: 0, id: random_uuid(random)?, email: email.to_owned(), name: name.to_owned() };
        for device in devices {
            sessions.push(session(random_uuid(random)?, &user.id, device, now));
        }
        users.push((user, PasswordHash::new(password, salt, PASSWORD_ROUNDS)));
    }
    // Oldest first: the order of insertion is the order of age.
    sessions.sort_by_key(|session| session.created_at);
    store.replace_all(&users, &sessions)?;
    Ok(Seeded { users: users.len(), sessions: sessions.len() })
}

fn session(id: String, user_id: &str, device: &Device, now: i64) -> Session {
    let (application_id, client_id) = if device.mobile { (MOBILE_APPLICATION, MOBILE_CLIENT) } else { (DEFAULT_APPLICATION, DEFAULT_CLIENT) };
    Session {
        seq: 0,
        id,
        user_id: user_id.to_owned(),
        application_id: application_id.to_owned(),
        client_id: client_id.to_owned(),
        created_at: now - device.created,
        last_active_at: now - device.last_active,
        expires_at: now - device.created + LIFETIME,
        revoked_at: None,
        ended_by: None,
        user_agent: device.user_agent.map(str::to_owned),
        ip_address: device.ip.map(str::to_owned),
        tenant: device.tenant.map(str::to_owned),
        city: device.place.map(|(city, _)| city.to_owned()),
        country: device.place.map(|(_, country)| country.to_owned()),
    }
}
