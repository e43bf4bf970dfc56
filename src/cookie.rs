//! Clearing cookies (RFC 6265bis): a cookie goes only if the deleting one has the same name, domain, path and partition, and is acceptable itself.

use crate::http::is_token;
use crate::json::{Json, List, join, quoted};

/// A cookie to clear.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CookieSpec {
    /// Name.
    pub name: String,
    /// Path; "/" where nothing is said.
    pub path: Option<String>,
    /// Domain; host-only where nothing is said.
    pub domain: Option<String>,
    /// Secure.
    pub secure: bool,
    /// SameSite.
    pub same_site: Option<SameSite>,
    /// Partitioned (CHIPS).
    pub partitioned: bool,
    /// HttpOnly, if that is known.
    pub http_only: Option<bool>,
}

/// SameSite.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SameSite {
    /// Never across sites.
    Strict,
    /// Across sites for navigation only.
    Lax,
    /// Always.
    None,
}

impl SameSite {
    /// The name in `Set-Cookie`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Strict => "Strict",
            Self::Lax => "Lax",
            Self::None => "None",
        }
    }
}

impl CookieSpec {
    /// Reads one from the options; the error says what is wrong with it.
    pub fn read(item: Json<'_>) -> Result<Self, &'static str> {
        let spec = Self {
            name: item.text("name").unwrap_or_default(),
            path: item.text("path"),
            domain: item.text("domain"),
            secure: item.flag("secure") == Some(true),
            same_site: item.text("sameSite").map(|name| match name.as_str() {
                "Strict" => SameSite::Strict,
                "Lax" => SameSite::Lax,
                _ => SameSite::None,
            }),
            partitioned: item.flag("partitioned") == Some(true),
            http_only: item.flag("httpOnly"),
        };
        spec.check()
    }

    /// Says what a browser would silently ignore, and sets what the name's prefix demands.
    pub fn check(mut self) -> Result<Self, &'static str> {
        // A leading dot means nothing to a browser, but the Cookie Store API refuses it.
        self.domain = self.domain.map(|domain| domain.strip_prefix('.').unwrap_or(&domain).to_ascii_lowercase());
        let path = self.path().as_bytes();
        let is_host = self.has_prefix("__Host-");
        let valid = is_token(&self.name)
            && path.first() == Some(&b'/')
            && path.iter().all(|byte| (b' '..=b'~').contains(byte) && *byte != b';')
            && self
                .domain
                .as_deref()
                .is_none_or(|domain| !is_host && !domain.is_empty() && domain.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-".contains(&byte)))
            && !(is_host && path != b"/");
        if !valid {
            return Err("cookies: a name is a token, a path starts with /, a domain is a host name; a __Host- cookie has no domain and the path /");
        }
        let needs_http = self.has_prefix("__Http-") || self.has_prefix("__Host-Http-");
        self.secure |= is_host || needs_http || self.has_prefix("__Secure-") || self.partitioned || self.same_site == Some(SameSite::None);
        if needs_http {
            self.http_only = Some(true);
        }
        Ok(self)
    }

    fn has_prefix(&self, prefix: &str) -> bool {
        self.name.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix))
    }

    /// The path it is cleared on.
    pub fn path(&self) -> &str {
        self.path.as_deref().unwrap_or("/")
    }

    /// What clears it: a `Set-Cookie` value.
    pub fn removal(&self) -> String {
        let mut out = join(&[&self.name, "=; Path=", self.path()]);
        if let Some(domain) = &self.domain {
            out.push_str("; Domain=");
            out.push_str(domain);
        }
        out.push_str("; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT");
        if self.secure {
            out.push_str("; Secure");
        }
        if self.http_only == Some(true) {
            out.push_str("; HttpOnly");
        }
        if let Some(same_site) = self.same_site {
            out.push_str("; SameSite=");
            out.push_str(same_site.as_str());
        }
        if self.partitioned {
            out.push_str("; Partitioned");
        }
        out
    }
}

/// The `Set-Cookie` values of a server, in JSON: host-only ones first and domain ones last, since stores that keep one entry per name then keep the wider one.
pub fn set_cookies(specs: &[CookieSpec]) -> String {
    let mut cookies = List::default();
    for wide in [false, true] {
        for spec in specs {
            if spec.domain.is_some() == wide {
                cookies.push(&quoted(&spec.removal()));
            }
        }
    }
    cookies.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(name: &str) -> CookieSpec {
        CookieSpec { name: name.into(), ..CookieSpec::default() }
    }

    const GONE: &str = "Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT";

    #[test]
    fn removals_have_the_attributes_of_the_cookie() {
        assert_eq!(spec("a").check().unwrap().removal(), format!("a=; Path=/; {GONE}"));
        let all = CookieSpec {
            path: Some("/app".into()),
            domain: Some(".Example.com".into()),
            same_site: Some(SameSite::None),
            partitioned: true,
            http_only: Some(true),
            ..spec("a")
        };
        let all = all.check().unwrap();
        assert_eq!(all.removal(), format!("a=; Path=/app; Domain=example.com; {GONE}; Secure; HttpOnly; SameSite=None; Partitioned"));
    }

    #[test]
    fn prefixes_are_kept() {
        for name in ["__Host-a", "__host-a", "__Secure-a", "__SECURE-a"] {
            assert_eq!(spec(name).check().unwrap().removal(), format!("{name}=; Path=/; {GONE}; Secure"));
        }
        for name in ["__Http-a", "__Host-Http-a"] {
            assert_eq!(spec(name).check().unwrap().removal(), format!("{name}=; Path=/; {GONE}; Secure; HttpOnly"));
        }
        assert!(CookieSpec { domain: Some("example.com".into()), ..spec("__Host-a") }.check().is_err());
        assert!(CookieSpec { path: Some("/app".into()), ..spec("__Host-a") }.check().is_err());
    }

    #[test]
    fn what_a_browser_would_ignore_is_refused() {
        for name in ["", "a b", "a;b", "a=b", "é", "a\n"] {
            assert!(spec(name).check().is_err(), "{name}");
        }
        for path in ["", "app", "/a;b", "/a\nb", "/é"] {
            assert!(CookieSpec { path: Some(path.into()), ..spec("a") }.check().is_err(), "{path}");
        }
        for domain in ["", ".", "a;b", "a b", "a/b", "é"] {
            assert!(CookieSpec { domain: Some(domain.into()), ..spec("a") }.check().is_err(), "{domain}");
        }
    }

    #[test]
    fn domain_cookies_come_last() {
        let wide = CookieSpec { domain: Some("example.com".into()), ..spec("a") };
        let cookies = set_cookies(&[wide, spec("a"), spec("b")]);
        let wide = |cookie: Json<'_>| cookie.source().contains("Domain");
        assert_eq!(Json::parse(cookies.as_bytes()).unwrap().items().map(wide).collect::<Vec<_>>(), [false, false, true]);
    }
}
