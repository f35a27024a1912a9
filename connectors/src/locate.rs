//! Where in the text a member stands.

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::Spanned;

/// A document as a tree of places.
pub(crate) enum Tree {
    Map(Vec<(String, Spanned<Tree>)>),
    List(Vec<Spanned<Tree>>),
    Leaf,
}

impl Tree {
    /// Reads any document; `None` where it is no document at all.
    pub(crate) fn read(text: &str) -> Option<Spanned<Self>> {
        serde_saphyr::from_str(text).ok()
    }
}

/// Line and column of the member that a JSON pointer names, or of the nearest one around it.
pub(crate) fn locate(root: &Spanned<Tree>, pointer: &str) -> (u32, u32) {
    let mut at = root;
    for segment in pointer.split('/').skip(1) {
        let name = segment.replace("~1", "/").replace("~0", "~");
        let next = match &at.value {
            Tree::Map(members) => members.iter().find(|(key, _)| *key == name).map(|(_, value)| value),
            Tree::List(items) => name.parse::<usize>().ok().and_then(|index| items.get(index)),
            Tree::Leaf => None,
        };
        match next {
            Some(inner) => at = inner,
            None => break,
        }
    }
    let number = |n: u64| u32::try_from(n).unwrap_or(u32::MAX).max(1);
    (number(at.referenced.line()), number(at.referenced.column()))
}

impl<'de> Deserialize<'de> for Tree {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TreeVisitor)
    }
}

struct TreeVisitor;

macro_rules! leaves {
    ($($visit:ident: $kind:ty),*) => {$(
        fn $visit<E>(self, _: $kind) -> Result<Tree, E> {
            Ok(Tree::Leaf)
        }
    )*};
}

impl<'de> Visitor<'de> for TreeVisitor {
    type Value = Tree;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a document")
    }

    leaves! { visit_bool: bool, visit_i64: i64, visit_u64: u64, visit_i128: i128, visit_u128: u128, visit_f64: f64, visit_str: &str, visit_bytes: &[u8] }

    fn visit_unit<E>(self) -> Result<Tree, E> {
        Ok(Tree::Leaf)
    }

    fn visit_none<E>(self) -> Result<Tree, E> {
        Ok(Tree::Leaf)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Tree, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Tree::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Tree, A::Error> {
        let mut map = Vec::new();
        while let Some(member) = members.next_entry()? {
            map.push(member);
        }
        Ok(Tree::Map(map))
    }
}
