//! A small JSON reader (RFC 8259) over bytes that are already there.
//!
//! The kept readers do not fit here: `serde_json` brings text formatting that weighs more in wasm than the rest of this crate, and
//! `serde-json-core` has no way to keep an item as it was sent and recurses without a bound; derived deserializers alone were 18 KB of wasm.
//! This one checks the whole document once (UTF-8, grammar, depth), then hands out values as slices of it: keeping the raw item costs nothing.

/// One valid JSON value: exactly its text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Json<'a>(&'a str);

/// Nesting beyond this is refused: no back-end needs it, and the reader is recursive.
const MAX_DEPTH: u32 = 64;

impl Json<'static> {
    /// `null`.
    pub const NULL: Self = Self("null");
}

impl<'a> Json<'a> {
    /// Checks a whole document. A byte order mark is skipped; anything after the value is an error.
    pub fn parse(bytes: &'a [u8]) -> Option<Self> {
        let text = std::str::from_utf8(bytes).ok()?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut scanner = Scanner { bytes: text.as_bytes(), at: 0 };
        let value = scanner.take()?;
        (scanner.at == text.len()).then_some(value)
    }

    /// The value as it was sent.
    pub fn source(self) -> &'a str {
        self.0
    }

    /// A member of an object; the last one where a name comes twice, as in `JSON.parse`. `null` is as if it were not there.
    pub fn get(self, name: &str) -> Option<Self> {
        self.get_or_null(name).filter(|value| value.0 != "null")
    }

    /// A member of an object that may be `null`.
    pub fn get_or_null(self, name: &str) -> Option<Self> {
        let mut members = self.inside(b'{');
        let mut found = None;
        while let Some((key, value)) = members.member() {
            // Names with escapes in them are nobody's wire format.
            if key.0.strip_prefix('"').and_then(|key| key.strip_suffix('"')) == Some(name) {
                found = Some(value);
            }
        }
        found
    }

    /// A string member.
    pub fn text(self, name: &str) -> Option<String> {
        self.get(name)?.as_str()
    }

    /// A member that is a whole number.
    pub fn number(self, name: &str) -> Option<i64> {
        self.get(name)?.as_scaled(0)
    }

    /// A member that is `true` or `false`.
    pub fn flag(self, name: &str) -> Option<bool> {
        match self.get(name)?.0 {
            "true" => Some(true),
            "false" => Some(false),
            _ => None,
        }
    }

    /// The value without the members whose names are not wanted, at any depth; numbers, booleans and null stay.
    pub fn without(self, unwanted: &dyn Fn(&str) -> bool) -> String {
        if self.is_array() {
            let mut list = List::default();
            for item in self.items() {
                list.push(&item.without(unwanted));
            }
            return list.finish();
        }
        if !self.0.starts_with('{') {
            return self.0.to_owned();
        }
        let mut out = Writer::new();
        let mut members = self.inside(b'{');
        while let Some((name, value)) = members.member() {
            let name = name.as_str().unwrap_or_default();
            if !(unwanted(&name) && matches!(value.0.as_bytes().first(), Some(b'"' | b'[' | b'{'))) {
                out.json(&name, &value.without(unwanted));
            }
        }
        out.finish()
    }

    /// A string.
    pub fn is_string(self) -> bool {
        self.0.starts_with('"')
    }

    /// An array.
    pub fn is_array(self) -> bool {
        self.0.starts_with('[')
    }

    /// The items of an array, or nothing.
    pub fn items(self) -> Items<'a> {
        Items(self.inside(b'['))
    }

    fn inside(self, open: u8) -> Scanner<'a> {
        let bytes = self.0.as_bytes();
        if bytes.first() == Some(&open) { Scanner { bytes, at: 1 } } else { Scanner { bytes: b"", at: 0 } }
    }

    /// A string value, unescaped. A lone surrogate becomes U+FFFD, as strings here are Unicode.
    pub fn as_str(self) -> Option<String> {
        self.0.strip_prefix('"')?.strip_suffix('"').map(unescape)
    }

    /// A number times ten to the `power` (0 or more), cut off to a whole one; `None` for anything else, out of range, and for numbers with an exponent,
    /// which no back-end writes.
    pub fn as_scaled(self, power: i32) -> Option<i64> {
        scaled(self.0, power)
    }
}

