//! Parameters of a JSON body that stand inside of objects, by JSON pointers for names.
//!
//! Invariant: no value is put where another stands or inside of one, so that every name is written once.

use std::collections::BTreeMap;

const DEEPEST: usize = 5;
const LONGEST: usize = 100;

/// An object with values and objects in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Nested<T>(BTreeMap<String, Inner<T>>);

/// What stands under a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Inner<T> {
    /// A value.
    Value(T),
    /// An object.
    Object(Nested<T>),
}

impl<T> Default for Nested<T> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<T> Nested<T> {
    /// Puts a value under its name, or where a name that begins with a slash points to.
    ///
    /// # Errors
    /// What is wrong with the name, for a person.
    pub fn put(&mut self, name: &str, value: T) -> Result<(), String> {
        let Some(rest) = name.strip_prefix('/') else { return self.put_at(&[name.to_owned()], value) };
        let parts: Vec<_> = rest.split('/').map(|part| part.replace("~1", "/").replace("~0", "~")).collect();
        if parts.len() > DEEPEST {
            return Err(format!("objects nest at most {DEEPEST} deep"));
        }
        self.put_at(&parts, value)
    }

    /// The members, in the order of their names.
    pub fn members(&self) -> impl ExactSizeIterator<Item = (&String, &Inner<T>)> {
        self.0.iter()
    }

    fn put_at(&mut self, parts: &[String], value: T) -> Result<(), String> {
        const TWICE: &str = "another parameter stands here already: give each a place of its own";
        let Some((first, rest)) = parts.split_first() else { return Err(TWICE.to_owned()) };
        if !(1..=LONGEST).contains(&first.len()) || !first.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
            return Err(format!("a name in JSON is 1 to {LONGEST} printable ASCII characters"));
        }
        if rest.is_empty() {
            return match self.0.insert(first.clone(), Inner::Value(value)) {
                None => Ok(()),
                Some(_) => Err(TWICE.to_owned()),
            };
        }
        match self.0.entry(first.clone()).or_insert_with(|| Inner::Object(Self::default())) {
            Inner::Object(inner) => inner.put_at(rest, value),
            Inner::Value(_) => Err(TWICE.to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pointers_lead_into_objects_and_nothing_stands_twice() {
        let mut nested = Nested::default();
        for name in ["user", "/site/name", "/site/contentUrl", "/a~1b/c~0d", "plain name"] {
            assert_eq!(nested.put(name, name.to_owned()), Ok(()), "{name}");
        }
        let names: Vec<_> = nested.members().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["a/b", "plain name", "site", "user"]);
        for name in ["user", "/user", "/user/inner", "/site", "/site/name", "/site/name/deeper", "", "/", "//", "a\n"] {
            assert!(nested.clone().put(name, String::new()).is_err(), "{name:?}");
        }
        assert!(nested.put("/1/2/3/4/5", String::new()).is_ok());
        assert!(nested.put("/2/2/3/4/5/6", String::new()).is_err());
    }
}
