//! HTTP as plain values: requests to make, responses to read, and the rules that keep them safe.

use crate::json::{Writer, join};

/// The methods that back-ends use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Read.
    Get,
    /// Do.
    Post,
    /// Replace.
    Put,
    /// Change.
    Patch,
    /// Remove.
    Delete,
}

impl Method {
    /// The name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

/// Which credential a request carries in `Authorization`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Auth {
    /// The access token; without one nothing is sent.
    Access,
    /// The access token if there is one.
    Optional,
    /// Nothing: the credential is in the body, or in a cookie.
    None,
}

/// One operation of a back-end, as data. `{name}` stands for an input of that name.
#[derive(Clone, Copy, Debug)]
pub struct Endpoint {
    /// The method.
    pub method: Method,
    /// The path, relative to the base URL, as it may be shown; inputs are percent-encoded. A query parameter without its input is left out.
    pub path: &'static str,
    /// The JSON object in the body: names, and inputs or `=` and JSON. A member without its input is left out.
    pub body: Option<&'static [(&'static str, &'static str)]>,
    /// The credential in `Authorization`.
    pub auth: Auth,
    /// A `Cookie` header; only servers can send one.
    pub cookie: Option<&'static str>,
}

impl Endpoint {
    /// An endpoint without a body, for the caller's own session.
    pub const fn new(method: Method, path: &'static str) -> Self {
        Self { method, path, body: None, auth: Auth::Access, cookie: None }
    }

    /// With a JSON body.
    #[must_use]
    pub const fn body(mut self, members: &'static [(&'static str, &'static str)]) -> Self {
        self.body = Some(members);
        self
    }

    /// With another credential.
    #[must_use]
    pub const fn auth(mut self, auth: Auth) -> Self {
        self.auth = auth;
        self
    }

    /// With a cookie that a server sends.
    #[must_use]
    pub const fn cookie(mut self, cookie: &'static str) -> Self {
        self.cookie = Some(cookie);
        self
    }

    /// The path as it may be shown: without the query.
    pub fn template(&self) -> &'static str {
        without_query(self.path)
    }

    /// The path with the inputs filled in.
    pub fn fill_path(&self, input: &dyn Fn(&str) -> Option<String>) -> String {
        let mut out = String::new();
        // Where the parameter at hand begins, and whether it has its input.
        let (mut begin, mut complete) = (0, true);
        let mut rest = self.path;
        while let Some(next) = rest.chars().next() {
            rest = rest.get(next.len_utf8()..).unwrap_or_default();
            match next {
                '{' => {
                    let (name, after) = rest.split_once('}').unwrap_or_default();
                    rest = after;
                    match input(name) {
                        Some(value) => push_encoded(&mut out, &value),
                        None => complete = false,
                    }
                }
                '?' | '&' => {
                    if !complete {
                        out.truncate(begin);
                    }
                    begin = out.len();
                    complete = true;
                    out.push('&');
                }
                _ => out.push(next),
            }
        }
        if !complete {
            out.truncate(begin);
        }
        match out.split_once('&') {
            Some((path, query)) => join(&[path, "?", query]),
            None => out,
        }
    }

    /// The body with the inputs filled in.
    pub fn fill_body(&self, input: &dyn Fn(&str) -> Option<String>) -> Option<String> {
        let mut out = Writer::new();
        for (name, value) in self.body? {
            match value.strip_prefix('=') {
                Some(json) => {
                    out.json(name, json);
                }
                None => {
                    if let Some(text) = input(value) {
                        out.text(name, Some(&text));
                    }
                }
            }
        }
        Some(out.finish())
    }
}

/// A path, or a URL, up to its query.
pub fn without_query(path: &str) -> &str {
    path.split_once('?').map_or(path, |(path, _)| path)
}

/// Percent-encodes everything but the unreserved characters of RFC 3986, so that a value stays one path segment or one query value.
fn push_encoded(out: &mut String, value: &str) {
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push('%');
            for nibble in [byte >> 4, byte & 15] {
                out.push(char::from_digit(u32::from(nibble), 16).unwrap_or('0').to_ascii_uppercase());
            }
        }
    }
}

