//! A small JSON reader (RFC 8259).
//!
//! The kept readers do not fit here: `serde_json` brings text formatting that weighs more in wasm than the rest of this crate, and
//! `serde-json-core` has no way to keep an item as it was sent and recurses without a bound; derived deserializers alone were 18 KB of wasm.
//! This one reads the whole document once (UTF-8, grammar, depth) into values that are views of it: keeping the raw item costs nothing.

use crate::text::Text;

/// A document that was read.
#[derive(Debug)]
pub struct Document<'a>(Box<Node<'a>>);

/// A value in a document: what it was written as, and what is in it.
struct Node<'a> {
    /// The name, where it is a member of an object, as it stands between its quotes. Names with escapes in them are nobody's wire format.
    name: &'a str,
    source: &'a str,
    /// The first byte of the source, which tells what it is.
    kind: u8,
    children: Vec<Node<'a>>,
}

/// A value: no larger than a pointer.
#[derive(Clone, Copy, Debug)]
pub struct Json<'a>(&'a Node<'a>);

/// Tokens come and go in JSON: for debugging there is how long it is, and not what it says.
impl std::fmt::Debug for Node<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} bytes", self.source.len())
    }
}

/// Nesting beyond this is refused: no back-end needs it, and the reader is recursive.
const MAX_DEPTH: u32 = 64;

static NULL: Node<'static> = Node { name: "", source: "null", kind: b'n', children: Vec::new() };

impl<'a> Document<'a> {
    /// Reads a whole document. A byte order mark is skipped; anything after the value is an error.
    pub fn parse(bytes: &'a [u8]) -> Option<Self> {
        Self::within(utf8(bytes)?, MAX_DEPTH)
    }

    /// The same, of text of our own: what came in such a document may be in it, and more around it.
    pub fn read(text: &'a str) -> Option<Self> {
        Self::within(text, 2 * MAX_DEPTH)
    }

    fn within(text: &'a str, depth: u32) -> Option<Self> {
        let text = text.strip_prefix("\u{feff}").unwrap_or(text);
        let mut scanner = Scanner { text, at: 0 };
        let value = scanner.value("", depth)?;
        (scanner.at == text.len()).then(|| Self(Box::new(value)))
    }

    /// Its value.
    pub fn root(&self) -> Json<'_> {
        Json(&self.0)
    }
}

/// Text, if it is in UTF-8. (The standard library's check of all at once is twice the code.)
pub fn utf8(bytes: &[u8]) -> Option<&str> {
    bytes.utf8_chunks().next().map_or(Some(""), |first| first.invalid().is_empty().then(|| first.valid()))
}

/// The value of what may not have been JSON; `null` then.
pub fn root<'a>(document: &'a Option<Document<'_>>) -> Json<'a> {
    document.as_ref().map_or(Json::NULL, Document::root)
}

impl Json<'static> {
    /// `null`.
    pub const NULL: Self = Self(&NULL);
}

