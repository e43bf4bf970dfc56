//! Claims of a JSON Web Token (RFC 7519), read without checking the signature: only ever hints for display, never grounds for access.

use crate::json::Json;
use crate::time::Time;

/// The claims that tell something about sessions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Claims {
    /// The session id (`sid`).
    pub session_id: Option<String>,
    /// When the token runs out (`exp`).
    pub expires_at: Option<Time>,
    /// When it was issued (`iat`).
    pub issued_at: Option<Time>,
}

impl Claims {
    /// The claims of a token in compact form; none at all if it is not one.
    pub fn of(token: &str) -> Self {
        Self::read(token).unwrap_or_default()
    }

    fn read(token: &str) -> Option<Self> {
        let (_, rest) = token.split_once('.')?;
        let (payload, _) = rest.split_once('.')?;
        let bytes = decode_base64url(payload)?;
        let claims = Json::parse(&bytes)?;
        Some(Self {
            session_id: claims.text("sid").filter(|id| !id.is_empty()),
            expires_at: claims.number("exp").and_then(Time::from_seconds),
            issued_at: claims.number("iat").and_then(Time::from_seconds),
        })
    }

    /// How long such a token lives, in milliseconds: the one figure about lifetimes that does not depend on a local clock.
    pub fn lifetime(&self) -> Option<i64> {
        let lifetime = self.expires_at?.millis() - self.issued_at?.millis();
        (lifetime > 0).then_some(lifetime)
    }
}

/// RFC 4648, section 5, without padding.
fn decode_base64url(text: &str) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len() / 4 * 3 + 2);
    let (mut buffer, mut bits) = (0u32, 0);
    for byte in text.bytes() {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'-' => 62,
            b'_' => 63,
            b'=' => break,
            _ => return None,
        };
        buffer = buffer << 6 | u32::from(value);
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            out.push((buffer >> bits) as u8);
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_claims() {
        // {"sid":"s-1","exp":1767225600,"iat":1767222000,"aud":["é"]}
        let claims = Claims::of("h.eyJzaWQiOiJzLTEiLCJleHAiOjE3NjcyMjU2MDAsImlhdCI6MTc2NzIyMjAwMCwiYXVkIjpbIsOpIl19.s");
        assert_eq!(claims.session_id.as_deref(), Some("s-1"));
        assert_eq!(claims.expires_at.map(Time::to_iso).as_deref(), Some("2026-01-01T00:00:00.000Z"));
        assert_eq!(claims.lifetime(), Some(3_600_000));
    }

    #[test]
    fn anything_else_has_no_claims() {
        for token in ["", "opaque", "a.b", "a.!!.c", "h.bm9qc29u.s", "h.W10.s", "h.eyJleHAiOiJ4In0.s", "...", "h.4.s"] {
            assert_eq!(Claims::of(token), Claims::default(), "{token}");
        }
        // {"exp":1e300,"sid":""} and {"exp":9223372036854775807}
        assert_eq!(Claims::of("h.eyJleHAiOjFlMzAwLCJzaWQiOiIifQ.s"), Claims::default());
        assert_eq!(Claims::of("h.eyJleHAiOjkyMjMzNzIwMzY4NTQ3NzU4MDd9.s"), Claims::default());
    }
}
