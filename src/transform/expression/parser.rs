//! Reads the words of a Groovy or JavaScript expression into a tree.
//!
//! In: tokens. Out: a tree, or what is not translated, with its place. Promised: what is read means the same in its
//! language; what might mean something else is refused. Source: `GroovyParser.g4` of Groovy 4 for the order of
//! operators and for where a line may end, ECMA-262 section 13.

use super::decimal::Decimal;
use super::lexer::{self, Segment, Token, TokenKind};
use super::methods;
use super::syntax::{Comparison, Constant, Node, Operator, Property, Variable};
use super::{Dialect, Refusal};
use crate::transform::memo::SchemaMemo;
use crate::util::java_regex::JavaRegex;

/// Deepest nesting that is read; each level takes a few frames of the stack.
const DEEPEST: usize = 48;

/// Operators of one kind that one expression may chain (`a && b && ...`).
const LONGEST_CHAIN: usize = 500;

/// Levels that a tree may have: what computes it calls itself for each, on threads with 2 MiB of stack. A chain of
/// operators is as high as it is long.
const HIGHEST: usize = 600;

/// Reads an expression.
pub fn parse(text: &str, dialect: Dialect) -> Result<Node, Refusal> {
    parse_within(text, dialect, 0).map(|(node, _)| node)
}

/// The tree, and how many levels it has.
fn parse_within(text: &str, dialect: Dialect, depth: usize) -> Result<(Node, usize), Refusal> {
    let tokens = lexer::read(text, dialect)?;
    let mut parser = Parser { tokens, next: 0, dialect, depth, brackets: 0, height: 0 };
    if dialect == Dialect::Groovy && parser.is_name("return") {
        parser.next += 1;
    }
    let node = parser.expression()?;
    while parser.eat(";") {}
    if *parser.kind() == TokenKind::End {
        return Ok((node, parser.height));
    }
    Err(parser.refuse("one expression is translated, and this begins another or is no operator that is"))
}

/// A reader of tokens.
pub struct Parser {
    tokens: Vec<Token>,
    next: usize,
    /// Whose words they are.
    pub dialect: Dialect,
    depth: usize,
    /// Within brackets the end of a line means nothing.
    brackets: usize,
    /// Levels of the part that was read last.
    pub height: usize,
}

/// Whether a word may stand in the name of a class, such as `value.after`.
fn is_of_path(token: &Token) -> bool {
    matches!(token.kind, TokenKind::Name(_) | TokenKind::Symbol("."))
}

static END: Token = Token { kind: TokenKind::End, at: usize::MAX, newline: false };

impl Parser {
    fn token(&self) -> &Token {
        self.tokens.get(self.next).or(self.tokens.last()).unwrap_or(&END)
    }

    fn kind(&self) -> &TokenKind {
        &self.token().kind
    }

    /// Where the next word stands.
    pub fn at(&self) -> usize {
        self.token().at
    }