impl<'a> Json<'a> {
    /// The value as it was sent.
    pub fn source(self) -> &'a str {
        self.0.source
    }

    /// A member of an object; the last one where a name comes twice, as in `JSON.parse`. `null` is as if it were not there.
    #[inline(never)]
    pub fn get(self, name: &str) -> Option<Self> {
        self.get_or_null(name).filter(|value| !value.is_null())
    }

    /// The same, or `null`: for what is looked at rather than asked for.
    #[inline(never)]
    pub fn member(self, name: &str) -> Self {
        self.get_or_null(name).unwrap_or(Json::NULL)
    }

    /// A member of an object that may be `null`.
    #[inline(never)]
    pub fn get_or_null(self, name: &str) -> Option<Self> {
        if self.is_array() {
            return None;
        }
        self.0.children.iter().rev().find(|child| child.name == name).map(Json)
    }

    /// A string member.
    #[inline(never)]
    pub fn text(self, name: &str) -> Option<Text> {
        self.member(name).as_str()
    }

    /// A member that is a whole number.
    #[inline(never)]
    pub fn number(self, name: &str) -> Option<i64> {
        self.member(name).as_scaled(0)
    }

    /// The same, or a number for all else.
    pub fn number_or(self, name: &str, other: i64) -> i64 {
        self.number(name).unwrap_or(other)
    }

    /// A member that is `true` or `false`.
    pub fn flag(self, name: &str) -> Option<bool> {
        self.member(name).as_bool()
    }

    /// A member is `true`.
    #[inline(never)]
    pub fn is(self, name: &str) -> bool {
        self.member(name).0.kind == b't'
    }

    /// `true` or `false`.
    pub fn as_bool(self) -> Option<bool> {
        match self.0.kind {
            b't' => Some(true),
            b'f' => Some(false),
            _ => None,
        }
    }

    /// `null`, or not there.
    pub fn is_null(self) -> bool {
        self.0.kind == b'n'
    }

    /// It is this string, which has no escapes.
    #[inline(never)]
    pub fn is_word(self, word: &str) -> bool {
        self.word() == word
    }

    /// It is one of these words.
    pub fn is_among(self, list: &str) -> bool {
        index_in(list, self.word()).is_some()
    }

    /// A string as it stands between its quotes; empty for anything else. For words without escapes.
    #[inline(never)]
    pub fn word(self) -> &'a str {
        if self.is_string() { between_quotes(self.source()).unwrap_or("") } else { "" }
    }

    /// The text of a string or a number; empty for anything else.
    #[inline(never)]
    pub fn as_words(self) -> Text {
        match self.0.kind {
            b'"' => unescape(self.word()),
            b'-' | b'0'..=b'9' => self.source().into(),
            _ => Text::default(),
        }
    }

    /// The value with each member and item replaced by what the function makes of it and its name (empty in arrays), or left out. Anything else as it is.
    pub fn map(self, change: &dyn Fn(&str, Self) -> Option<Text>) -> Text {
        if self.is_array() {
            let mut list = List::default();
            for item in self.items() {
                if let Some(item) = change("", item) {
                    list.push(&item);
                }
            }
            return list.finish();
        }
        if self.0.kind != b'{' {
            return self.source().into();
        }
        let mut out = Writer::new();
        self.each(&mut |name, value| {
            if let Some(value) = change(name, value) {
                out.json(name, &value);
            }
        });
        out.finish()
    }

    /// Tells the members of an object, one after the other: their names as they were sent. Items of an array have none.
    pub fn each(self, tell: &mut dyn FnMut(&str, Self)) {
        for child in &self.0.children {
            tell(child.name, Json(child));
        }
    }

    /// What a path leads to: a JSON Pointer (RFC 6901) where it begins with a slash, else a member's name; the value itself where it is empty.
    pub fn at(self, path: &str) -> Option<Self> {
        let Some(pointer) = path.strip_prefix("/") else {
            return if path.is_empty() { Some(self) } else { self.get(path) };
        };
        let mut value = self;
        let mut rest = Some(pointer);
        while let Some(pointer) = rest {
            let (step, after) = cut(pointer, b'/').map_or((pointer, None), |(step, after)| (step, Some(after)));
            rest = after;
            value = if value.is_array() { value.items().nth(usize::try_from(scaled(step, 0)?).ok()?)? } else { value.get(&unescaped(step))? };
        }
        Some(value)
    }

    /// A string.
    pub fn is_string(self) -> bool {
        self.0.kind == b'"'
    }

    /// An array.
    pub fn is_array(self) -> bool {
        self.0.kind == b'['
    }

    /// The items of an array, or nothing.
    pub fn items(self) -> impl Iterator<Item = Json<'a>> {
        let children: &'a [Node<'a>] = if self.is_array() { &self.0.children } else { &[] };
        children.iter().map(Json)
    }

    /// A string value, unescaped. A lone surrogate becomes U+FFFD, as strings here are Unicode.
    pub fn as_str(self) -> Option<Text> {
        self.is_string().then(|| unescape(self.word()))
    }

    /// The text of a string, or the digits of a number.
    pub fn as_text(self) -> Option<Text> {
        self.is_text().then(|| self.as_words())
    }

    /// Text or a number as a JSON string.
    #[inline(never)]
    pub fn as_quoted(self) -> Text {
        // What has no escapes is written as it was sent.
        if self.is_string() && cut(self.source(), b'\\').is_none() { self.source().into() } else { quoted(&self.as_words()) }
    }

    /// A string or a number.
    pub fn is_text(self) -> bool {
        matches!(self.0.kind, b'"' | b'-' | b'0'..=b'9')
    }

    /// A number times ten to the `power` (0 or more), cut off to a whole one; `None` for anything else, out of range, and for numbers with an exponent,
    /// which no back-end writes.
    pub fn as_scaled(self, power: i32) -> Option<i64> {
        scaled(self.source(), power)
    }
}

