//! Changes a case as the tree it is: most changes of its bytes would only make it no JSON any more.

use std::sync::LazyLock;

use serde_json::{Map, Value};

/// Names, words and numbers of the wires; the same that libFuzzer is given for texts.
const WORDS: &str = include_str!("../dictionaries/case.dict");

/// A case with a few changes; `None` where libFuzzer had better change the bytes.
pub fn mutate(data: &[u8], most: usize, seed: u32) -> Option<Vec<u8>> {
    let mut chance = Chance(u64::from(seed) << 1 | 1);
    // Texts in it need changes of bytes, too.
    if chance.below(6) == 0 {
        return None;
    }
    let mut case: Value = serde_json::from_slice(data).ok()?;
    for _ in 0..=chance.below(3) {
        let count = count(&case);
        let other = nth(&case, &mut chance.below(count))?.clone();
        let mut at = chance.below(count);
        change(&mut case, &mut at, &mut |value| alter(value, &other, &mut chance));
    }
    let text = serde_json::to_vec(&case).ok()?;
    (text.len() <= most && case.is_object()).then_some(text)
}

struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % limit.max(1)
    }

    fn word(&mut self) -> String {
        static LIST: LazyLock<Vec<&str>> = LazyLock::new(|| WORDS.lines().filter_map(|line| line.strip_prefix('"')?.strip_suffix('"')).collect());
        let words = &*LIST;
        words[self.below(words.len())].to_owned()
    }

    fn value(&mut self) -> Value {
        const VALUES: [&str; 16] =
            ["null", "true", "false", "0", "1", "-1", "2", "200", "401", "1767225600", "1767225600000", "9223372036854775807", "1.5", "1e3", "[]", "{}"];
        match self.below(3) {
            0 => Value::String(self.word()),
            _ => serde_json::from_str(VALUES[self.below(VALUES.len())]).unwrap_or_default(),
        }
    }
}

fn alter(value: &mut Value, other: &Value, chance: &mut Chance) {
    match (chance.below(5), &mut *value) {
        (0, _) => *value = chance.value(),
        (1, _) => *value = other.clone(),
        (_, Value::Object(members)) => {
            let at = chance.below(members.len());
            let name = members.keys().nth(at).cloned().unwrap_or_default();
            match chance.below(5) {
                0 => drop(members.remove(&name)),
                1 => {
                    if let Some(value) = members.remove(&name) {
                        members.insert(chance.word(), value);
                    }
                }
                2 => drop(members.insert(chance.word(), other.clone())),
                _ => drop(members.insert(chance.word(), chance.value())),
            }
        }
        (_, Value::Array(items)) => {
            let at = chance.below(items.len() + 1);
            match chance.below(4) {
                0 if at < items.len() => drop(items.remove(at)),
                1 if at < items.len() => items.insert(at, items[at].clone()),
                2 => items.insert(at, other.clone()),
                _ => items.insert(at, chance.value()),
            }
        }
        (_, Value::String(text)) => {
            let at = text.char_indices().map(|(at, _)| at).nth(chance.below(text.chars().count() + 1)).unwrap_or(text.len());
            match chance.below(5) {
                0 => text.truncate(at),
                1 => text.insert_str(at, &chance.word()),
                2 => *text = chance.word(),
                3 => text.insert_str(at, ["é", "\u{0}", "\n", "%", "/", "..", "\\u0041", " ", "\u{10ffff}", "{id}"][chance.below(10)]),
                _ => *text = text.repeat(2),
            }
        }
        (_, Value::Number(_)) => {
            let changed = value.as_i64().unwrap_or(0).wrapping_add([0, 1, -1, 10, 1000][chance.below(5)]);
            *value = if chance.below(4) == 0 { Value::String(changed.to_string()) } else { changed.into() };
        }
        _ => *value = chance.value(),
    }
}

fn count(value: &Value) -> usize {
    1 + match value {
        Value::Array(items) => items.iter().map(count).sum(),
        Value::Object(members) => members.values().map(count).sum(),
        _ => 0,
    }
}

/// The value of that number, counted from the root.
fn nth<'a>(value: &'a Value, at: &mut usize) -> Option<&'a Value> {
    if *at == 0 {
        return Some(value);
    }
    *at -= 1;
    match value {
        Value::Array(items) => items.iter().find_map(|item| nth(item, at)),
        Value::Object(members) => members.values().find_map(|value| nth(value, at)),
        _ => None,
    }
}

fn change(value: &mut Value, at: &mut usize, how: &mut dyn FnMut(&mut Value)) -> bool {
    if *at == 0 {
        how(value);
        return true;
    }
    *at -= 1;
    match value {
        Value::Array(items) => items.iter_mut().any(|item| change(item, at, how)),
        Value::Object(members) => members_of(members, at, how),
        _ => false,
    }
}

fn members_of(members: &mut Map<String, Value>, at: &mut usize, how: &mut dyn FnMut(&mut Value)) -> bool {
    members.values_mut().any(|value| change(value, at, how))
}
