//! A column's declaration: its type, then its attributes.
//!
//! **In:** the parser's cursor behind the column's name. **Out:** a [`ColumnDefinition`]. **Promised:** attributes
//! that do not shape a row are passed over, known or not; the fields are those that Debezium records, quirks
//! included (`ON UPDATE CURRENT_TIMESTAMP` counts as generated, a computed column does not).
//! **Survives a crash:** nothing.

use super::charset::charset_of_collation;
use super::column_type::ColumnType;
use super::parse::{Parsed, Parser};
use super::statement::{ColumnDefinition, Flavor};
use super::token::{Token, TokenKind};

/// What Debezium writes for `DEFAULT CURRENT_TIMESTAMP`.
const NOW: &str = "1970-01-01 00:00:00";

/// The attributes gathered so far.
struct Attributes {
    definition: ColumnDefinition,
    /// `NULL`, `NOT NULL`, or nothing said.
    optional: Option<bool>,
    collation: Option<String>,
    /// The outer `None`: no default.
    default: Option<Option<String>>,
}

impl Parser<'_, '_> {
    /// The type and attributes of a column; stops before `,`, `)` and, if `placed`, before `FIRST` and `AFTER`.
    pub(super) fn column_definition(&mut self, name: String, placed: bool) -> Parsed<ColumnDefinition> {
        let declared = self.column_type(&name)?;
        let mut attributes = Attributes::of(name, declared);
        while !self.at_end() && !self.is_symbol(b',') && !self.is_symbol(b')') {
            let follows_name = matches!(self.token(1).kind, TokenKind::Word | TokenKind::QuotedName);
            if placed && (self.is("FIRST") || self.is("AFTER") && follows_name) {
                break;
            }
            self.attribute(&mut attributes)?;
        }
        if self.is_broken() { Err(self.unparseable()) } else { Ok(attributes.finish()) }
    }

    fn attribute(&mut self, attributes: &mut Attributes) -> Parsed<()> {
        let word = self.token(0);
        let keyword = if word.kind == TokenKind::Word { word.text.to_ascii_uppercase() } else { String::new() };
        match keyword.as_str() {
            "NOT" => self.not(attributes),
            "NULL" => {
                self.advance();
                attributes.optional = Some(true);
            }
            "DEFAULT" if self.token(1).is_any(&["CHARSET", "CHARACTER", "COLLATE"]) => {
                self.charset_attribute(attributes)?;
            }
            "DEFAULT" => {
                self.advance();
                if let Some(default) = self.default_value()? {
                    attributes.default = Some(default);
                }
            }
            "COLLATE" | "CHARSET" => self.charset_attribute(attributes)?,
            "CHARACTER" if self.token(1).is("SET") => self.charset_attribute(attributes)?,
            "AUTO_INCREMENT" => {
                self.advance();
                attributes.generated_by_server();
            }
            "ON" => self.on_update(attributes),
            "SERIAL" => {
                self.advance();
                self.take_all(&["DEFAULT", "VALUE"]);
                attributes.serial();
            }
            "PRIMARY" | "KEY" => {
                self.advance();
                self.take("KEY");
                attributes.optional = Some(false);
                attributes.definition.primary = true;
            }
            "UNIQUE" => {
                self.advance();
                self.take_any(&["KEY", "INDEX"]);
                attributes.definition.unique = true;
            }
            "COMMENT" => {
                self.advance();
                if self.token(0).kind == TokenKind::String {
                    attributes.definition.column.comment = Some(self.string_text());
                }
            }
            "REFERENCES" => self.references()?,
            "CONSTRAINT" => {
                self.advance();
                if !self.is("CHECK") {
                    self.advance();
                }
            }
            // Each takes a word that could be mistaken for an attribute.
            "COLUMN_FORMAT" | "STORAGE" | "SRID" | "REF_SYSTEM_ID" | "ENGINE_ATTRIBUTE" => {
                self.advance();
                self.take_symbol(b'=');
                self.skip_one()?;
            }
            _ => self.skip_one()?,
        }
        Ok(())
    }

    /// `NOT NULL`, `NOT ENFORCED`, `NOT SECONDARY`.
    fn not(&mut self, attributes: &mut Attributes) {
        self.advance();
        if self.take("NULL") {
            attributes.optional = Some(false);
        } else {
            self.advance();
        }
    }

    fn charset_attribute(&mut self, attributes: &mut Attributes) -> Parsed<()> {
        let mut clause = super::statement::CharsetClause::default();
        self.charset_option(&mut clause)?;
        if clause.charset.is_some() {
            attributes.definition.column.charset_name = clause.resolve();
        }
        attributes.collation = clause.collation.or(attributes.collation.take());
        Ok(())
    }

