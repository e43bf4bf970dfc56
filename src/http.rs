//! HTTP as plain values: requests to make, responses to read, and the rules that keep them safe.

use crate::json::{Json, cut, join, plain, push_hex, quoted, unescape, words};
use crate::text::Text;

/// A path with its inputs filled in: `{name}` becomes the input, percent-encoded. A query parameter without its input is left out.
pub fn fill_path(path: &str, input: &dyn Fn(&str) -> Option<Text>) -> Text {
    let mut out = String::new();
    let (path, query) = cut(path, b'?').unwrap_or((path, ""));
    fill_part(&mut out, path, input);
    let (mut rest, mut separator) = (query, "?");
    while !rest.is_empty() {
        let (parameter, after) = cut(rest, b'&').unwrap_or((rest, ""));
        let end = out.len();
        out.push_str(separator);
        if fill_part(&mut out, parameter, input) {
            separator = "&";
        } else {
            out.truncate(end);
        }
        rest = after;
    }
    out.into()
}

/// Whether everything in it has its input.
fn fill_part(out: &mut String, part: &str, input: &dyn Fn(&str) -> Option<Text>) -> bool {
    let mut rest = part;
    while let Some((before, after)) = cut(rest, b'{') {
        let (name, after) = cut(after, b'}').unwrap_or_default();
        out.push_str(before);
        let Some(value) = input(name) else { return false };
        push_encoded(out, &plain(&value));
        rest = after;
    }
    out.push_str(rest);
    true
}

/// As it would stand in an address.
pub fn encoded(text: &str) -> Text {
    let mut out = String::new();
    push_encoded(&mut out, text);
    out.into()
}

/// JSON with its inputs filled in: a string that is `{name}` and nothing else becomes that input. A member of an object without its input is left out.
pub fn fill(template: Json<'_>, input: &dyn Fn(&str) -> Option<Text>) -> Option<Text> {
    if let Some(name) = template.word().strip_prefix("{").and_then(|rest| rest.strip_suffix("}")) {
        return input(name);
    }
    Some(template.map(&|_, value| fill(value, input)))
}

/// The same path with a slash at its end, or without it.
pub fn other_slash(path: &str) -> Text {
    path.strip_suffix("/").map_or_else(|| join(path, "/", ""), Text::from)
}

/// A path, or a URL, up to its query.
pub fn without_query(path: &str) -> &str {
    cut(path, b'?').map_or(path, |(path, _)| path)
}

/// Percent-encodes everything but the unreserved characters of RFC 3986, so that a value stays one path segment or one query value.
fn push_encoded(out: &mut String, value: &str) {
    for (at, byte) in value.bytes().enumerate() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            out.push_str(value.get(at..=at).unwrap_or_default());
        } else {
            out.push_str("%");
            push_hex(out, byte);
        }
    }
}

/// An answer.
#[derive(Clone, Copy, Debug)]
pub struct Response<'a> {
    /// The status; 0 for a redirect that the browser hides.
    pub status: i64,
    /// The headers among [`READ_HEADERS`] that came, names in lower case: a JSON object.
    pub headers: Json<'a>,
    /// The body; null where it is not JSON.
    pub body: Json<'a>,
    /// It is a page for people (a proxy's, or one to sign in), or JSON that breaks off.
    pub is_page: bool,
    /// The body says nothing: there is none, or it is no JSON, but a page or half an answer.
    pub is_broken: bool,
}

/// The response headers that anything here looks at. Across origins a browser shows only those that the server exposes.
pub const READ_HEADERS: [&str; 8] =
    ["retry-after", "x-retry-after", "x-ratelimit-reset", "x-request-id", "set-cookie", "location", "x-system-warning", "www-authenticate"];

impl Response<'_> {
    /// A header's value.
    pub fn header(&self, name: &str) -> Option<Text> {
        self.headers.text(name)
    }

    /// 2xx.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// A redirect, shown or hidden. Never followed: it could carry a secret to another origin.
    pub fn is_redirect(&self) -> bool {
        self.status == 0 || (300..400).contains(&self.status)
    }

    /// The value of a cookie that this answer sets; only servers can see it.
    pub fn set_cookie(&self, name: &str) -> Option<Text> {
        // Several Set-Cookie headers may arrive joined by commas; the names and values looked for hold none.
        let header = self.header("set-cookie")?;
        let mut rest = header.as_str();
        loop {
            let (cookie, next) = cut(rest, b',').unwrap_or((rest, ""));
            let (found, value) = cut(cookie, b'=').unwrap_or_default();
            let value = cut(value, b';').map_or(value, |(value, _)| value);
            if found.trim_ascii() == name && !value.is_empty() {
                return Some(value.into());
            }
            if next.is_empty() {
                return None;
            }
            rest = next;
        }
    }
}

/// A header's name and value can be sent as they are (RFC 9110, 5.1 and 5.5).
pub fn is_valid_header(name: &str, value: &str) -> bool {
    is_token(name) && value.chars().all(|c| c == '\t' || (' '..='\u{ff}').contains(&c) && c != '\u{7f}')
}

/// An RFC 9110 token: header and cookie names.
pub fn is_token(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'(' | b')' | b',' | b'/' | b':'..=b'@' | b'[' | b'\\' | b']' | b'{' | b'}'))
}