    fn symbol(&self) -> Option<&'static str> {
        if let TokenKind::Symbol(symbol) = self.kind() { Some(symbol) } else { None }
    }

    fn is(&self, symbol: &str) -> bool {
        self.symbol() == Some(symbol)
    }

    fn is_name(&self, name: &str) -> bool {
        matches!(self.kind(), TokenKind::Name(found) if found == name)
    }

    /// Text or a pattern that stands here as it is.
    fn fixed_text(&self) -> Option<String> {
        if let TokenKind::Text(text) | TokenKind::Pattern(text) = self.kind() { Some(text.clone()) } else { None }
    }

    /// Takes a symbol, where it is the next.
    pub fn eat(&mut self, symbol: &str) -> bool {
        let found = self.is(symbol);
        self.next += usize::from(found);
        found
    }

    /// Takes a symbol that must be the next.
    pub fn expect(&mut self, symbol: &str) -> Result<(), Refusal> {
        if self.eat(symbol) { Ok(()) } else { Err(self.refuse(&format!("{symbol} is missing here"))) }
    }

    /// The next word is not translated.
    pub fn refuse(&self, reason: &str) -> Refusal {
        Refusal::new(self.at(), reason)
    }

    fn deeper<T>(&mut self, read: impl FnOnce(&mut Parser) -> Result<T, Refusal>) -> Result<T, Refusal> {
        if self.depth >= DEEPEST {
            return Err(self.refuse("the expression is nested deeper than 48 levels"));
        }
        self.depth += 1;
        let made = read(self);
        self.depth -= 1;
        made
    }

    /// The part that was read last and one of so many levels become one part.
    fn grow(&mut self, beside: usize) -> Result<(), Refusal> {
        self.height = self.height.max(beside) + 1;
        if self.height > HIGHEST {
            return Err(self.refuse("the expression has more than 600 operators or properties within one another"));
        }
        Ok(())
    }

    /// What is between brackets.
    pub fn bracketed<T>(&mut self, read: impl FnOnce(&mut Parser) -> Result<T, Refusal>) -> Result<T, Refusal> {
        self.brackets += 1;
        let made = read(self);
        self.brackets -= 1;
        made
    }

    /// Text that stands here as it is: for arguments that must be known at start.
    pub fn literal(&mut self) -> Option<String> {
        let text = self.fixed_text()?;
        let behind = self.tokens.get(self.next + 1).map(|token| &token.kind);
        let ends = matches!(behind, Some(TokenKind::Symbol(")" | "]" | ",")));
        self.next += usize::from(ends);
        ends.then_some(text)
    }

    /// A whole number that stands here, from 0.
    pub fn index(&mut self) -> Result<usize, Refusal> {
        let number = if let TokenKind::Whole(digits, None) = self.kind() { digits.parse().ok() } else { None };
        let number = number.ok_or_else(|| self.refuse("a whole number is missing here"))?;
        self.next += 1;
        Ok(number)
    }

    /// `condition ? yes : no`, `left ?: right`; the operators that bind least.
    pub fn expression(&mut self) -> Result<Node, Refusal> {
        self.deeper(|parser| {
            let condition = parser.or()?;
            let height = parser.height;
            if parser.eat("?") {
                let yes = parser.expression()?;
                let height = height.max(parser.height);
                parser.expect(":")?;
                let no = parser.expression()?;
                parser.grow(height)?;
                return Ok(Node::Choice(Box::new((condition, yes, no))));
            }
            let otherwise = if parser.dialect == Dialect::Groovy { "?:" } else { "??" };
            if !parser.is(otherwise) {
                return Ok(condition);
            }
            if parser.dialect == Dialect::JavaScript && matches!(condition, Node::And(_) | Node::Or(_)) {
                return Err(parser.refuse("?? beside && or || needs parentheses"));
            }
            parser.eat(otherwise);
            let right = parser.expression()?;
            parser.grow(height)?;
            if parser.dialect == Dialect::JavaScript && !matches!(right, Node::Constant(_) | Node::Property(_)) {
                return Err(parser.refuse("only a constant or a property is translated on the right of ??"));
            }
            Ok(Node::Otherwise(Box::new((condition, right))))
        })
    }

    /// Operators of one kind, the left ones first.
    fn chain(
        &mut self,
        operand: fn(&mut Parser) -> Result<Node, Refusal>,
        operator: fn(&mut Parser) -> Result<Option<Made>, Refusal>,
    ) -> Result<Node, Refusal> {
        let mut left = operand(self)?;
        for _ in 0..LONGEST_CHAIN {
            let height = self.height;
            let Some(make) = operator(self)? else { return Ok(left) };
            left = make.node(left, operand(self)?);
            self.grow(height)?;
        }
        Err(self.refuse("more than 500 operators in a row"))
    }

    fn or(&mut self) -> Result<Node, Refusal> {
        self.chain(Parser::and, |parser| Ok(parser.eat("||").then_some(Made::Or)))
    }

    fn and(&mut self) -> Result<Node, Refusal> {
        self.chain(Parser::matching, |parser| Ok(parser.eat("&&").then_some(Made::And)))
    }

    /// `text ==~ pattern`, which binds less than `==` in Groovy.
    fn matching(&mut self) -> Result<Node, Refusal> {
        let text = self.equality()?;
        let at = self.at();
        self.grow(0)?;
        if self.dialect != Dialect::Groovy || !self.eat("==~") {
            return Ok(text);
        }
        let place = self.at();
        let refused = || self.refuse("only a pattern that stands here as text is translated");
        let pattern = self.fixed_text().ok_or_else(refused)?;
        self.next += 1;
        Ok(Node::Matches(Box::new(text), java_pattern(&pattern, place)?, at))
    }

    fn equality(&mut self) -> Result<Node, Refusal> {
        let left = self.relation()?;
        let height = self.height;
        let (at, groovy) = (self.at(), self.dialect == Dialect::Groovy);
        let comparison = match self.symbol() {
            Some("==") => Comparison::Equal,
            Some("!=") => Comparison::NotEqual,
            Some("===") if !groovy => Comparison::Same,
            Some("!==") if !groovy => Comparison::NotSame,
            _ => return Ok(left),
        };
        self.next += 1;
        let right = self.relation()?;
        self.grow(height)?;
        if matches!(self.symbol(), Some("==" | "!=" | "===" | "!==")) {
            return Err(self.refuse("comparisons in a row need parentheses"));
        }
        Ok(Node::Compare(comparison, Box::new((left, right)), at))
    }

    fn relation(&mut self) -> Result<Node, Refusal> {
        let left = self.sum()?;
        let height = self.height;
        let at = self.at();
        let groovy = self.dialect == Dialect::Groovy;
        if groovy && self.is_name("in") {
            self.next += 1;
            let list = self.list()?;
            self.grow(height)?;
            return Ok(Node::In(Box::new(left), list));
        }
        if groovy && self.is("!") && self.is_not_in() {
            self.next += 2;
            let list = self.list()?;
            self.grow(height + 1)?;
            return Ok(Node::Not(Box::new(Node::In(Box::new(left), list))));
        }
        let comparison = match self.symbol() {
            Some("<") => Comparison::Less,
            Some("<=") => Comparison::LessOrEqual,
            Some(">") => Comparison::Greater,
            Some(">=") => Comparison::GreaterOrEqual,
            _ => return Ok(left),
        };
        self.next += 1;
        let right = self.sum()?;
        self.grow(height)?;
        if matches!(self.symbol(), Some("<" | "<=" | ">" | ">=")) {
            return Err(self.refuse("comparisons in a row need parentheses"));
        }
        Ok(Node::Compare(comparison, Box::new((left, right)), at))
    }

    /// `!in`, in one piece.
    fn is_not_in(&self) -> bool {
        let at = self.at();
        self.tokens
            .get(self.next + 1)
            .is_some_and(|token| token.at == at + 1 && matches!(&token.kind, TokenKind::Name(name) if name == "in"))
    }

    /// `[a, b]`
    fn list(&mut self) -> Result<Vec<Node>, Refusal> {
        if !self.eat("[") {
            return Err(self.refuse("only a list that stands here, such as ['a', 'b'], is translated"));
        }
        self.bracketed(|parser| {
            let (mut items, mut height) = (Vec::new(), 0);
            while !parser.eat("]") {
                items.push(parser.expression()?);
                height = parser.height.max(height);
                if !parser.eat(",") {
                    parser.expect("]")?;
                    break;
                }
            }
            parser.height = height;
            Ok(items)
        })
    }

    /// A line that ends before `+` or `-` ends the statement in Groovy; what follows would be thrown away or run alone.
    fn sign_on_new_line(&self) -> bool {
        self.dialect == Dialect::Groovy && self.brackets == 0 && self.token().newline
    }

    fn sum(&mut self) -> Result<Node, Refusal> {
        self.chain(Parser::product, |parser| {
            let at = parser.at();
            let operator = match parser.symbol() {
                Some("+") => Operator::Plus,
                Some("-") => Operator::Minus,
                _ => return Ok(None),
            };
            if parser.sign_on_new_line() {
                return Err(parser.refuse("Groovy ends the statement at the line before; put this sign at its end"));
            }
            parser.next += 1;
            Ok(Some(Made::Arithmetic(operator, at)))
        })
    }

    fn product(&mut self) -> Result<Node, Refusal> {
        self.chain(Parser::unary, |parser| {
            let at = parser.at();
            let operator = match parser.symbol() {
                Some("*") => Operator::Times,
                Some("%") => Operator::Remainder,
                _ => return Ok(None),
            };
            parser.next += 1;
            Ok(Some(Made::Arithmetic(operator, at)))
        })
    }

    fn unary(&mut self) -> Result<Node, Refusal> {
        let at = self.at();
        if self.eat("!") {
            let node = self.deeper(Parser::unary)?;
            self.grow(0)?;
            return Ok(Node::Not(Box::new(node)));
        }
        if self.eat("-") {
            if self.dialect == Dialect::Groovy && *self.kind() == TokenKind::Whole("2147483648".to_owned(), None) {
                // The one number that is an int only with its sign.
                (self.next, self.height) = (self.next + 1, 1);
                return Ok(Node::Constant(Constant::Int(i32::MIN)));
            }
            let mut node = self.deeper(Parser::unary)?;
            if let Node::Constant(Constant::Int(number)) = &mut node {
                *number = number.wrapping_neg();
                return Ok(node);
            }
            let zero = matches!(node, Node::Constant(Constant::Double(0.0) | Constant::Float(0.0)));
            if zero && self.dialect == Dialect::Groovy {
                return Err(Refusal::new(at, "Groovy compares -0.0 in two ways; write 0.0"));
            }
            self.grow(0)?;
            return Ok(Node::Negative(Box::new(node), at));
        }
        self.postfix()
    }

    fn postfix(&mut self) -> Result<Node, Refusal> {
        let mut node = if self.is("[") { self.contained()? } else { self.primary()? };
        let mut safe_chain = false;
        for _ in 0..LONGEST_CHAIN {
            let (at, height) = (self.at(), self.height);
            if self.is(".") || self.is("?.") {
                let safe = self.is("?.");
                safe_chain |= safe;
                self.next += 1;
                node = self.member(node, safe)?;
                self.grow(height)?;
            } else if self.is("[") && !(self.token().newline && self.brackets == 0) {
                self.next += 1;
                let name = self.bracketed(|parser| {
                    let name = parser.literal();
                    name.ok_or_else(|| parser.refuse("only a name in quotes is translated between these brackets"))
                })?;
                self.expect("]")?;
                node = self.property(node, name, false, at)?;
                self.grow(height)?;
            } else {
                let chain = safe_chain && self.dialect == Dialect::JavaScript;
                return Ok(if chain { Node::Chain(Box::new(node)) } else { node });
            }
        }
        Err(self.refuse("more than 500 properties in a row"))
    }

    /// A list can only be asked whether it contains something.
    fn contained(&mut self) -> Result<Node, Refusal> {
        let at = self.at();
        let list = self.list()?;
        let asked = if self.dialect == Dialect::Groovy { "contains" } else { "includes" };
        let refused = || Refusal::new(at, format!("a list is translated where it is asked: ['a', 'b'].{asked}(x)"));
        if !self.eat(".") || !self.is_name(asked) {
            return Err(refused());
        }
        self.next += 1;
        self.expect("(")?;
        let height = self.height;
        let item = self.bracketed(Parser::expression)?;
        self.expect(")")?;
        self.grow(height)?;
        Ok(Node::In(Box::new(item), list))
    }

    fn member(&mut self, of: Node, safe: bool) -> Result<Node, Refusal> {
        let at = self.at();
        let name = match (self.kind(), self.dialect) {
            (TokenKind::Name(name), _) | (TokenKind::Text(name), Dialect::Groovy) => name.clone(),
            _ => return Err(self.refuse("a property's name is missing here")),
        };
        self.next += 1;
        if self.is("(") {
            self.next += 1;
            return methods::read(self, of, &name, safe, at);
        }
        if self.is("{") {
            return Err(self.refuse("closures are not translated"));
        }
        self.property(of, name, safe, at)
    }

    /// A property, where it is one of a record's parts.
    pub fn property(&mut self, of: Node, name: String, safe: bool, at: usize) -> Result<Node, Refusal> {
        methods::check_property(&of, &name, at, self.dialect)?;
        Ok(Node::Property(Box::new(Property { of, name: name.into(), safe, at, fields: SchemaMemo::default() })))
    }

    fn primary(&mut self) -> Result<Node, Refusal> {
        let Token { kind, at, .. } = self.token().clone();
        self.next += 1;
        self.height = 1;
        match kind {
            TokenKind::Name(name) => self.name(&name, at),
            TokenKind::Whole(digits, suffix) => self.whole(&digits, suffix, at),
            TokenKind::Fraction(digits, suffix) => self.fraction(&digits, suffix, at),
            TokenKind::Text(text) => Ok(Node::Constant(Constant::Text(text.into()))),
            TokenKind::Template(segments) => self.template(segments, at),
            TokenKind::Pattern(pattern) if self.dialect == Dialect::Groovy => {
                Ok(Node::Constant(Constant::Text(pattern.into())))
            }
            TokenKind::Symbol("(") => {
                let begin = self.next;
                let node = self.bracketed(Parser::expression)?;
                let is_path = self.tokens.get(begin..self.next).is_some_and(|tokens| tokens.iter().all(is_of_path));
                self.expect(")")?;
                let operand = self.is_name("in") || matches!(self.symbol(), Some("+" | "-" | "!" | "["));
                if self.dialect == Dialect::Groovy && is_path && operand {
                    return Err(Refusal::new(at, "Groovy takes (a.b) before an operand for a cast; leave () away"));
                }
                // What is in parentheses is a whole of its own.
                Ok(node)
            }
            TokenKind::Symbol(symbol) => Err(Refusal::new(at, format!("{symbol} is not translated here"))),
            TokenKind::Pattern(_) => Err(Refusal::new(at, "a pattern is not translated here")),
            TokenKind::End => Err(Refusal::new(at, "the expression ends where a value is missing")),
        }
    }

    fn name(&mut self, name: &str, at: usize) -> Result<Node, Refusal> {
        if let Some((_, variable)) = Variable::ALL.iter().find(|(known, _)| *known == name) {
            return Ok(Node::Variable(*variable));
        }
        match (name, self.dialect) {
            ("null", _) => Ok(Node::Constant(Constant::Null)),
            ("true", _) => Ok(Node::Constant(Constant::Boolean(true))),
            ("false", _) => Ok(Node::Constant(Constant::Boolean(false))),
            ("undefined", Dialect::JavaScript) => Ok(Node::Constant(Constant::Undefined)),
            ("headers", _) => Err(Refusal::new(at, "there is no variable headers; Debezium calls it header")),
            _ => Err(Refusal::new(
                at,
                format!(
                    "{name} is not translated; the variables are value, key, topic, header, valueSchema, keySchema"
                ),
            )),
        }
    }

    fn whole(&mut self, digits: &str, suffix: Option<char>, at: usize) -> Result<Node, Refusal> {
        let large = |_| Refusal::new(at, "a whole number beyond a long is not translated");
        let constant = match (self.dialect, suffix) {
            (Dialect::JavaScript, _) => Constant::Double(digits.parse().map_err(|_| Refusal::new(at, "not a number"))?),
            (Dialect::Groovy, Some('f' | 'F' | 'd' | 'D')) => return self.fraction(digits, suffix, at),
            (Dialect::Groovy, Some('l' | 'L')) => Constant::Long(digits.parse().map_err(large)?),
            (Dialect::Groovy, _) => match digits.parse::<i32>() {
                Ok(number) => Constant::Int(number),
                Err(_) if suffix.is_some() => return Err(Refusal::new(at, "a whole number beyond an int")),
                Err(_) => Constant::Long(digits.parse().map_err(large)?),
            },
        };
        Ok(Node::Constant(constant))
    }

    fn fraction(&mut self, digits: &str, suffix: Option<char>, at: usize) -> Result<Node, Refusal> {
        let refused = || Refusal::new(at, "a number written in this way is not translated");
        let constant = match (self.dialect, suffix) {
            (Dialect::JavaScript, None) | (Dialect::Groovy, Some('d' | 'D')) => {
                Constant::Double(digits.parse().map_err(|_| refused())?)
            }
            (Dialect::Groovy, Some('f' | 'F')) => Constant::Float(digits.parse().map_err(|_| refused())?),
            (Dialect::Groovy, None) => Constant::Decimal(Decimal::parse(digits).ok_or_else(refused)?),
            (Dialect::Groovy | Dialect::JavaScript, Some(_)) => return Err(refused()),
        };
        Ok(Node::Constant(constant))
    }

    fn template(&mut self, segments: Vec<Segment>, at: usize) -> Result<Node, Refusal> {
        let dialect = self.dialect;
        let mut highest = 0;
        let mut part = |segment| match segment {
            Segment::Text(text) => Ok(Node::Constant(Constant::Text(text.into()))),
            Segment::Code(code, start) => self.deeper(|parser| {
                let read = parse_within(&code, dialect, parser.depth);
                let (node, height) = read.map_err(|refusal| refusal.behind(start, code.len()))?;
                highest = height.max(highest);
                Ok(node)
            }),
        };
        let nodes = segments.into_iter().map(&mut part).collect::<Result<_, _>>()?;
        self.grow(highest)?;
        Ok(Node::Template(nodes, at))
    }
}