    /// `ON UPDATE CURRENT_TIMESTAMP`; the `ON UPDATE` of a foreign key never comes here.
    fn on_update(&mut self, attributes: &mut Attributes) {
        self.advance();
        if self.take("UPDATE") {
            self.advance();
            attributes.generated_by_server();
        }
    }

    /// `REFERENCES table [(columns)] [MATCH …] [ON DELETE …] [ON UPDATE …]`: its `SET NULL` is no `NULL`.
    fn references(&mut self) -> Parsed<()> {
        self.advance();
        self.table_name()?;
        if self.is_symbol(b'(') {
            self.skip_group()?;
        }
        loop {
            if self.take("MATCH") {
                self.advance();
            } else if self.is("ON") && self.token(1).is_any(&["DELETE", "UPDATE"]) {
                self.advance();
                self.advance();
                if !self.take_all(&["SET", "NULL"])
                    && !self.take_all(&["SET", "DEFAULT"])
                    && !self.take_all(&["NO", "ACTION"])
                {
                    self.advance();
                }
            } else {
                return Ok(());
            }
        }
    }

    /// What follows `DEFAULT`. The outer `None`: Debezium sees no default in it; the inner one: an expression.
    pub(super) fn default_value(&mut self) -> Parsed<Option<Option<String>>> {
        let is_maria = self.context.flavor == Flavor::MariaDb;
        if self.is_symbol(b'(') {
            self.skip_group()?;
            return Ok(Some(None));
        }
        if self.take("NULL") {
            return Ok(None);
        }
        if self.is_any(&["CURRENT_TIMESTAMP", "NOW", "LOCALTIME", "LOCALTIMESTAMP"]) {
            return self.default_now(is_maria);
        }
        if is_maria && self.is_any(&["CURDATE", "CURTIME", "CURRENT_DATE", "CURRENT_TIME"]) {
            let word = self.advance();
            let group = if self.is_symbol(b'(') { self.group_text()? } else { String::new() };
            return Ok(Some(Some(format!("{}{group}", word.text))));
        }
        self.default_literal(is_maria)
    }

    fn default_now(&mut self, is_maria: bool) -> Parsed<Option<Option<String>>> {
        let word = self.advance();
        let group = if self.is_symbol(b'(') { self.group_text()? } else { String::new() };
        // MariaDB's grammar takes a directly following ON UPDATE as part of the default, and so it leaves no mark.
        if is_maria && self.take_all(&["ON", "UPDATE"]) {
            self.advance();
            if self.is_symbol(b'(') {
                self.skip_group()?;
            }
        }
        let is_now = !is_maria || word.is_any(&["CURRENT_TIMESTAMP", "NOW"]);
        Ok(Some(Some(if is_now { NOW.to_owned() } else { format!("{}{group}", word.text) })))
    }

    /// The group in parentheses without blanks.
    fn group_text(&mut self) -> Parsed<String> {
        let taken = self.taken();
        self.skip_group()?;
        Ok(self.text_since(taken))
    }

    fn default_literal(&mut self, is_maria: bool) -> Parsed<Option<Option<String>>> {
        let sign = match self.token(0).kind {
            TokenKind::Symbol(sign @ (b'+' | b'-')) => {
                self.advance();
                char::from(sign).to_string()
            }
            TokenKind::Word
            | TokenKind::QuotedName
            | TokenKind::String
            | TokenKind::NationalString
            | TokenKind::Number
            | TokenKind::Hex
            | TokenKind::Bit
            | TokenKind::Symbol(_)
            | TokenKind::Variable
            | TokenKind::Broken
            | TokenKind::End => String::new(),
        };
        let introduced = self.is_introducer();
        if introduced {
            self.advance();
        }
        let token = self.token(0);
        let value = match token.kind {
            TokenKind::String | TokenKind::NationalString => Some(format!("{sign}{}", self.string_text())),
            TokenKind::Number => {
                self.advance();
                Some(format!("{sign}{}", token.text))
            }
            TokenKind::Hex | TokenKind::Bit => {
                self.advance();
                match (is_maria, token.kind, token.text.starts_with('0')) {
                    (true, TokenKind::Hex, _) => return Ok(None),
                    (true, _, true) => return Ok(Some(None)),
                    _ => Some(without_two_and_one(&token)),
                }
            }
            TokenKind::Word if token.is_any(&["TRUE", "FALSE"]) => {
                self.advance();
                Some(token.text.to_owned())
            }
            TokenKind::Word
                if token.is_any(&["DATE", "TIME", "TIMESTAMP"]) && self.token(1).kind == TokenKind::String =>
            {
                self.advance();
                let literal = self.advance();
                Some(format!("{sign}{}{}", token.text, literal.text))
            }
            TokenKind::Word
            | TokenKind::QuotedName
            | TokenKind::Symbol(_)
            | TokenKind::Variable
            | TokenKind::Broken
            | TokenKind::End => None,
        };
        self.default_expression(value)
    }