/// Walks over text. On text that is not yet checked, it is the check.
#[derive(Clone, Copy)]
struct Scanner<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Scanner<'a> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn eat(&mut self, wanted: u8) -> bool {
        let found = self.peek() == Some(wanted);
        self.at += usize::from(found);
        found
    }

    fn whitespace(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn value(&mut self, depth: u32) -> Option<()> {
        match self.peek()? {
            b'"' => self.string(),
            b'{' => self.list(b'}', depth, true),
            b'[' => self.list(b']', depth, false),
            b't' => self.literal(b"true"),
            b'f' => self.literal(b"false"),
            b'n' => self.literal(b"null"),
            _ => self.number(),
        }
    }

    fn list(&mut self, close: u8, depth: u32, keyed: bool) -> Option<()> {
        let depth = depth.checked_sub(1)?;
        self.at += 1;
        self.whitespace();
        if self.eat(close) {
            return Some(());
        }
        loop {
            if keyed {
                self.string()?;
                self.whitespace();
                self.eat(b':').then_some(())?;
                self.whitespace();
            }
            self.value(depth)?;
            self.whitespace();
            if self.eat(close) {
                return Some(());
            }
            self.eat(b',').then_some(())?;
            self.whitespace();
        }
    }

    fn string(&mut self) -> Option<()> {
        self.eat(b'"').then_some(())?;
        loop {
            let byte = self.peek()?;
            self.at += 1;
            match byte {
                b'"' => return Some(()),
                b'\\' => {
                    let escape = self.peek()?;
                    self.at += 1;
                    match escape {
                        b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => {}
                        b'u' => {
                            let hex = self.bytes.get(self.at..self.at + 4)?;
                            hex.iter().all(u8::is_ascii_hexdigit).then_some(())?;
                            self.at += 4;
                        }
                        _ => return None,
                    }
                }
                0..=0x1f => return None,
                _ => {}
            }
        }
    }

    fn number(&mut self) -> Option<()> {
        self.eat(b'-');
        if !self.eat(b'0') {
            self.digits()?;
        }
        if self.eat(b'.') {
            self.digits()?;
        }
        if self.eat(b'e') || self.eat(b'E') {
            let _ = self.eat(b'+') || self.eat(b'-');
            self.digits()?;
        }
        Some(())
    }

    fn digits(&mut self) -> Option<()> {
        let start = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        (self.at > start).then_some(())
    }

    fn literal(&mut self, word: &[u8]) -> Option<()> {
        let end = self.at + word.len();
        (self.bytes.get(self.at..end)? == word).then(|| self.at = end)
    }

    fn member(&mut self) -> Option<(Json<'a>, Json<'a>)> {
        let name = self.take()?;
        self.eat(b':');
        let value = self.take()?;
        self.eat(b',');
        Some((name, value))
    }

    /// The next value, at which this stands.
    fn take(&mut self) -> Option<Json<'a>> {
        self.whitespace();
        let start = self.at;
        self.value(MAX_DEPTH)?;
        let text = std::str::from_utf8(self.bytes.get(start..self.at)?).ok()?;
        self.whitespace();
        Some(Json(text))
    }
}

/// The items of an array, in order.
pub struct Items<'a>(Scanner<'a>);

impl<'a> Iterator for Items<'a> {
    type Item = Json<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        let item = self.0.take()?;
        self.0.eat(b',');
        Some(item)
    }
}

fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((plain, escaped)) = rest.split_once('\\') {
        out.push_str(plain);
        let mut chars = escaped.chars();
        match chars.next() {
            Some('b') => out.push('\u{8}'),
            Some('f') => out.push('\u{c}'),
            Some('n') => out.push('\n'),
            Some('r') => out.push('\r'),
            Some('t') => out.push('\t'),
            Some('u') => {
                let mut unit = hex4(&mut chars);
                if (0xd800..0xdc00).contains(&unit) {
                    let mut ahead = chars.clone();
                    if ahead.next() == Some('\\') && ahead.next() == Some('u') {
                        let low = hex4(&mut ahead);
                        if (0xdc00..0xe000).contains(&low) {
                            unit = 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
                            chars = ahead;
                        }
                    }
                }
                out.push(char::from_u32(unit).unwrap_or(char::REPLACEMENT_CHARACTER));
            }
            Some(other) => out.push(other),
            None => {}
        }
        rest = chars.as_str();
    }
    out.push_str(rest);
    out
}

fn hex4(chars: &mut std::str::Chars<'_>) -> u32 {
    chars.by_ref().take(4).fold(0, |value, digit| value * 16 + digit.to_digit(16).unwrap_or(0))
}

