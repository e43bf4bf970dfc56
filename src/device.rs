//! Labels for people, from user agents.

use crate::json::{Writer, cut, join, lines, words};

/// A part of a text, without the searcher of the standard library: that one is large.
pub(crate) fn has(text: &str, part: &str) -> bool {
    // The first byte tells most places apart.
    let first = part.bytes().next();
    text.as_bytes().windows(part.len()).any(|window| window.first().copied() == first && window == part.as_bytes())
}

/// Product tokens and their names; the first that occurs wins, so those that imitate others come before them.
const BROWSERS: &str = "Googlebot=Googlebot
bingbot=Bingbot
curl/=curl
Wget/=Wget
python-requests/=Python Requests
PostmanRuntime/=Postman
Edg/=Edge
EdgA/=Edge
EdgiOS/=Edge
Edge/=Edge
OPR/=Opera
OPiOS/=Opera
OPX/=Opera
OPT/=Opera
SamsungBrowser/=Samsung Internet
Vivaldi/=Vivaldi
YaBrowser/=Yandex Browser
UCBrowser/=UC Browser
Whale/=Whale
DuckDuckGo/=DuckDuckGo
Ddg/=DuckDuckGo
Silk/=Silk
FxiOS/=Firefox
Firefox/=Firefox
CriOS/=Chrome
; wv)=Android WebView
HeadlessChrome/=Headless Chrome
Chrome/=Chrome
Chromium/=Chromium
Opera=Opera
MSIE =Internet Explorer
Trident/7=Internet Explorer
Safari/=Safari";

/// How many of them, from the first, are no browsers.
const BOTS: usize = 6;

/// The same for operating systems and device families. iPhones say "like Mac OS X"; Android and ChromeOS say "Linux" or "X11".
const SYSTEMS: &str = "iPad=iPad=tablet
iPhone=iPhone=mobile
iPod=iPod=mobile
Windows Phone=Windows Phone=mobile
Android=Android=mobile
CrOS=ChromeOS=desktop
Windows=Windows=desktop
Mac OS X=macOS=desktop
Macintosh=macOS=desktop
Linux=Linux=desktop";

/// The line whose token is in the text: its number, and what it says.
fn look_up<'a>(table: &'a str, text: &str) -> Option<(usize, &'a str)> {
    lines(table).enumerate().find_map(|(index, line)| cut(line, b'=').filter(|(token, _)| has(text, token)).map(|(_, rest)| (index, rest)))
}

/// Reads a user agent: label, browser, operating system and kind, in JSON. What it does not say is null; versions are left out, as browsers freeze them.
pub fn describe(user_agent: &str) -> String {
    label(user_agent, None, None)
}

/// The same where the back-end has read the user agent: what it knows about the system, and the browser's name.
pub fn label(user_agent: &str, browser_name: Option<&str>, is_mobile: Option<bool>) -> String {
    let browser = look_up(BROWSERS, user_agent);
    let (os, usual_kind) = look_up(SYSTEMS, user_agent).and_then(|(_, system)| cut(system, b'=')).map_or((None, "unknown"), |(os, kind)| (Some(os), kind));
    let name = browser_name.or(browser.map(|(_, name)| name));
    let lower = user_agent.to_ascii_lowercase();
    let kind = if browser.is_some_and(|(index, _)| index < BOTS) || words("bot crawler spider").any(|word| has(&lower, word)) {
        "bot"
    } else if os == Some("Android") && !is_mobile.unwrap_or_else(|| has(user_agent, "Mobile")) {
        // Android tablets leave "Mobile" out.
        "tablet"
    } else if os.is_none() && is_mobile == Some(true) {
        "mobile"
    } else {
        usual_kind
    };
    let label = match (name, os) {
        (Some(browser), Some(os)) => join(&[browser, " on ", os]),
        (one, other) => one.or(other).unwrap_or("Unknown device").to_owned(),
    };
    Writer::new().text("label", Some(&label)).text("browser", name).text("os", os).text("kind", Some(kind)).finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::parsed;

    #[test]
    fn labels() {
        for (agent, label, kind) in [
            ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36", "Chrome on Windows", "desktop"),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36 Edg/142.0.0.0",
                "Edge on Windows",
                "desktop",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Mobile/15E148 Safari/604.1",
                "Safari on iPhone",
                "mobile",
            ),
            (
                "Mozilla/5.0 (iPad; CPU OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1",
                "Safari on iPad",
                "tablet",
            ),
            (
                "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Safari/605.1.15",
                "Safari on macOS",
                "desktop",
            ),
            ("Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0", "Firefox on Linux", "desktop"),
            (
                "Mozilla/5.0 (Linux; Android 14; SM-S921B) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/28.0 Chrome/130.0.0.0 Mobile Safari/537.36",
                "Samsung Internet on Android",
                "mobile",
            ),
            ("Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36", "Chrome on Android", "tablet"),
            ("Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36", "Chrome on ChromeOS", "desktop"),
            ("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", "Googlebot", "bot"),
            ("curl/8.5.0", "curl", "bot"),
            ("something else", "Unknown device", "unknown"),
            ("", "Unknown device", "unknown"),
        ] {
            let device = describe(agent);
            let device = parsed(&device);
            assert_eq!((device.text("label").unwrap().as_str(), device.text("kind").unwrap().as_str()), (label, kind), "{agent}");
        }
    }
}