    /// MariaDB takes expressions without parentheses: an operator or a call makes one of what stands before it.
    fn default_expression(&mut self, value: Option<String>) -> Parsed<Option<Option<String>>> {
        if value.is_some() && !self.is_operator() {
            return Ok(Some(value));
        }
        let is_silent = self.is_any(&["NEXT", "PREVIOUS", "NEXTVAL", "LASTVAL"]);
        let mut operand_due = value.is_none();
        while !self.at_end() && (operand_due || self.is_operator() || self.is_symbol(b'(')) {
            operand_due = self.is_operator();
            self.skip_one()?;
        }
        Ok(if is_silent { None } else { Some(None) })
    }

    fn is_operator(&self) -> bool {
        matches!(
            self.token(0).kind,
            TokenKind::Symbol(b'+' | b'-' | b'*' | b'/' | b'%' | b'|' | b'&' | b'^' | b'.' | b'<' | b'>' | b'=')
        )
    }

    /// `_utf8mb4` before a string.
    fn is_introducer(&self) -> bool {
        self.token(0).kind == TokenKind::Word
            && self.token(0).text.starts_with('_')
            && matches!(self.token(1).kind, TokenKind::String | TokenKind::Hex | TokenKind::Bit)
    }

    /// The text between the outermost quotes of one or more adjacent strings, escapes as they stand: what Debezium
    /// keeps of a default.
    pub(super) fn string_text(&mut self) -> String {
        let mut joined = String::new();
        while matches!(self.token(0).kind, TokenKind::String | TokenKind::NationalString) {
            joined.push_str(&self.literal_text());
            self.advance();
        }
        match joined.strip_prefix(['\'', '"']).and_then(|rest| rest.strip_suffix(['\'', '"'])) {
            Some(inner) => inner.to_owned(),
            None => joined,
        }
    }

    /// A string as Debezium's grammar reads it: for MySQL, double quotes become single ones beforehand.
    fn literal_text(&self) -> String {
        normalize_quotes(&self.token(0), self.context.flavor)
    }
}

/// A string literal's text, for MySQL with single quotes in place of double ones.
pub(super) fn normalize_quotes(token: &Token<'_>, flavor: Flavor) -> String {
    if flavor == Flavor::MySql && token.kind == TokenKind::String && token.text.starts_with('"') {
        format!("'{}'", token.inner().replace('\'', "''"))
    } else {
        token.text.to_owned()
    }
}

/// `x'41'` and `b'1'` without prefix and quotes. Debezium treats `0x41` alike and so loses its last digit: the same
/// value goes into the same schema.
fn without_two_and_one(token: &Token<'_>) -> String {
    token.text.get(2..token.text.len().saturating_sub(1)).unwrap_or_default().to_owned()
}

impl Attributes {
    fn of(name: String, declared: ColumnType) -> Self {
        let mut attributes =
            Attributes { definition: ColumnDefinition::default(), optional: None, collation: None, default: None };
        let definition = &mut attributes.definition;
        definition.inherits_charset = declared.inherits_charset;
        let column = &mut definition.column;
        column.name = name;
        column.jdbc_type = declared.jdbc_type;
        column.type_expression = Some(declared.name.clone());
        column.type_name = declared.name;
        column.length = declared.length;
        column.scale = declared.scale;
        column.charset_name = declared.charset;
        column.enum_values = declared.enum_values;
        attributes.collation = declared.collation;
        if declared.serial {
            attributes.serial();
        }
        attributes
    }

    fn generated_by_server(&mut self) {
        self.definition.column.auto_incremented = true;
        self.definition.column.generated = true;
    }

    fn serial(&mut self) {
        self.optional.get_or_insert(false);
        self.definition.unique = true;
        self.generated_by_server();
    }

    fn finish(mut self) -> ColumnDefinition {
        let column = &mut self.definition.column;
        if column.charset_name.is_none() && self.definition.inherits_charset {
            column.charset_name = self.collation.as_deref().and_then(charset_of_collation).map(str::to_owned);
        }
        column.optional = self.optional.unwrap_or(true);
        column.has_default_value = self.default.is_some();
        column.default_value_expression = self.default.flatten();
        // A column that can be null has the default NULL.
        column.has_default_value |= column.optional;
        self.definition
    }
}