impl PartialEq for Json<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.source() == other.source()
    }
}

fn between_quotes(json: &str) -> Option<&str> {
    json.strip_prefix("\"")?.strip_suffix("\"")
}

/// A text before and after the first such ASCII character. (The standard library's searcher is large.)
#[inline(never)]
pub fn cut(text: &str, at: u8) -> Option<(&str, &str)> {
    let end = text.bytes().position(|byte| byte == at)?;
    Some((text.get(..end)?, text.get(end + 1..)?))
}

/// The parts of a text between single separators.
pub struct Parts<'a>(Option<&'a str>, u8);

impl<'a> Iterator for Parts<'a> {
    type Item = &'a str;

    #[inline(never)]
    fn next(&mut self) -> Option<&'a str> {
        let text = self.0?;
        let cut = cut(text, self.1);
        self.0 = cut.map(|(_, after)| after);
        Some(cut.map_or(text, |(part, _)| part))
    }
}

/// The parts between single such ASCII characters.
pub fn parts(text: &str, at: u8) -> Parts<'_> {
    Parts(Some(text), at)
}

/// The parts between single spaces.
pub fn words(text: &str) -> Parts<'_> {
    parts(text, b' ')
}

/// Which of the words it is, counted from 0.
pub fn index_in(list: &str, word: &str) -> Option<usize> {
    words(list).position(|one| one == word)
}

/// The word at an index, empty beyond the last.
pub fn word_at(list: &str, index: usize) -> &str {
    words(list).nth(index).unwrap_or_default()
}

/// The lines.
pub fn lines(text: &str) -> Parts<'_> {
    parts(text, b'\n')
}

/// The text of a string in JSON, or the digits of a number.
pub fn plain(json: &str) -> Text {
    between_quotes(json).map_or_else(|| json.into(), unescape)
}

