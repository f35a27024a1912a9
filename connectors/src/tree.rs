//! A YAML or JSON text as a tree of values that know their place.
//!
//! Invariant: reading is bounded in depth and number of values, and what the tree holds is what the text shows. Refused
//! for that reason: anchors and aliases (one line can stand for millions), tags, directives and second documents.

mod scalar;

use crate::diagnostic::Code;
use serde_saphyr::granit_parser::{Event, Parser, ScanError, Span, StrInput, options};

/// How much a text may hold.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    /// How deep lists and objects may nest.
    pub(crate) deepest: usize,
    /// How many values there may be.
    pub(crate) most_values: usize,
}

/// A manifest needs six levels and some hundred values.
const MANIFEST: Bounds = Bounds { deepest: 16, most_values: 20_000 };

/// Line and column, both from 1, in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) line: u32,
    pub(crate) column: u32,
}

/// A value.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) place: Place,
    pub(crate) kind: Kind,
}

/// The kinds of values.
#[derive(Debug)]
pub(crate) enum Kind {
    /// Left empty, or `null`.
    Null,
    Flag(bool),
    /// As written.
    Number(String),
    Text(String),
    List(Vec<Node>),
    Map(Vec<Member>),
    /// Refused and reported while reading.
    Refused,
}

/// A name and its value.
#[derive(Debug)]
pub(crate) struct Member {
    pub(crate) name: String,
    pub(crate) place: Place,
    pub(crate) value: Node,
}

/// Something that is no part of the language.
#[derive(Debug)]
pub(crate) struct Fault {
    pub(crate) code: Code,
    pub(crate) place: Place,
    pub(crate) message: String,
}

/// Reads a manifest's text: the tree, unless the text breaks off or is empty, and every fault on the way.
pub(crate) fn read(text: &str) -> (Option<Node>, Vec<Fault>) {
    read_within(text, MANIFEST)
}

/// Reads a text of any other size.
pub(crate) fn read_within(text: &str, bounds: Bounds) -> (Option<Node>, Vec<Fault>) {
    let mut builder = Builder { bounds, open: Vec::new(), root: None, faults: Vec::new(), values: 0 };
    let options = options! { emit_comments: false, emit_unresolved_aliases: true, disallow_directives: true };
    for event in Parser::<StrInput<'_>>::new_from_str_with_options(text, options) {
        let step = match event {
            Ok((event, span)) => builder.take(event, &span),
            Err(error) => Err(syntax(&error)),
        };
        if let Err(fault) = step {
            builder.faults.push(fault);
            return (None, builder.faults);
        }
    }
    if builder.root.is_none() && builder.faults.is_empty() {
        let message = "there is nothing in it: a manifest starts with its `id`".to_owned();
        builder.faults.push(Fault { code: Code::Malformed, place: Place { line: 1, column: 1 }, message });
    }
    (builder.root, builder.faults)
}

/// A list or an object that is not closed yet; an object's name waits for its value.
enum Open {
    List(Place, Vec<Node>),
    Map(Place, Vec<Member>, Option<(String, Place)>),
}

struct Builder {
    bounds: Bounds,
    open: Vec<Open>,
    root: Option<Node>,
    faults: Vec<Fault>,
    values: usize,
}

impl Builder {
    fn take(&mut self, event: Event<'_>, span: &Span) -> Result<(), Fault> {
        let place = place(span.start.line(), span.start.col());
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let kind = scalar::kind(&text, style);
                let kind = if self.marked(anchor, tag.is_some(), place) { Kind::Refused } else { kind };
                self.add(Node { place, kind })
            }
            Event::SequenceStart(_, anchor, tag) => {
                self.marked(anchor, tag.is_some(), place);
                self.enter(Open::List(place, Vec::new()), place)
            }
            Event::MappingStart(_, anchor, tag) => {
                self.marked(anchor, tag.is_some(), place);
                self.enter(Open::Map(place, Vec::new(), None), place)
            }
            Event::SequenceEnd | Event::MappingEnd => self.leave(),
            Event::Alias(_) | Event::UnresolvedAlias(_) => {
                let message = "aliases are not allowed: write the value out".to_owned();
                self.faults.push(Fault { code: Code::Anchor, place, message });
                self.add(Node { place, kind: Kind::Refused })
            }
            Event::DocumentStart(..) if self.root.is_some() => {
                let message = "a second document starts here: put each manifest into a text of its own".to_owned();
                Err(Fault { code: Code::Malformed, place, message })
            }
            _ => Ok(()),
        }
    }

    /// Reports an anchor or a tag; whether there was one.
    fn marked(&mut self, anchor: usize, tag: bool, place: Place) -> bool {
        if anchor != 0 {
            let message = "anchors are not allowed: write values out where they are needed".to_owned();
            self.faults.push(Fault { code: Code::Anchor, place, message });
        }
        if tag {
            let message =
                "tags are not allowed: the manifest's members know their types; put texts in quotes".to_owned();
            self.faults.push(Fault { code: Code::Tag, place, message });
        }
        anchor != 0 || tag
    }

    fn enter(&mut self, open: Open, place: Place) -> Result<(), Fault> {
        let deepest = self.bounds.deepest;
        if self.open.len() == deepest {
            let message = format!("values nest more than {deepest} levels deep here: no member of a manifest does");
            return Err(Fault { code: Code::TooDeep, place, message });
        }
        self.open.push(open);
        Ok(())
    }

    fn leave(&mut self) -> Result<(), Fault> {
        let node = match self.open.pop() {
            Some(Open::List(place, items)) => Node { place, kind: Kind::List(items) },
            Some(Open::Map(place, members, _)) => Node { place, kind: Kind::Map(members) },
            None => return Ok(()),
        };
        self.add(node)
    }

    fn add(&mut self, node: Node) -> Result<(), Fault> {
        self.values += 1;
        let most = self.bounds.most_values;
        if self.values > most {
            let message = format!("more than {most} values: leave out what a manifest does not need");
            return Err(Fault { code: Code::TooMany, place: node.place, message });
        }
        match self.open.last_mut() {
            None => self.root = Some(node),
            Some(Open::List(_, items)) => items.push(node),
            Some(Open::Map(_, members, waiting)) => match waiting.take() {
                Some((name, place)) => members.push(Member { name, place, value: node }),
                None => *waiting = Some((name(&node)?, node.place)),
            },
        }
        Ok(())
    }
}

/// A member's name; `null: 1` and `2: 3` have names too, which no member has.
fn name(node: &Node) -> Result<String, Fault> {
    match &node.kind {
        Kind::Text(text) | Kind::Number(text) => Ok(text.clone()),
        Kind::Flag(flag) => Ok(flag.to_string()),
        Kind::Null => Ok("null".to_owned()),
        Kind::Refused => Ok(String::new()),
        Kind::List(_) | Kind::Map(_) => {
            let message = "a member's name is a text, not a list or an object".to_owned();
            Err(Fault { code: Code::Malformed, place: node.place, message })
        }
    }
}

fn syntax(error: &ScanError) -> Fault {
    let place = place(error.marker().line(), error.marker().col());
    let message = format!("this is neither YAML nor JSON from here on: {}", error.info());
    Fault { code: Code::Malformed, place, message }
}

/// The parser counts lines from 1 and columns from 0.
fn place(line: usize, column: usize) -> Place {
    let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX).max(1);
    Place { line: number(line), column: number(column.saturating_add(1)) }
}

#[cfg(test)]
mod tests;
