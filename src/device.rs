//! Labels for people, from user agents, and from what a back-end has read in one. This is for the Rust API; `src/npm/device.js` makes the same from the same tables, and
//! `tests/node/read.test.mjs` and `labels.test.mjs` compare both.

use crate::json::{Writer, cut, join, lines, parts, words};
use crate::text::Text;

/// A part of a text, without the searcher of the standard library: that one is large.
pub(crate) fn has(text: &str, part: &str) -> bool {
    // The first byte tells most places apart.
    let first = part.bytes().next();
    text.as_bytes().windows(part.len()).any(|window| window.first().copied() == first && window == part.as_bytes())
}

/// What an agent may be: its class, its name, and the words by which it is known, if they are others than that. The first line with a word in the agent wins, so those that
/// imitate others come before them. Apps show pages or are told by name; clients are libraries and programs; browsers have no class. Without a name an app is just that.
const NAMES: &str = include_str!("device/names.js");

/// The same for systems and device families, with their usual kind. Windows Phone says "Android" and "iPhone", iPhones say "like Mac OS X", Android and ChromeOS say "Linux"
/// or "X11"; iOS browsers that ask for desktop pages say "Macintosh".
const SYSTEMS: &str = include_str!("device/systems.js");

/// As much of an agent is looked at; no browser's is as long.
const LONGEST: usize = 1024;

/// What ends a word in the names of bots.
const BOTS: &str = include_str!("device/bots.js");

/// The words of a text.
struct Words<'a> {
    text: &'a [u8],
    /// Where they begin: at letters after what is no letter and no digit.
    starts: Vec<usize>,
    /// The letters with which they begin, a bit for each: most of a table is passed over by that.
    letters: u32,
    /// One of them is a bot's.
    is_bot: bool,
}

impl<'a> Words<'a> {
    fn of(text: &'a str) -> Self {
        let text = text.as_bytes();
        let mut all = Self { text: text.get(..LONGEST).unwrap_or(text), starts: Vec::new(), letters: 0, is_bot: false };
        let mut before = b' ';
        for (at, byte) in all.text.iter().chain(b" ").enumerate() {
            if !byte.is_ascii_alphabetic() {
                all.is_bot |= before.is_ascii_alphabetic() && all.ends_as_a_bots(at);
            } else if !before.is_ascii_alphanumeric() {
                all.starts.push(at);
                all.letters |= bit(*byte);
            }
            before = *byte;
        }
        all
    }

    /// Cubot makes telephones.
    fn ends_as_a_bots(&self, end: usize) -> bool {
        let ends = |ending: &str| self.is_at(end.wrapping_sub(ending.len()), ending.as_bytes());
        words(rows(BOTS)).any(ends) && !ends("cubot")
    }

    fn is_letter(&self, at: usize) -> bool {
        self.text.get(at).is_some_and(u8::is_ascii_alphabetic)
    }

    /// This is there, in any case.
    fn is_at(&self, at: usize, token: &[u8]) -> bool {
        self.text.get(at..at.saturating_add(token.len())).is_some_and(|there| there.eq_ignore_ascii_case(token))
    }

    /// The text has this as words of its own. Numbers may come right after.
    fn have(&self, token: &str) -> bool {
        let token = token.as_bytes();
        let is_whole = |end: usize| !(self.is_letter(end) && self.is_letter(end - 1));
        token.first().is_some_and(|first| self.letters & bit(*first) != 0) && self.starts.iter().any(|at| self.is_at(*at, token) && is_whole(at + token.len()))
    }