/// A decimal number times ten to the `power`, without floating point: its parser would weigh more than this whole file.
fn scaled(text: &str, power: i32) -> Option<i64> {
    let (mut value, mut sign, mut shift, mut in_fraction) = (0i64, 1, power, false);
    for byte in text.bytes() {
        match byte {
            b'-' => sign = -1,
            b'.' => in_fraction = true,
            b'0'..=b'9' if in_fraction && shift <= 0 => {}
            b'0'..=b'9' => {
                shift -= i32::from(in_fraction);
                value = value.checked_mul(10)?.checked_add(i64::from(byte & 15))?;
            }
            _ => return None,
        }
    }
    while shift > 0 {
        value = value.checked_mul(10)?;
        shift -= 1;
    }
    Some(value * sign)
}

/// Pieces of text put together. (The standard library's `concat` is 1 KB of wasm.)
pub fn join(pieces: &[&str]) -> String {
    let mut out = String::new();
    for piece in pieces {
        out.push_str(piece);
    }
    out
}

/// Writes a JSON object, member by member.
pub struct Writer(String);

impl Writer {
    /// An empty object.
    pub fn new() -> Self {
        Self(String::from("{"))
    }

    /// A member whose value is JSON already.
    #[inline(never)]
    pub fn json(&mut self, name: &str, json: &str) -> &mut Self {
        if self.0.len() > 1 {
            self.0.push(',');
        }
        push_string(&mut self.0, name);
        self.0.push(':');
        self.0.push_str(json);
        self
    }

    /// A text member, or null.
    #[inline(never)]
    pub fn text(&mut self, name: &str, text: Option<&str>) -> &mut Self {
        match text {
            Some(text) => self.json(name, &quoted(text)),
            None => self.json(name, "null"),
        }
    }

    /// A whole number, or null.
    #[inline(never)]
    pub fn number(&mut self, name: &str, number: Option<i64>) -> &mut Self {
        match number {
            Some(number) => self.json(name, &decimal(number)),
            None => self.json(name, "null"),
        }
    }

    /// Yes or no.
    pub fn flag(&mut self, name: &str, flag: bool) -> &mut Self {
        self.json(name, if flag { "true" } else { "false" })
    }

    /// The object's text.
    pub fn finish(&mut self) -> String {
        self.0.push('}');
        std::mem::take(&mut self.0)
    }
}

impl Default for Writer {
    fn default() -> Self {
        Self::new()
    }
}

/// Writes a JSON array, item by item.
#[derive(Clone, Default)]
pub struct List(String);

impl List {
    /// Adds a value that is JSON already.
    #[inline(never)]
    pub fn push(&mut self, json: &str) {
        self.0.push(if self.0.is_empty() { '[' } else { ',' });
        self.0.push_str(json);
    }

    /// Nothing was added.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The array's text.
    pub fn finish(mut self) -> String {
        if self.0.is_empty() {
            self.0.push('[');
        }
        self.0.push(']');
        self.0
    }
}

/// Text as a JSON string.
pub fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    push_string(&mut out, text);
    out
}

/// A number in decimal, without the standard library's formatting.
pub fn decimal(number: i64) -> String {
    let mut digits = [0u8; 20];
    let mut rest = number.unsigned_abs();
    let mut from = digits.len();
    for (index, digit) in digits.iter_mut().enumerate().rev() {
        *digit = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            from = index;
            break;
        }
    }
    let digits = digits.get(from..).unwrap_or_default();
    join(&[if number < 0 { "-" } else { "" }, std::str::from_utf8(digits).unwrap_or_default()])
}

