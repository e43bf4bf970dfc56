//! HTTP as plain values: requests to make, responses to read, and the rules that keep them safe.

use crate::json::quoted;

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
        self.path.split('?').next().unwrap_or_default()
    }

    /// The path with the inputs filled in.
    pub fn fill_path(&self, input: &dyn Fn(&str) -> Option<String>) -> String {
        let mut out = String::new();
        let mut next = '?';
        for (index, part) in self.path.split(['?', '&']).enumerate() {
            let mut filled = String::new();
            let mut complete = true;
            // Between braces stands the name of an input.
            for (index, piece) in part.split(['{', '}']).enumerate() {
                if index % 2 == 0 {
                    filled.push_str(piece);
                } else if let Some(value) = input(piece) {
                    push_encoded(&mut filled, &value);
                } else {
                    complete = false;
                }
            }
            if index == 0 {
                out = filled;
            } else if complete {
                out.push(next);
                out.push_str(&filled);
                next = '&';
            }
        }
        out
    }

    /// The body with the inputs filled in.
    pub fn fill_body(&self, input: &dyn Fn(&str) -> Option<String>) -> Option<String> {
        let mut out = String::from("{");
        for (name, value) in self.body? {
            let json = match value.strip_prefix('=') {
                Some(json) => json.to_owned(),
                None => match input(value) {
                    Some(text) => quoted(&text),
                    None => continue,
                },
            };
            if out.len() > 1 {
                out.push(',');
            }
            out.push_str(&quoted(name));
            out.push(':');
            out.push_str(&json);
        }
        out.push('}');
        Some(out)
    }
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
        self.header("set-cookie")?.split(',').find_map(|cookie| {
            let (found, rest) = cookie.split_once('=')?;
            let value = rest.split(';').next()?;
            (found.trim_ascii() == name && !value.is_empty()).then(|| value.to_owned())
        })
    }
}

/// Where a back-end is: an absolute http(s) URL without query, fragment or user information, and without a slash at its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BaseUrl {
    url: String,
    secure: bool,
}

impl BaseUrl {
    /// Reads a base URL, path prefix included; the error says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let text = text.trim_end_matches('/');
        let (https, rest) = if let Some(rest) = strip_scheme(text, "https://") {
            (true, rest)
        } else if let Some(rest) = strip_scheme(text, "http://") {
            (false, rest)
        } else {
            return Err("baseUrl must start with https:// (or http:// for loopback)");
        };
        // What a URL parser could read otherwise than this function does is refused: both must see the same host.
        if text.len() > 2048 || text.bytes().any(|byte| byte <= b' ' || b"?#@\\%\x7f".contains(&byte)) {
            return Err("baseUrl must be a plain URL: scheme, host, optional port and path, nothing else");
        }
        let authority = rest.split('/').next().unwrap_or_default();
        let host = match authority.strip_prefix('[') {
            Some(v6) => match v6.split_once(']') {
                Some((v6, port)) if port.is_empty() || port.starts_with(':') => v6,
                _ => return Err("baseUrl has a malformed host"),
            },
            None => authority.split(':').next().unwrap_or_default(),
        };
        if host.is_empty() || rest.split('/').any(|segment| segment == "." || segment == "..") {
            return Err("baseUrl needs a host, and a path without . and ..");
        }
        Ok(Self { url: text.to_owned(), secure: https || is_loopback(host) })
    }

    /// Nobody between here and there can read along: https, or this very machine.
    pub fn is_secure(&self) -> bool {
        self.secure
    }

    /// The whole URL of a path.
    pub fn join(&self, path: &str) -> String {
        [self.url.as_str(), path].concat()
    }
}

fn strip_scheme<'a>(text: &'a str, scheme: &str) -> Option<&'a str> {
    let (start, rest) = text.split_at_checked(scheme.len())?;
    start.eq_ignore_ascii_case(scheme).then_some(rest)
}

fn is_loopback(host: &str) -> bool {
    let v4 = host.starts_with("127.") && host.split('.').count() == 4 && host.split('.').all(|part| part.parse::<u8>().is_ok());
    v4 || host == "::1" || host.eq_ignore_ascii_case("localhost") || host.to_ascii_lowercase().ends_with(".localhost")
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
    fn base_urls() {
        for (text, url, secure) in [
            ("https://auth.example.com", "https://auth.example.com/s", true),
            ("https://auth.example.com/prefix/", "https://auth.example.com/prefix/s", true),
            ("HTTPS://a:8443//", "HTTPS://a:8443/s", true),
            ("http://localhost:3000", "http://localhost:3000/s", true),
            ("http://app.localhost", "http://app.localhost/s", true),
            ("http://127.8.0.1", "http://127.8.0.1/s", true),
            ("http://[::1]:80/x", "http://[::1]:80/x/s", true),
            ("http://auth.example.com", "http://auth.example.com/s", false),
            ("http://127.0.0.1.evil.example", "http://127.0.0.1.evil.example/s", false),
            ("http://127.evil.0.1", "http://127.evil.0.1/s", false),
            ("http://localhost.evil.example", "http://localhost.evil.example/s", false),
            ("http://[::2]", "http://[::2]/s", false),
        ] {
            let base = BaseUrl::parse(text).unwrap();
            assert_eq!((base.join("/s").as_str(), base.is_secure()), (url, secure));
        }
        for text in [
            "",
            "auth.example.com",
            "//a",
            "ftp://a",
            "https://",
            "https:///x",
            "https://u:p@a",
            "https://a?b",
            "https://a#b",
            "https://a\\b",
            "https://a b",
            "https://a\n",
            "https://a%2e",
            "https://a/../b",
            "https://[::1",
            "https://[::1]x",
            "javascript:alert(1)",
            "http://localhost\\@evil.example",
        ] {
            assert!(BaseUrl::parse(text).is_err(), "{text}");
        }
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