    /// The class and the name in the first line of a table of which there is a word, with a space between them; or else nothing.
    fn look_up(&self, table: &'static str) -> &'static str {
        for line in lines(table) {
            let (head, tokens) = cut(line, b'|').unwrap_or((line, cut(line, b' ').unwrap_or_default().1));
            if parts(tokens, b'|').any(|token| self.have(token)) {
                return head;
            }
        }
        ""
    }
}

/// The text in a module that JavaScript takes, too.
pub(crate) fn rows(module: &'static str) -> &'static str {
    parts(module, b'`').nth(1).unwrap_or_default()
}

fn bit(byte: u8) -> u32 {
    1 << (byte & 31)
}

/// Reads a user agent: label, browser, operating system and kind, in JSON. What it does not say is null; versions are left out, as browsers freeze them.
pub fn describe(user_agent: &str) -> Text {
    label(user_agent, "", "", None)
}

/// The same where the back-end has read the user agent, or knows better: what it says of the system and the device in words, and the browser's name, with a version or without.
pub fn label(user_agent: &str, system: &str, browser: &str, is_mobile: Option<bool>) -> Text {
    let (agent, told) = (Words::of(user_agent), Words::of(system));
    let mut system = told.look_up(rows(SYSTEMS));
    if system.is_empty() {
        system = agent.look_up(rows(SYSTEMS));
    }
    if system == "mobile Darwin" {
        // The kernel of all of Apple's. Only Macs name a processor.
        system = if agent.have("x86_64") || agent.have("i386") { "desktop macOS" } else { "mobile iOS" };
    }
    let is_android = system == "mobile Android";
    // A bot says so, or where to read about it.
    let is_bot = agent.is_bot || agent.have("http://") || agent.have("https://");
    let told_name = cut(browser, b'/').map_or(browser, |(name, _)| name);
    let is_told = !words(" Other Unknown").any(|none| none == told_name);
    let mut found = "";
    if is_told {
        found = Words::of(browser).look_up(rows(NAMES));
    } else if !is_bot {
        found = agent.look_up(rows(NAMES));
    }
    if is_android && found == " Safari" {
        // Before Chrome there was a browser that said so.
        found = " Android Browser";
    } else if is_android && found == " Chrome" && agent.have("Version") {
        // Views in apps have always told a version besides Chrome's.
        found = "client Android WebView";
    }
    let (usual, place) = cut(system, b' ').unwrap_or_default();
    let (class, mut name) = cut(found, b' ').unwrap_or_default();
    if is_told && name.is_empty() {
        name = told_name;
    }
    let kind = if is_bot {
        "bot"
    } else if !class.is_empty() || name.is_empty() && ["mobile", "tablet"].contains(&usual) && agent.text.contains(&b'/') {
        // Only an app leaves out the names of all browsers.
        "app"
    } else if told.have("tablet") || is_android && !is_mobile.unwrap_or_else(|| user_agent.is_empty() || agent.have("Mobile")) {
        // The agents of Android tablets leave "Mobile" out.
        "tablet"
    } else if is_mobile == Some(true) && usual != "tablet" {
        "mobile"
    } else {
        some(usual).unwrap_or("unknown")
    };
    let what = match (kind, name) {
        ("bot", "") => "Bot",
        ("app", "") => "App",
        _ => name,
    };
    // Android Browser.
    let shown = if what.starts_with(place) { "" } else { place };
    let label = join(
        &join(what, if class == "app" && !name.is_empty() { " app" } else { "" }, if what.is_empty() || shown.is_empty() { "" } else { " on " }),
        shown,
        "",
    );
    let os = if place.starts_with("iP") { "iOS" } else { place };
    Writer::new().text("label", some(&label).or(Some("Unknown device"))).text("browser", some(name)).text("os", some(os)).text("kind", Some(kind)).finish()
}

fn some(text: &str) -> Option<&str> {
    (!text.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::parsed;

    /// Label, browser, system and kind, with dashes for null.
    fn said(json: &str) -> [Text; 4] {
        let device = parsed(json);
        ["label", "browser", "os", "kind"].map(|member| device.text(member).unwrap_or_else(|| "-".into()))
    }

    const WEBKIT: &str = "AppleWebKit/537.36 (KHTML, like Gecko)";
    const APPLE: &str = "AppleWebKit/605.1.15 (KHTML, like Gecko)";

    #[test]
    fn labels() {
        for (agent, expected) in [
            ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) W Chrome/142.0.0.0 Safari/537.36", ["Chrome on Windows", "Chrome", "Windows", "desktop"]),
            ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) W Chrome/142.0.0.0 Safari/537.36 Edg/142.0.0.0", ["Edge on Windows", "Edge", "Windows", "desktop"]),
            (
                "Mozilla/5.0 (Windows NT 10.0; WOW64; Trident/7.0; rv:11.0) like Gecko",
                ["Internet Explorer on Windows", "Internet Explorer", "Windows", "desktop"],
            ),
            // Its version is frozen, and it is no Mac.
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) A Version/26.0 Mobile/15E148 Safari/604.1",
                ["Safari on iPhone", "Safari", "iOS", "mobile"],
            ),
            ("Mozilla/5.0 (iPad; CPU OS 17_5 like Mac OS X) A Version/17.5 Mobile/15E148 Safari/604.1", ["Safari on iPad", "Safari", "iOS", "tablet"]),
            ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) A Version/18.1 Safari/605.1.15", ["Safari on macOS", "Safari", "macOS", "desktop"]),
            // Models and places that are called as browsers are.
            (
                "Mozilla/5.0 (Linux; Android 12; motorola edge 30 neo) W Chrome/130.0.0.0 Mobile Safari/537.36",
                ["Chrome on Android", "Chrome", "Android", "mobile"],
            ),
            (
                "Mozilla/5.0 (Windows; U; Windows NT 6.1; en-IE; rv:1.9.2.3) Gecko/20100401 Firefox/3.6.3",
                ["Firefox on Windows", "Firefox", "Windows", "desktop"],
            ),
            // Pages for desktops on an iPad or iPhone.
            ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_13_5) A CriOS/142 Version/11.1.1 Safari/605.1.15", ["Chrome on iOS", "Chrome", "iOS", "mobile"]),
            ("Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0", ["Firefox on Linux", "Firefox", "Linux", "desktop"]),
            (
                "Mozilla/5.0 (Linux; Android 14; SM-S921B) W SamsungBrowser/28.0 Chrome/130.0.0.0 Mobile Safari/537.36",
                ["Samsung Internet on Android", "Samsung Internet", "Android", "mobile"],
            ),
            ("Mozilla/5.0 (Linux; Android 10; K) W Chrome/142.0.0.0 Safari/537.36", ["Chrome on Android", "Chrome", "Android", "tablet"]),
            ("Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) W Chrome/142.0.0.0 Safari/537.36", ["Chrome on ChromeOS", "Chrome", "ChromeOS", "desktop"]),
            ("Mozilla/5.0 (PlayStation; PlayStation 5/10.00) A Version/17.0 Safari/605.1.15", ["Safari on PlayStation", "Safari", "PlayStation", "unknown"]),
            (
                "Mozilla/5.0 (Mobile; Windows Phone 8.1; Android 4.0; ARM; Trident/7.0; rv:11.0; IEMobile/11.0) like iPhone OS 7_0_3 Mac OS X W Mobile Safari/537",
                ["Internet Explorer on Windows Phone", "Internet Explorer", "Windows Phone", "mobile"],
            ),
            // Apps: their own name, or no browser's.
            ("Gmail/6.0.250210 CFNetwork/3826.400.120 Darwin/24.3.0", ["Gmail app on iOS", "Gmail", "iOS", "app"]),
            ("com.google.Gmail/6.0.250210 iSL/3.4 iPhone/18.3 hw/iPhone15_2 (gzip)", ["Gmail app on iPhone", "Gmail", "iOS", "app"]),
            ("Bank/1 CFNetwork/1408.0.4 Darwin/22.5.0", ["App on iOS", "-", "iOS", "app"]),
            ("Bank/1 CFNetwork/902.1 Darwin/17.7.0 (x86_64)", ["App on macOS", "-", "macOS", "app"]),
            ("Safari/9537.71 CFNetwork/673.0.2 Darwin/13.0.1 (x86_64) (MacBookPro11,1)", ["Safari on macOS", "Safari", "macOS", "desktop"]),
            ("Mozilla/5.0 (iPad; CPU OS 17_5 like Mac OS X) A Mobile/15E148", ["App on iPad", "-", "iOS", "app"]),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) A Mobile/15E148 Instagram 380.0 (iPhone14,5; iOS 18_6)",
                ["Instagram app on iPhone", "Instagram", "iOS", "app"],
            ),
            (
                "Mozilla/5.0 (Linux; Android 14; Pixel 8 Build/AP2A; wv) W Version/4.0 Chrome/131.0 Mobile Safari/537.36 [FB_IAB/FB4A;FBCR/Botswana;]",
                ["Facebook app on Android", "Facebook", "Android", "app"],
            ),
            (
                "Mozilla/5.0 (Linux; Android 14; Pixel 8 Build/AP2A; wv) W Version/4.0 Chrome/131.0 Mobile Safari/537.36",
                ["Android WebView", "Android WebView", "Android", "app"],
            ),
            (
                "Mozilla/5.0 (Linux; Android 4.4.4; SHV31 Build/S2280) W Version/4.0 Chrome/33.0.0.0 Mobile Safari/537.36",
                ["Android WebView", "Android WebView", "Android", "app"],
            ),
            ("Mozilla/5.0 (Linux; U; Android 2.3.3; en-us) W Version/4.0 Mobile Safari/533.1", ["Android Browser", "Android Browser", "Android", "mobile"]),
            (
                "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) W Chrome/130.0 Electron/33.2 Safari/537.36 Slack_SSB/4.41",
                ["Slack app on macOS", "Slack", "macOS", "app"],
            ),
            ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) W notes/1.3 Chrome/130.0 Electron/33.2 Safari/537.36", ["App on Windows", "-", "Windows", "app"]),
            ("Dalvik/2.1.0 (Linux; U; Android 14; Pixel 8 Build/AP2A)", ["App on Android", "-", "Android", "app"]),
            ("okhttp/4.12.0", ["okhttp", "okhttp", "-", "app"]),
            ("curl/8.5.0", ["curl", "curl", "-", "app"]),
            // Bots, whatever they say besides.
            ("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", ["Bot", "-", "-", "bot"]),
            ("Mozilla/5.0 (X11; Linux x86_64) W (compatible; ExampleBot) Chrome/142.0.0.0 Safari/537.36", ["Bot on Linux", "-", "Linux", "bot"]),
            ("Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)", ["Bot", "-", "-", "bot"]),
            ("Mozilla/5.0 (Linux; Android 4.2.2; CUBOT C11) W Chrome/31.0 Mobile Safari/537.36", ["Chrome on Android", "Chrome", "Android", "mobile"]),
            // Another's label.
            ("macOS (Chrome)", ["Chrome on macOS", "Chrome", "macOS", "desktop"]),
            ("something else", ["Unknown device", "-", "-", "unknown"]),
            ("", ["Unknown device", "-", "-", "unknown"]),
        ] {
            let agent = agent.replace(" W ", &[" ", WEBKIT, " "].concat()).replace(" A ", &[" ", APPLE, " "].concat());
            assert_eq!(said(&describe(&agent)), expected, "{agent}");
        }
    }

    #[test]
    fn what_a_back_end_says_counts() {
        let chrome = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36";
        for (agent, system, browser, is_mobile, expected) in [
            ("", "iPhone", "Safari", Some(true), ["Safari on iPhone", "Safari", "iOS", "mobile"]),
            ("", "Macintosh", "Chrome", Some(false), ["Chrome on macOS", "Chrome", "macOS", "desktop"]),
            ("", "Android", "Chrome", Some(true), ["Chrome on Android", "Chrome", "Android", "mobile"]),
            ("", "Android", "Chrome", Some(false), ["Chrome on Android", "Chrome", "Android", "tablet"]),
            ("", "a thing", "Chrome", Some(true), ["Chrome", "Chrome", "-", "mobile"]),
            ("", "", "Firefox/133.0", None, ["Firefox", "Firefox", "-", "unknown"]),
            ("", "Mac OS X/10.15 ", "Mobile Safari/18.1", None, ["Safari on macOS", "Safari", "macOS", "desktop"]),
            ("", "Other ", "Other/Unknown", None, ["Unknown device", "-", "-", "unknown"]),
            ("", "Linux ", "Arc", None, ["Arc on Linux", "Arc", "Linux", "desktop"]),
            ("", "Android smartphone", "Chrome", None, ["Chrome on Android", "Chrome", "Android", "mobile"]),
            ("", "Android tablet", "Chrome", None, ["Chrome on Android", "Chrome", "Android", "tablet"]),
            ("", "iOS tablet", "Safari", None, ["Safari on iOS", "Safari", "iOS", "tablet"]),
            (chrome, "", "Brave", None, ["Brave on Windows", "Brave", "Windows", "desktop"]),
            (chrome, "GNU/Linux ", "", None, ["Chrome on Linux", "Chrome", "Linux", "desktop"]),
            (chrome, " desktop", "", None, ["Chrome on Windows", "Chrome", "Windows", "desktop"]),
            (chrome, "Unknown", "Unknown", None, ["Chrome on Windows", "Chrome", "Windows", "desktop"]),
            ("", "iOS", "Instagram", Some(true), ["Instagram app on iOS", "Instagram", "iOS", "app"]),
        ] {
            assert_eq!(said(&label(agent, system, browser, is_mobile)), expected);
        }
    }

    #[test]
    fn only_so_much_is_looked_at() {
        let far = |spaces: usize| [&" ".repeat(spaces), "Firefox/145.0"].concat();
        assert_eq!(said(&describe(&far(LONGEST - 13)))[0], "Firefox");
        assert_eq!(said(&describe(&far(LONGEST - 1)))[0], "Unknown device");
        // In the middle of a character.
        assert_eq!(said(&describe(&["Firefox", &"é".repeat(LONGEST)].concat()))[0], "Firefox");
    }
}