/// Reads text from where it stands.
struct Scanner<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Scanner<'a> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
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

    /// A value and the whitespace around it.
    fn value(&mut self, name: &'a str, depth: u32) -> Option<Node<'a>> {
        self.whitespace();
        let start = self.at;
        let mut children = Vec::new();
        let kind = self.peek()?;
        match kind {
            b'"' => self.string()?,
            b'{' => self.list(b'}', depth, &mut children)?,
            b'[' => self.list(b']', depth, &mut children)?,
            b't' => self.literal("true")?,
            b'f' => self.literal("false")?,
            b'n' => self.literal("null")?,
            _ => self.number()?,
        }
        let source = self.text.get(start..self.at)?;
        self.whitespace();
        Some(Node { name, source, kind, children })
    }

    fn list(&mut self, close: u8, depth: u32, children: &mut Vec<Node<'a>>) -> Option<()> {
        let depth = depth.checked_sub(1)?;
        self.at += 1;
        self.whitespace();
        if self.eat(close) {
            return Some(());
        }
        loop {
            let mut name = "";
            if close == b'}' {
                self.whitespace();
                let start = self.at + 1;
                self.string()?;
                name = self.text.get(start..self.at - 1)?;
                self.whitespace();
                self.eat(b':').then_some(())?;
            }
            children.push(self.value(name, depth)?);
            if self.eat(close) {
                return Some(());
            }
            self.eat(b',').then_some(())?;
        }
    }

    fn string(&mut self) -> Option<()> {
        self.eat(b'"').then_some(())?;
        loop {
            let rest = self.text.as_bytes().get(self.at..)?;
            let plain = rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..=0x1f))?;
            let byte = rest.get(plain)?;
            self.at += plain + 1;
            match byte {
                b'"' => return Some(()),
                b'\\' => {
                    let escape = self.peek()?;
                    self.at += 1;
                    match escape {
                        b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => {}
                        b'u' => {
                            let hex = self.text.as_bytes().get(self.at..self.at + 4)?;
                            hex.iter().all(u8::is_ascii_hexdigit).then_some(())?;
                            self.at += 4;
                        }
                        _ => return None,
                    }
                }
                _ => return None,
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

    fn literal(&mut self, word: &str) -> Option<()> {
        let end = self.at + word.len();
        (self.text.get(self.at..end)? == word).then(|| self.at = end)
    }
}

/// A step of a JSON Pointer.
fn unescaped(step: &str) -> Text {
    let mut out = String::new();
    let mut rest = step;
    while let Some((before, after)) = cut(rest, b'~') {
        out.push_str(before);
        out.push_str(if after.bytes().next() == Some(b'1') { "/" } else { "~" });
        rest = after.get(1..).unwrap_or_default();
    }
    out.push_str(rest);
    out.into()
}

/// The inside of a string in valid JSON as the text it stands for.
pub fn unescape(text: &str) -> Text {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, escaped)) = cut(rest, b'\\') {
        out.push_str(before);
        let (&[kind, ..], Some(mut after)) = (escaped.as_bytes(), escaped.get(1..)) else { return out.into() };
        out.push(match kind {
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let mut unit = hex4(&mut after);
                if (0xd800..0xdc00).contains(&unit)
                    && let Some(mut ahead) = after.strip_prefix("\\u")
                {
                    let low = hex4(&mut ahead);
                    if (0xdc00..0xe000).contains(&low) {
                        unit = 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
                        after = ahead;
                    }
                }
                char::from_u32(unit).unwrap_or(char::REPLACEMENT_CHARACTER)
            }
            other => other.into(),
        });
        rest = after;
    }
    out.push_str(rest);
    out.into()
}

/// Takes four hexadecimal digits from the front.
fn hex4(text: &mut &str) -> u32 {
    let (digits, rest) = text.split_at_checked(4).unwrap_or_default();
    *text = rest;
    digits.bytes().fold(0, |value, digit| value * 16 + u32::from(if digit <= b'9' { digit & 15 } else { (digit & 15) + 9 }))
}

/// A decimal number times ten to the `power`, without floating point: its parser would weigh more than this whole file.
pub fn scaled(text: &str, power: i32) -> Option<i64> {
    let (mut value, mut sign, mut shift, mut in_fraction) = (0i64, 1, power, false);
    let times_ten = |value: i64| (value < i64::MAX / 10).then(|| value * 10);
    for byte in text.bytes() {
        match byte {
            b'-' => sign = -1,
            b'.' => in_fraction = true,
            b'0'..=b'9' if in_fraction && shift <= 0 => {}
            b'0'..=b'9' => {
                shift -= i32::from(in_fraction);
                value = times_ten(value)? + i64::from(byte & 15);
            }
            _ => return None,
        }
    }
    while shift > 0 {
        value = times_ten(value)?;
        shift -= 1;
    }
    Some(value * sign)
}

/// Pieces of text put together. (The standard library's `concat` is 1 KB of wasm, and pieces in a slice are twice the code for each caller.)
pub fn join(first: &str, second: &str, third: &str) -> Text {
    let mut out = String::from(first);
    out.push_str(second);
    out.push_str(third);
    out.into()
}