fn push_string(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => {
                out.push('\\');
                out.push(c);
            }
            '\0'..='\u{1f}' => {
                out.push_str("\\u00");
                for nibble in [c as u32 / 16, c as u32 % 16] {
                    out.push(char::from_digit(nibble, 16).unwrap_or('0'));
                }
            }
            _ => out.push(c),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn valid(text: &str) -> bool {
        Json::parse(text.as_bytes()).is_some()
    }

    #[test]
    fn accepts_json_and_nothing_else() {
        for text in ["null", " \t\r\n{} ", "\u{feff}[]", "[1,2.5,-0,1e9,1E-9]", r#"{"a":{"b":[true,false,null,"\u00e9\n"]}}"#, r#""""#] {
            assert!(valid(text), "{text}");
        }
        for text in [
            "",
            "nul",
            "[1,]",
            "[,1]",
            "{\"a\"}",
            "{a:1}",
            "{\"a\":1,}",
            "01",
            "1.",
            ".5",
            "+1",
            "-",
            "1e",
            "NaN",
            "Infinity",
            "'a'",
            "\"a",
            "\"\u{1}\"",
            r#""\x""#,
            r#""\u12g4""#,
            r#""\u12"#,
            "[1] [2]",
            "{}x",
            "[",
            "{",
            "{\"a\":",
            "\u{a0}1",
            "truefalse",
        ] {
            assert!(!valid(text), "{text}");
        }
        assert_eq!(Json::parse(b"\"\xff\""), None);
    }

    #[test]
    fn depth_is_bounded() {
        let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
        assert!(valid(&nested(64)));
        assert!(!valid(&nested(65)));
        assert!(!valid(&"[".repeat(1_000_000)));
    }

    #[test]
    fn strings_are_unescaped() {
        for (text, expected) in [
            (r#""plain""#, "plain"),
            (r#""\"\\\/\b\f\n\r\t""#, "\"\\/\u{8}\u{c}\n\r\t"),
            (r#""\u0041\u00e9\u20ac""#, "Aé€"),
            (r#""\ud83d\ude00!""#, "😀!"),
            (r#""\ud83d""#, "\u{fffd}"),
            (r#""\ud83dx""#, "\u{fffd}x"),
            (r#""\ud83d\u0041""#, "\u{fffd}A"),
            (r#""\ude00""#, "\u{fffd}"),
        ] {
            assert_eq!(Json::parse(text.as_bytes()).unwrap().as_str().unwrap(), expected, "{text}");
        }
    }

    #[test]
    fn numbers_are_scaled_without_floating_point() {
        for (text, power, expected) in [
            ("0", 0, Some(0)),
            ("-0", 0, Some(0)),
            ("42", 3, Some(42_000)),
            ("1704110400.123456", 3, Some(1_704_110_400_123)),
            ("1704110400.1", 3, Some(1_704_110_400_100)),
            ("-1.5", 3, Some(-1500)),
            ("3600.0", 0, Some(3600)),
            ("9223372036854775807", 0, Some(i64::MAX)),
            ("9223372036854775808", 0, None),
            ("1e4", 0, None),
            ("1E-4", 0, None),
            ("1e99999999999", 0, None),
        ] {
            assert_eq!(Json::parse(text.as_bytes()).unwrap().as_scaled(power), expected, "{text}");
        }
        assert_eq!(Json::parse(b"\"1\"").unwrap().as_scaled(0), None);
    }

    #[test]
    fn members_and_items() {
        let json = Json::parse(br#" {"a":{"b":"in\"ner"},"list":[ {"k" : 1.5} ,null],"n":7,"f":false,"gone":null,"a":"last"} "#).unwrap();
        assert_eq!((json.text("a").as_deref(), json.number("n"), json.flag("f")), (Some("last"), Some(7), Some(false)));
        assert_eq!(json.get("list").unwrap().items().map(Json::source).collect::<Vec<_>>(), ["{\"k\" : 1.5}", "null"]);
        for name in ["gone", "b", "", "k"] {
            assert_eq!(json.get(name), None, "{name}");
        }
        assert_eq!((json.text("n"), json.number("a"), json.flag("n")), (None, None, None));
        for text in ["[]", "null", "1", "\"a\""] {
            assert_eq!(Json::parse(text.as_bytes()).unwrap().get("a"), None);
        }
        assert_eq!(json.items().count(), 0);
    }

    #[test]
    fn unwanted_members_go() {
        let json = Json::parse(br#"{"a":"x","bad":"s","list":[{"bad":"s","b":1.50}, 2],"o":{"bad":true,"\u0062ad":["s"]},"e":{}}"#).unwrap();
        assert_eq!(json.without(&|name| name == "bad"), r#"{"a":"x","list":[{"b":1.50},2],"o":{"bad":true},"e":{}}"#);
    }

    #[test]
    fn writes_what_it_reads() {
        let text = "q\" b\\ n\n u\u{1f} é 😀";
        for number in [0, 7, -1, 42, i64::MAX, i64::MIN] {
            assert_eq!(decimal(number), number.to_string());
        }
        let mut list = List::default();
        list.push(&quoted("x"));
        list.push("1");
        let written = Writer::new()
            .text("a", Some(text))
            .text("b", None)
            .number("c", Some(-5))
            .flag("d", true)
            .json("e", &list.finish())
            .json("f", &List::default().finish())
            .finish();
        assert_eq!(written.replace(&quoted(text), "…"), r#"{"a":…,"b":null,"c":-5,"d":true,"e":["x",1],"f":[]}"#);
        assert_eq!(Json::parse(quoted(text).as_bytes()).unwrap().as_str().as_deref(), Some(text));
    }
}