/// An expression of `java.util.regex` that stands in the text.
pub fn java_pattern(pattern: &str, at: usize) -> Result<JavaRegex, Refusal> {
    JavaRegex::parse_case_sensitive(pattern).map_err(|error| Refusal::new(at, error.to_string()))
}

/// What an operator makes of its two sides.
enum Made {
    Or,
    And,
    Arithmetic(Operator, usize),
}

impl Made {
    fn node(self, left: Node, right: Node) -> Node {
        let both = Box::new((left, right));
        match self {
            Made::Or => Node::Or(both),
            Made::And => Node::And(both),
            Made::Arithmetic(operator, at) => Node::Arithmetic(operator, both, at),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// Each is refused with a reason or read, on a stack as small as the threads' own.
    #[track_caller]
    fn check(text: String, expected: Option<&str>) {
        let read = move || parse(&text, Dialect::Groovy).err().map(|refusal| refusal.reason);
        let refused = std::thread::Builder::new().stack_size(2 << 20).spawn(read).unwrap().join().unwrap();
        assert_eq!(refused.as_deref(), expected);
    }

    #[test]
    fn no_tree_is_too_high_for_the_stack() {
        let high = Some("the expression has more than 600 operators or properties within one another");
        let sums = |levels: usize, each: usize| {
            format!("{}1{}", "(".repeat(levels), format!("{})", " + 1".repeat(each)).repeat(levels))
        };
        check(sums(40, 10), None);
        check(sums(40, 400), high);
        check(format!("topic == 'a'{}", " || topic == 'a'".repeat(499)), None);
        check(format!("value{} == 1", ".a".repeat(499)), None);
        check(format!("[{}].contains(topic)", "'a', ".repeat(10_000)), None);
        check("(".repeat(10_000), Some("the expression is nested deeper than 48 levels"));
        check("!".repeat(10_000), Some("the expression is nested deeper than 48 levels"));
        check("-".repeat(10_000), Some("-- is not translated here"));
        check(
            "a ? ".repeat(10_000),
            Some("a is not translated; the variables are value, key, topic, header, valueSchema, keySchema"),
        );
        check("true ? ".repeat(9_000), Some("the expression is nested deeper than 48 levels"));
        check("true ?: ".repeat(8_000), Some("the expression is nested deeper than 48 levels"));
        check("\"${".repeat(10_000), Some("a part of text that does not end"));
    }
}