/// Writes a JSON object, member by member.
#[expect(clippy::box_collection, reason = "functions of wasm return one word as it is")]
pub struct Writer(Box<String>);

impl Writer {
    /// An empty object.
    pub fn new() -> Self {
        Self(Box::new(String::from("{")))
    }

    /// A member whose value is JSON already. The name is fit to stand between quotes.
    #[inline(never)]
    pub fn json(&mut self, name: &str, json: &str) -> &mut Self {
        if self.0.len() > 1 {
            self.0.push_str(",");
        }
        self.0.push_str("\"");
        self.0.push_str(name);
        self.0.push_str("\":");
        self.0.push_str(json);
        self
    }

    /// The same with any name.
    pub fn named(&mut self, name: &str, json: &str) -> &mut Self {
        let name = quoted(name);
        self.json(between_quotes(&name).unwrap_or_default(), json)
    }

    /// A text member, or null.
    #[inline(never)]
    pub fn text(&mut self, name: &str, text: Option<&str>) -> &mut Self {
        match text {
            Some(text) => self.json(name, &quoted(text)),
            None => self.json(name, "null"),
        }
    }

    /// A whole number.
    #[inline(never)]
    pub fn number(&mut self, name: &str, number: i64) -> &mut Self {
        self.json(name, &decimal(number))
    }

    /// A whole number, or null.
    pub fn optional(&mut self, name: &str, number: Option<i64>) -> &mut Self {
        match number {
            Some(number) => self.number(name, number),
            None => self.json(name, "null"),
        }
    }

    /// Yes or no.
    #[inline(never)]
    pub fn flag(&mut self, name: &str, flag: bool) -> &mut Self {
        self.json(name, if flag { "true" } else { "false" })
    }

    /// The object's text.
    pub fn finish(&mut self) -> Text {
        self.0.push_str("}");
        std::mem::take(&mut *self.0).into()
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
        self.0.push_str(if self.0.is_empty() { "[" } else { "," });
        self.0.push_str(json);
    }

    /// Nothing was added.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The array's text.
    pub fn finish(mut self) -> Text {
        if self.0.is_empty() {
            self.0.push_str("[");
        }
        self.0.push_str("]");
        self.0.into()
    }
}

/// Text as a JSON string.
pub fn quoted(text: &str) -> Text {
    let mut out = String::new();
    out.push_str("\"");
    let mut from = 0;
    for (at, byte) in text.bytes().enumerate() {
        if byte < b' ' || byte == b'"' || byte == b'\\' {
            out.push_str(text.get(from..at).unwrap_or_default());
            out.push_str(if byte < b' ' { "\\u00" } else { "\\" });
            if byte < b' ' {
                push_hex(&mut out, byte);
                from = at + 1;
            } else {
                from = at;
            }
        }
    }
    out.push_str(text.get(from..).unwrap_or_default());
    out.push_str("\"");
    out.into()
}

/// Two texts as a JSON array.
pub fn pair(first: &str, second: &str) -> Text {
    join("[", &join(&quoted(first), ",", &quoted(second)), "]")
}

/// Two hexadecimal digits.
pub fn push_hex(out: &mut String, byte: u8) {
    let digit = |nibble: u8| "0123456789ABCDEF".get(usize::from(nibble)..=usize::from(nibble)).unwrap_or_default();
    out.push_str(digit(byte >> 4));
    out.push_str(digit(byte & 15));
}

/// A number in decimal, without the standard library's formatting.
pub fn decimal(number: i64) -> Text {
    let mut out = String::from(if number < 0 { "-" } else { "" });
    let mut unit = 1;
    while (number / unit).unsigned_abs() > 9 {
        unit *= 10;
    }
    push_digits(&mut out, number, unit);
    out.into()
}

/// The digits of a number, from that of a power of ten on.
pub fn push_digits(out: &mut String, number: i64, mut unit: i64) {
    while unit > 0 {
        let digit = (number / unit % 10).unsigned_abs() as usize;
        out.push_str("0123456789".get(digit..=digit).unwrap_or_default());
        unit /= 10;
    }
}

