//! Claims of a JSON Web Token (RFC 7519), read without checking the signature: only ever hints for display, never grounds for access.

use crate::json::{Json, cut};
use crate::time::Time;

/// The claims that tell something about sessions.
#[derive(Clone, Copy, Debug, Default)]
pub struct Claims<'a> {
    /// The session id (`sid`; in KSeF's tokens `arn`).
    pub session_id: Option<Json<'a>>,
    /// Whose token it is (`sub`).
    pub user: Option<Json<'a>>,
    /// When the token runs out (`exp`).
    pub expires_at: Option<Time>,
    /// When it was issued (`iat`).
    pub issued_at: Option<Time>,
}

/// The payload of a token in compact form; empty if it is not one.
pub fn payload(token: &str) -> Vec<u8> {
    let (_, rest) = cut(token, b'.').unwrap_or_default();
    let (payload, _) = cut(rest, b'.').unwrap_or_default();
    decode_base64url(payload).unwrap_or_default()
}

impl<'a> Claims<'a> {
    /// The claims that are among these.
    pub fn read(claims: Json<'a>) -> Self {
        let time = |name| claims.number(name).and_then(Time::from_seconds);
        Self {
            session_id: claims.get("sid").or_else(|| claims.get("arn")).filter(|id| !id.word().is_empty()),
            user: claims.get("sub"),
            expires_at: time("exp"),
            issued_at: time("iat"),
        }
    }

    /// How long such a token lives, in milliseconds: the one figure about lifetimes that does not depend on a local clock.
    pub fn lifetime(&self) -> Option<i64> {
        let lifetime = self.expires_at?.millis() - self.issued_at?.millis();
        (lifetime > 0).then_some(lifetime)
    }
}

/// RFC 4648, section 5, without padding.
fn decode_base64url(text: &str) -> Option<Vec<u8>> {
    let mut out = Vec::new();
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
    use crate::json::{Document, root};
    use crate::text::Text;

    fn times(token: &str) -> (Option<Text>, Option<Text>, Option<i64>) {
        let payload = payload(token);
        let document = Document::parse(&payload);
        let claims = Claims::read(root(&document));
        (claims.session_id.map(Json::as_words), claims.expires_at.map(Time::to_iso), claims.lifetime())
    }

    #[test]
    fn reads_claims() {
        // {"sid":"s-1","exp":1767225600,"iat":1767222000,"aud":["é"]}
        let found = times("h.eyJzaWQiOiJzLTEiLCJleHAiOjE3NjcyMjU2MDAsImlhdCI6MTc2NzIyMjAwMCwiYXVkIjpbIsOpIl19.s");
        assert_eq!(found, (Some("s-1".into()), Some("2026-01-01T00:00:00.000Z".into()), Some(3_600_000)));
    }

    #[test]
    fn anything_else_has_no_claims() {
        for token in ["", "opaque", "a.b", "a.!!.c", "h.bm9qc29u.s", "h.W10.s", "h.eyJleHAiOiJ4In0.s", "...", "h.4.s"] {
            assert_eq!(times(token), (None, None, None), "{token}");
        }
        // {"exp":1e300,"sid":""} and {"exp":9223372036854775807}
        assert_eq!(times("h.eyJleHAiOjFlMzAwLCJzaWQiOiIifQ.s"), (None, None, None));
        assert_eq!(times("h.eyJleHAiOjkyMjMzNzIwMzY4NTQ3NzU4MDd9.s"), (None, None, None));
    }
}
