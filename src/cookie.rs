//! Clearing cookies (RFC 6265bis): a cookie goes only if the deleting one has the same name, domain, path and partition, and is acceptable itself.

use crate::http::is_token;
use crate::json::{Json, List, join, quoted};

const WRONG: &str = "cookies: a name is a token, a path starts with /, a domain is a host name; a __Host- cookie has no domain and the path /";

/// The `Set-Cookie` values that clear cookies, both in JSON: host-only ones first and domain ones last, since stores that keep one entry per name then keep
/// the wider one. The error says what a browser would silently ignore.
pub fn removals(specs: Json<'_>) -> Result<String, &'static str> {
    let mut cookies = List::default();
    for wide in [false, true] {
        for spec in specs.items() {
            if spec.get("domain").is_some() == wide {
                cookies.push(&quoted(&removal(spec).ok_or(WRONG)?));
            }
        }
    }
    Ok(cookies.finish())
}

/// What clears one cookie, with what its name's prefix demands.
fn removal(spec: Json<'_>) -> Option<String> {
    let (name, path, domain) = (spec.member("name").as_words(), spec.text("path"), spec.text("domain"));
    let path = path.as_deref().unwrap_or("/");
    // A leading dot means nothing to a browser, but the Cookie Store API refuses it.
    let domain = domain.map(|domain| domain.strip_prefix('.').unwrap_or(&domain).to_ascii_lowercase());
    let lower = name.to_ascii_lowercase();
    let has_prefix = |prefix| lower.starts_with(prefix);
    let is_host = has_prefix("__host-");
    let is_http = has_prefix("__http-") || has_prefix("__host-http-");
    let is_host_name = |domain: &str| !domain.is_empty() && domain.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-'));
    let is_valid = is_token(&name)
        && path.starts_with('/')
        && path.bytes().all(|byte| (b' '..=b'~').contains(&byte) && byte != b';')
        && domain.as_deref().is_none_or(|domain| !is_host && is_host_name(domain))
        && !(is_host && path != "/");
    if !is_valid {
        return None;
    }
    let same_site = spec.member("sameSite").word();
    let is_partitioned = spec.is("partitioned");
    let mut out = join(&[&name, "=; Path=", path]);
    if let Some(domain) = &domain {
        out.push_str("; Domain=");
        out.push_str(domain);
    }
    out.push_str("; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT");
    if spec.is("secure") || is_host || is_http || has_prefix("__secure-") || is_partitioned || same_site == "None" {
        out.push_str("; Secure");
    }
    if spec.is("httpOnly") || is_http {
        out.push_str("; HttpOnly");
    }
    if !same_site.is_empty() {
        out.push_str("; SameSite=");
        out.push_str(same_site);
    }
    if is_partitioned {
        out.push_str("; Partitioned");
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::parsed;

    fn clearing(spec: &str) -> Option<String> {
        removal(parsed(spec))
    }

    fn named(name: &str) -> Option<String> {
        clearing(&format!(r#"{{"name":{}}}"#, quoted(name)))
    }

    const GONE: &str = "Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT";

    #[test]
    fn removals_have_the_attributes_of_the_cookie() {
        assert_eq!(named("a").unwrap(), format!("a=; Path=/; {GONE}"));
        let all = r#"{"name":"a","path":"/app","domain":".Example.com","sameSite":"None","partitioned":true,"httpOnly":true}"#;
        assert_eq!(clearing(all).unwrap(), format!("a=; Path=/app; Domain=example.com; {GONE}; Secure; HttpOnly; SameSite=None; Partitioned"));
        assert_eq!(clearing(r#"{"name":"a","sameSite":"Lax","secure":true}"#).unwrap(), format!("a=; Path=/; {GONE}; Secure; SameSite=Lax"));
    }

    #[test]
    fn prefixes_are_kept() {
        for name in ["__Host-a", "__host-a", "__Secure-a", "__SECURE-a"] {
            assert_eq!(named(name).unwrap(), format!("{name}=; Path=/; {GONE}; Secure"));
        }
        for name in ["__Http-a", "__Host-Http-a"] {
            assert_eq!(named(name).unwrap(), format!("{name}=; Path=/; {GONE}; Secure; HttpOnly"));
        }
        assert_eq!(clearing(r#"{"name":"__Host-a","domain":"example.com"}"#), None);
        assert_eq!(clearing(r#"{"name":"__Host-a","path":"/app"}"#), None);
    }

    #[test]
    fn what_a_browser_would_ignore_is_refused() {
        for name in ["", "a b", "a;b", "a=b", "é", "a\n"] {
            assert_eq!(named(name), None, "{name}");
        }
        for (member, values) in [("path", ["", "app", "/a;b", "/a\nb", "/é", "a/"]), ("domain", ["", ".", "a;b", "a b", "a/b", "é"])] {
            for value in values {
                assert_eq!(clearing(&format!(r#"{{"name":"a","{member}":{}}}"#, quoted(value))), None, "{member} {value}");
            }
        }
        assert!(removals(parsed(r#"[{"name":"a"},{"name":""}]"#)).is_err());
    }

    #[test]
    fn domain_cookies_come_last() {
        let cookies = removals(parsed(r#"[{"name":"a","domain":"example.com"},{"name":"a"},{"name":"b"}]"#)).unwrap();
        let wide = |cookie: Json<'_>| cookie.source().contains("Domain");
        assert_eq!(parsed(&cookies).items().map(wide).collect::<Vec<_>>(), [false, false, true]);
    }
}