/// JSON, kept for good: for tests.
#[cfg(test)]
pub(crate) fn parsed(text: &str) -> Json<'static> {
    let document = Document::read(String::leak(text.to_owned())).unwrap();
    Box::leak(Box::new(document)).root()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn valid(text: &str) -> bool {
        Document::parse(text.as_bytes()).is_some()
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
        assert!(Document::parse(b"\"\xff\"").is_none());
    }

    #[test]
    fn depth_is_bounded() {
        let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
        assert!(valid(&nested(64)));
        assert!(!valid(&nested(65)));
        assert!(Document::read(&nested(128)).is_some() && Document::read(&nested(129)).is_none(), "what is our own has it in it");
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
            assert_eq!(parsed(text).as_str().unwrap(), expected, "{text}");
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
            ("922337203685477579", 0, Some(922_337_203_685_477_579)),
            ("9223372036854775807", 0, None),
            ("99999999999999999999", 0, None),
            ("1e4", 0, None),
            ("1E-4", 0, None),
            ("1e99999999999", 0, None),
        ] {
            assert_eq!(parsed(text).as_scaled(power), expected, "{text}");
        }
        assert_eq!(parsed("\"1\"").as_scaled(0), None);
    }

    #[test]
    fn members_and_items() {
        let json = parsed(r#" {"a":{"b":"in\"ner"},"list":[ {"k" : 1.5} ,null],"n":7,"f":false,"gone":null,"a":"last"} "#);
        assert_eq!((json.text("a").as_deref(), json.number("n"), json.flag("f")), (Some("last"), Some(7), Some(false)));
        assert_eq!(json.get("list").unwrap().items().map(Json::source).collect::<Vec<_>>(), ["{\"k\" : 1.5}", "null"]);
        for name in ["gone", "b", "", "k"] {
            assert_eq!(json.get(name), None, "{name}");
        }
        assert_eq!((json.text("n"), json.number("a"), json.flag("n")), (None, None, None));
        for text in ["[]", "null", "1", "\"a\""] {
            assert_eq!(parsed(text).get("a"), None);
        }
        assert_eq!(json.items().count(), 0);
    }

    #[test]
    fn unwanted_members_go() {
        let json = parsed(r#"{"a":"x","bad":"s","list":[{"bad":"s","b":1.50}, 2],"o":{"bad":true,"\u0062ad":["s"]},"e":{}}"#);
        fn good(json: Json<'_>) -> Text {
            json.map(&|name, value| (unescape(name) != "bad").then(|| good(value)))
        }
        assert_eq!(good(json), r#"{"a":"x","list":[{"b":1.50},2],"o":{},"e":{}}"#);
    }

    #[test]
    fn an_escape_that_is_none_ends_the_text() {
        assert_eq!([unescape("true\\"), unescape("a\\é b"), unescape("\\\"\\u00e9")], ["true", "a", "\"é"]);
    }

    #[test]
    fn writes_what_it_reads() {
        let text = "q\" b\\ n\n u\u{1f} é 😀";
        for number in [0, 7, -1, 42, i64::MAX, i64::MIN] {
            assert_eq!(decimal(number).as_str(), number.to_string());
        }
        let mut list = List::default();
        list.push(&quoted("x"));
        list.push("1");
        assert_eq!(parsed(&Writer::new().named(text, "1").finish()).source(), join("{", &quoted(text), ":1}"));
        let written = Writer::new()
            .text("a", Some(text))
            .text("b", None)
            .number("c", -5)
            .flag("d", true)
            .json("e", &list.finish())
            .json("f", &List::default().finish())
            .finish();
        assert_eq!(written.replace(quoted(text).as_str(), "…"), r#"{"a":…,"b":null,"c":-5,"d":true,"e":["x",1],"f":[]}"#);
        assert_eq!(parsed(&quoted(text)).as_str().as_deref(), Some(text));
    }
}