/// An answer.
#[derive(Clone, Debug, Default)]
pub struct Response {
    /// The status; 0 for a redirect that the browser hides.
    pub status: u16,
    /// The headers among [`READ_HEADERS`] that came, names in lower case.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: Vec<u8>,
}

/// The response headers that anything here looks at. Across origins a browser shows only those that the server exposes.
pub const READ_HEADERS: [&str; 3] = ["retry-after", "x-request-id", "set-cookie"];

impl Response {
    /// A header's value.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str())
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
    pub fn set_cookie(&self, name: &str) -> Option<String> {
        // Several Set-Cookie headers may arrive joined by commas; the names and values looked for hold none.
        let mut rest = self.header("set-cookie")?;
        loop {
            let (cookie, next) = rest.split_once(',').unwrap_or((rest, ""));
            let (found, value) = cookie.split_once('=').unwrap_or_default();
            let value = value.split_once(';').map_or(value, |(value, _)| value);
            if found.trim_ascii() == name && !value.is_empty() {
                return Some(value.to_owned());
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
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}

/// A bearer token as RFC 6750 writes it, and a little more: visible ASCII without spaces.
pub fn is_bearer(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// What a cookie's value may hold (RFC 6265, cookie-octet).
pub fn is_cookie_value(text: &str) -> bool {
    is_bearer(text) && !text.bytes().any(|byte| b"\",;\\".contains(&byte))
}

/// Cuts secrets out of text that a server or a library wrote, and bounds its length.
pub fn scrub(text: &str, secrets: &[String]) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(next) = rest.chars().next() {
        if out.len() > 500 {
            out.push('…');
            break;
        }
        if let Some(after) = secrets.iter().filter(|secret| secret.len() >= 4).find_map(|secret| rest.strip_prefix(secret.as_str())) {
            out.push_str("[redacted]");
            rest = after;
        } else {
            out.push(next);
            rest = rest.get(next.len_utf8()..).unwrap_or_default();
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_stay_one_segment() {
        for (id, expected) in [
            ("abc-1.2_3~4", "/s/abc-1.2_3~4/revoke"),
            ("../users", "/s/..%2Fusers/revoke"),
            ("a/b?c#d", "/s/a%2Fb%3Fc%23d/revoke"),
            ("é %", "/s/%C3%A9%20%25/revoke"),
            ("{id}", "/s/%7Bid%7D/revoke"),
        ] {
            assert_eq!(Endpoint::new(Method::Post, "/s/{id}/revoke").fill_path(&|_| Some(id.to_owned())), expected);
        }
    }

    #[test]
    fn what_has_no_input_is_left_out() {
        let endpoint = Endpoint::new(Method::Post, "/s?a={a}&b={b}&c={c}&d=1").body(&[("a", "a"), ("b", "b"), ("on", "=true")]);
        let input = |name: &str| match name {
            "a" => Some("x&\"y".to_owned()),
            "c" => Some("0".to_owned()),
            _ => None,
        };
        assert_eq!(endpoint.fill_path(&input), "/s?a=x%26%22y&c=0&d=1");
        assert_eq!(endpoint.fill_path(&|_| None), "/s?d=1");
        assert_eq!(endpoint.fill_body(&input).unwrap(), r#"{"a":"x&\"y","on":true}"#);
        assert_eq!(endpoint.fill_body(&|_| None).unwrap(), r#"{"on":true}"#);
        assert_eq!((endpoint.template(), Endpoint::new(Method::Get, "/s").fill_body(&input)), ("/s", None));
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
        let response = Response {
            headers: vec![("set-cookie", "a=1; Expires=Thu, 01 Jan 1970 00:00:00 GMT, refresh_token=x.y; Path=/, gone=; Max-Age=0".into())],
            ..Response::default()
        };
        assert_eq!(response.set_cookie("refresh_token").as_deref(), Some("x.y"));
        assert_eq!(response.set_cookie("gone"), None);
        assert_eq!(response.set_cookie("b"), None);
    }

    #[test]
    fn secrets_are_cut_out() {
        assert_eq!(scrub("token tok-123 is bad", &["tok-123".to_owned()]), "token [redacted] is bad");
        assert!(scrub(&"é".repeat(400), &[]).len() < 600);
    }
}
