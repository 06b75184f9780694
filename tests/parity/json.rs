//! JSON that keeps its words: a tree whose scalars are the bytes they were written as, so that `1.50` is not `1.5` and
//! `"\u00e4"` is not `"ä"`, and whose members keep their order.

/// A JSON text, or part of one.
#[derive(Clone, Debug, PartialEq)]
pub enum Node {
    /// Members in their order. Names are as written, without their quotes.
    Object(Vec<(String, Node)>),
    /// A list.
    List(Vec<Node>),
    /// A number, a word, or a string with its quotes.
    Scalar(String),
}

impl Node {
    /// Reads a whole text; `None` where it is no JSON.
    pub fn parse(text: &str) -> Option<Node> {
        let mut reader = Reader { rest: text };
        let node = reader.value(0)?;
        reader.blanks();
        reader.rest.is_empty().then_some(node)
    }

    /// A string.
    pub fn string(text: &str) -> Node {
        Node::Scalar(serde_json::to_string(text).unwrap())
    }

    /// An object.
    pub fn object(members: Vec<(&str, Node)>) -> Node {
        Node::Object(members.into_iter().map(|(name, node)| (name.to_owned(), node)).collect())
    }

    /// `null`.
    pub fn null() -> Node {
        Node::Scalar("null".to_owned())
    }

    /// The member of that name.
    pub fn get(&self, name: &str) -> Option<&Node> {
        match self {
            Node::Object(members) => members.iter().find(|(member, _)| member == name).map(|(_, node)| node),
            Node::List(_) | Node::Scalar(_) => None,
        }
    }

    /// The member of that name.
    pub fn get_mut(&mut self, name: &str) -> Option<&mut Node> {
        match self {
            Node::Object(members) => members.iter_mut().find(|(member, _)| member == name).map(|(_, node)| node),
            Node::List(_) | Node::Scalar(_) => None,
        }
    }

    /// The names of the members, in their order.
    pub fn names(&self) -> Vec<&str> {
        match self {
            Node::Object(members) => members.iter().map(|(name, _)| name.as_str()).collect(),
            Node::List(_) | Node::Scalar(_) => Vec::new(),
        }
    }

    /// A string's text.
    pub fn text(&self) -> Option<String> {
        match self {
            Node::Scalar(raw) if raw.starts_with('"') => serde_json::from_str(raw).ok(),
            Node::Scalar(_) | Node::Object(_) | Node::List(_) => None,
        }
    }

    /// The text, without blanks between its parts.
    pub fn print(&self) -> String {
        let mut out = String::new();
        self.write(&mut out);
        out
    }

    fn write(&self, out: &mut String) {
        match self {
            Node::Scalar(raw) => out.push_str(raw),
            Node::List(items) => {
                out.push('[');
                for (index, item) in items.iter().enumerate() {
                    out.push_str(if index > 0 { "," } else { "" });
                    item.write(out);
                }
                out.push(']');
            }
            Node::Object(members) => {
                out.push('{');
                for (index, (name, node)) in members.iter().enumerate() {
                    out.push_str(if index > 0 { ",\"" } else { "\"" });
                    out.push_str(name);
                    out.push_str("\":");
                    node.write(out);
                }
                out.push('}');
            }
        }
    }

    /// Changes every scalar and every name.
    pub fn each_text(&mut self, change: &impl Fn(&mut String)) {
        match self {
            Node::Scalar(raw) => change(raw),
            Node::List(items) => items.iter_mut().for_each(|item| item.each_text(change)),
            Node::Object(members) => {
                for (name, node) in members {
                    change(name);
                    node.each_text(change);
                }
            }
        }
    }
}

struct Reader<'a> {
    rest: &'a str,
}

impl Reader<'_> {
    fn blanks(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t', '\n', '\r']);
    }

    fn take(&mut self, text: &str) -> Option<()> {
        self.blanks();
        self.rest = self.rest.strip_prefix(text)?;
        Some(())
    }

    fn value(&mut self, depth: usize) -> Option<Node> {
        self.blanks();
        if depth > 200 {
            return None;
        }
        match self.rest.as_bytes().first()? {
            b'{' => self.object(depth),
            b'[' => self.list(depth),
            b'"' => Some(Node::Scalar(format!("\"{}\"", self.string()?))),
            _ => self.word(),
        }
    }

    fn object(&mut self, depth: usize) -> Option<Node> {
        self.take("{")?;
        let mut members = Vec::new();
        if self.take("}").is_some() {
            return Some(Node::Object(members));
        }
        loop {
            self.blanks();
            let name = self.string()?;
            self.take(":")?;
            members.push((name, self.value(depth + 1)?));
            if self.take("}").is_some() {
                return Some(Node::Object(members));
            }
            self.take(",")?;
        }
    }

    fn list(&mut self, depth: usize) -> Option<Node> {
        self.take("[")?;
        let mut items = Vec::new();
        if self.take("]").is_some() {
            return Some(Node::List(items));
        }
        loop {
            items.push(self.value(depth + 1)?);
            if self.take("]").is_some() {
                return Some(Node::List(items));
            }
            self.take(",")?;
        }
    }

    /// What stands between the quotes, as it is written.
    fn string(&mut self) -> Option<String> {
        let inner = self.rest.strip_prefix('"')?;
        let mut escaped = false;
        for (at, character) in inner.char_indices() {
            match character {
                _ if escaped => escaped = false,
                '\\' => escaped = true,
                '"' => {
                    let (text, rest) = inner.split_at(at);
                    self.rest = &rest[1..];
                    return Some(text.to_owned());
                }
                _ => {}
            }
        }
        None
    }

    fn word(&mut self) -> Option<Node> {
        let end = self.rest.find([',', '}', ']', ' ', '\n', '\t', '\r']).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        serde_json::from_str::<serde_json::Value>(word).ok()?;
        self.rest = rest;
        Some(Node::Scalar(word.to_owned()))
    }
}
