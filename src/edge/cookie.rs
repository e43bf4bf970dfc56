//! Cookies of requests and answers, as RFC 6265bis has them.

use crate::http::is_cookie_value;
use crate::json::{Json, cut, decimal, join, push_hex, utf8};
use crate::text::Text;

/// What a browser keeps of a cookie: name and value, with the `=` between them (RFC 6265bis, 5.7).
pub(super) const MOST: usize = 4097;

/// The value of a cookie in a `Cookie` header. Of several with its name the first is the one with the longest path. A longer one than there can be is none.
pub(super) fn find(header: &str, name: &str) -> Option<Text> {
    let mut rest = header;
    while !rest.is_empty() {
        let (pair, after) = cut(rest, b';').unwrap_or((rest, ""));
        if let Some((found, value)) = cut(pair, b'=')
            && found.trim_ascii() == name
            && pair.trim_ascii().len() <= MOST
        {
            let value = value.trim_ascii();
            let found = decode(value.strip_prefix('"').and_then(|value| value.strip_suffix('"')).unwrap_or(value));
            // One that can't be read hides no other.
            if found.is_some() {
                return found;
            }
        }
        rest = after;
    }
    None
}

/// A `Set-Cookie` value: the pair, and its attributes. `age` in seconds; without one the cookie lives as long as the browser's session.
pub(super) fn set(cookie: Json<'_>, value: &str, age: Option<i64>) -> (Text, Text) {
    let age = age.map(|age| join("; Max-Age=", &decimal(age), "")).unwrap_or_default();
    (join(&cookie.member("name").as_words(), "=", &encode(value)), join(&age, &cookie.member("attributes").as_words(), ""))
}

/// Percent-encodes what can't stand in a cookie's value; tokens seldom have any of it.
fn encode(value: &str) -> Text {
    let mut out = String::new();
    for (at, byte) in value.bytes().enumerate() {
        let one = value.get(at..=at).unwrap_or_default();
        if byte != b'%' && is_cookie_value(one) {
            out.push_str(one);
        } else {
            out.push_str("%");
            push_hex(&mut out, byte);
        }
    }
    out.into()
}

/// Percent-decodes; `None` where it can't be, or is no text then.
pub(super) fn decode(text: &str) -> Option<Text> {
    let mut out = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = cut(rest, b'%') {
        out.extend_from_slice(before.as_bytes());
        let (digits, after) = after.split_at_checked(2)?;
        out.push(u8::from_str_radix(digits, 16).ok().filter(|_| !digits.starts_with('+'))?);
        rest = after;
    }
    out.extend_from_slice(rest.as_bytes());
    utf8(&out).map(Text::from)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Document;

    #[test]
    fn one_of_several_is_found() {
        for (header, expected) in [
            ("a=1; token=x.y; b=2", Some("x.y")),
            ("token=first; token=second", Some("first")),
            ("  token = \"quoted\" ;", Some("quoted")),
            ("token=a%2Bb%3D%3D", Some("a+b==")),
            ("token=a=b", Some("a=b")),
            ("token=", Some("")),
            ("tokens=1; atoken=2; Token=3; token", None),
            ("token=%zz", None),
            ("token=%zz; token=x", Some("x")),
            ("token=%2", None),
            ("token=%+1", None),
            ("token=%ff", None),
            ("", None),
            (";;;=;", None),
            (&*["token=", &"x".repeat(5000)].concat(), None),
        ] {
            assert_eq!(find(header, "token").as_deref(), expected, "{header}");
        }
    }

    #[test]
    fn what_is_set_is_found_again() {
        let spec = Document::read(r#"{"name":"t","attributes":"; Path=/; HttpOnly"}"#).unwrap();
        assert_eq!(set(spec.root(), "a.b-c", Some(60)), ("t=a.b-c".into(), "; Max-Age=60; Path=/; HttpOnly".into()));
        for token in ["a+b/c==", "100%", "a\"b,c;d\\e", "é\n"] {
            let (pair, _) = set(spec.root(), token, None);
            assert!(pair.bytes().all(|byte| byte.is_ascii_graphic()) && !pair.contains([';', ',', '"', '\\']), "{pair}");
            assert_eq!(find(&pair, "t").as_deref(), Some(token));
        }
        // The longest that browsers keep, also behind others.
        let longest = "x".repeat(MOST - 2);
        let (pair, _) = set(spec.root(), &longest, None);
        assert_eq!(find(&["a=1; ", &pair, " ; b=2"].concat(), "t").as_deref(), Some(&*longest));
    }
}
