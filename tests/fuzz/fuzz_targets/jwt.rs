//! Claims of tokens: the payload is what was encoded, and whatever it says, times are within the years that can be written.
#![no_main]

use auth_sessions::{
    json::{Document, root},
    jwt::{Claims, payload},
    time::Time,
};
use auth_sessions_fuzz::encoding::base64url;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let encoded = format!("h.{}.s", base64url(data));
    assert_eq!(payload(&encoded), data, "what was encoded is decoded");
    claims(&payload(&encoded));
    let Ok(token) = std::str::from_utf8(data) else { return };
    let bytes = payload(token);
    claims(&bytes);
    if !bytes.is_empty() {
        let part = token.split('.').nth(1).expect("a second part");
        let part = part.split('=').next().unwrap_or_default();
        // The last character may hold bits that stand for nothing.
        let again = base64url(&bytes);
        assert!(part.len() - again.len() < 2 && again.get(..again.len() - 1) == part.get(..again.len() - 1), "{part} {again}");
    }
});

fn claims(payload: &[u8]) {
    let document = Document::parse(payload);
    let claims = Claims::read(root(&document));
    assert!(claims.lifetime().is_none_or(|lifetime| lifetime > 0));
    assert!(claims.session_id.is_none_or(|id| id.is_string() && !id.as_words().is_empty()));
    for time in [claims.expires_at, claims.issued_at].into_iter().flatten() {
        assert_eq!(Time::parse_iso(&time.to_iso()), Some(time));
    }
}
