//! Results on their way out: one small tree for all of them, with one way to serialise it.

use serde::ser::{Serialize, SerializeMap, Serializer};

use crate::time::Time;

/// A plain value: `null`, a boolean, a number, text, a list or an object.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Not known.
    Null,
    /// Yes or no.
    Flag(bool),
    /// A whole number.
    Number(i64),
    /// A fixed word.
    Word(&'static str),
    /// Text.
    Text(String),
    /// Several.
    List(Vec<Value>),
    /// Members in order.
    Object(Vec<(&'static str, Value)>),
}

impl Value {
    /// Text, or null.
    pub fn text(text: Option<String>) -> Self {
        text.map_or(Self::Null, Self::Text)
    }

    /// A whole number, or null.
    pub fn number(number: Option<i64>) -> Self {
        number.map_or(Self::Null, Self::Number)
    }

    /// ISO 8601, or null.
    pub fn time(time: Option<Time>) -> Self {
        Self::text(time.map(Time::to_iso))
    }

    /// A member of an object.
    pub fn get(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Object(members) => members.iter().find(|(known, _)| *known == name).map(|(_, value)| value),
            _ => None,
        }
    }

    /// A text member, or nothing.
    pub fn str(&self, name: &str) -> &str {
        match self.get(name) {
            Some(Self::Text(text)) => text,
            Some(Self::Word(word)) => word,
            _ => "",
        }
    }

    /// Changes a member that is there.
    pub fn set(&mut self, name: &str, new: Self) {
        if let Self::Object(members) = self
            && let Some((_, value)) = members.iter_mut().find(|(known, _)| *known == name)
        {
            *value = new;
        }
    }
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Flag(flag) => serializer.serialize_bool(*flag),
            // JavaScript's own kind of number; times and counts are far below 2^53.
            Self::Number(number) => serializer.serialize_f64(*number as f64),
            Self::Word(word) => serializer.serialize_str(word),
            Self::Text(text) => serializer.serialize_str(text),
            Self::List(items) => serializer.collect_seq(items),
            Self::Object(members) => {
                let mut map = serializer.serialize_map(None)?;
                for (name, value) in members {
                    map.serialize_entry(name, value)?;
                }
                map.end()
            }
        }
    }
}