/// A bearer token as RFC 6750 writes it, and a little more: visible ASCII without spaces.
pub fn is_bearer(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// What a cookie's value may hold (RFC 6265, cookie-octet).
pub fn is_cookie_value(text: &str) -> bool {
    is_bearer(text) && !text.bytes().any(|byte| matches!(byte, b'"' | b',' | b';' | b'\\'))
}

/// Cuts secrets out of text that a server or a library wrote, and bounds its length.
pub fn scrub(text: &str, secrets: &[Text]) -> Text {
    let mut out = String::new();
    let mut rest = text;
    while !rest.is_empty() {
        if out.len() > 500 {
            out.push_str("…");
            break;
        }
        // The longest: one may begin as another does.
        let mut size = 3;
        for secret in secrets {
            if secret.len() > size && rest.starts_with(secret.as_str()) {
                size = secret.len();
            }
        }
        if size > 3 {
            out.push_str("[redacted]");
            rest = rest.get(size..).unwrap_or_default();
        } else {
            let next = (1..rest.len()).find(|at| rest.is_char_boundary(*at)).unwrap_or(rest.len());
            out.push_str(rest.get(..next).unwrap_or_default());
            rest = rest.get(next..).unwrap_or_default();
        }
    }
    out.into()
}

/// The same for the strings and names in JSON, without what has a secret's name.
pub fn scrub_json(json: Json<'_>, secrets: &[Text]) -> Text {
    if let Some(text) = json.as_str() {
        return quoted(&scrub(&text, secrets));
    }
    json.map(&|name, value| {
        // As it is read: escapes would hide it.
        let plain = unescape(name);
        (!is_secret(name, value) && scrub(&plain, secrets) == plain).then(|| scrub_json(value, secrets))
    })
}

/// A member with such a name is a credential, whatever the back-end. Numbers and flags are none. (The last one would be the prototype of a copy.)
pub fn is_secret(name: &str, value: Json<'_>) -> bool {
    if !matches!(value.source().as_bytes().first(), Some(b'"' | b'[' | b'{')) {
        return false;
    }
    // As it is read: escapes would hide it.
    let name = unescape(name).to_ascii_lowercase();
    words("token tokens secret password apikey api_key __proto__").any(|end| name.ends_with(end))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Document;

    #[test]
    fn ids_stay_one_segment() {
        for (id, expected) in [
            ("abc-1.2_3~4", "/s/abc-1.2_3~4/revoke"),
            ("../users", "/s/..%2Fusers/revoke"),
            ("a/b?c#d", "/s/a%2Fb%3Fc%23d/revoke"),
            ("é %", "/s/%C3%A9%20%25/revoke"),
            ("{id}", "/s/%7Bid%7D/revoke"),
        ] {
            assert_eq!(fill_path("/s/{id}/revoke", &|_| Some(quoted(id))), expected);
        }
    }

    #[test]
    fn what_has_no_input_is_left_out() {
        let input = |name: &str| match name {
            "a" => Some(quoted("x&\"y")),
            "c" => Some("0".into()),
            "n" => Some("null".into()),
            _ => None,
        };
        assert_eq!(fill_path("/s&t?a={a}&b={b}&c={c}&d=1", &input), "/s&t?a=x%26%22y&c=0&d=1");
        assert_eq!(fill_path("/s?a={a}&d=1&b={b}", &|_| None), "/s?d=1");
        assert_eq!(fill_path("/s?a={a}", &|_| None), "/s");
        let body = |template: &str, input: &dyn Fn(&str) -> Option<Text>| fill(Document::read(template).unwrap().root(), input);
        let template = r#"{"a":"{a}","b":"{b}","c":["{c}",{"on":true,"x":"{a} "}],"n":"{n}"}"#;
        assert_eq!(body(template, &input).unwrap(), r#"{"a":"x&\"y","c":[0,{"on":true,"x":"{a} "}],"n":null}"#);
        assert_eq!(body(template, &|_| None).unwrap(), r#"{"c":[{"on":true,"x":"{a} "}]}"#);
        assert_eq!(body("\"{b}\"", &input), None);
    }

    #[test]
    fn the_other_slash() {
        assert_eq!((other_slash("/a"), other_slash("/a/")), ("/a/".into(), "/a".into()));
    }

    #[test]
    fn header_rules() {
        assert!(is_valid_header("X-Trace", "a b\té"));
        for (name, value) in [("", "a"), ("a b", "c"), ("a", "b\r\nc"), ("a", "\0"), ("a", "→"), ("a:", "b"), ("é", "b")] {
            assert!(!is_valid_header(name, value), "{name}: {value}");
        }
        assert!(is_bearer("eyJ.a-b_c~+/="));
        for token in ["", "Bearer x", "a\nb", "é"] {
            assert!(!is_bearer(token));
        }
    }

    #[test]
    fn cookies_that_an_answer_sets() {
        let headers = br#"{"set-cookie":"a=1; Expires=Thu, 01 Jan 1970 00:00:00 GMT, refresh_token=x.y; Path=/, gone=; Max-Age=0"}"#;
        let headers = Document::parse(headers).unwrap();
        let response = Response { status: 200, headers: headers.root(), body: Json::NULL, is_page: false, is_broken: false };
        assert_eq!(response.set_cookie("refresh_token").as_deref(), Some("x.y"));
        assert_eq!(response.set_cookie("gone"), None);
        assert_eq!(response.set_cookie("b"), None);
    }

    #[test]
    fn secrets_are_cut_out() {
        assert_eq!(scrub("token tok-123 is bad", &["tok-123".into()]), "token [redacted] is bad");
        assert_eq!(scrub("a tok-123.sig", &["tok-123".into(), "tok-123.sig".into()]), "a [redacted]");
        let details = Document::read(r#"{"a":[{"tok\u002d123":1,"b":2}]}"#).unwrap();
        assert_eq!(scrub_json(details.root(), &["tok-123".into()]), r#"{"a":[{"b":2}]}"#);
        assert!(scrub(&"é".repeat(400), &[]).len() < 600);
    }
}
