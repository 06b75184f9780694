//! `CREATE TABLE` and `ALTER TABLE`.
//!
//! **In:** the parser's cursor behind `TABLE`. **Out:** the elements or actions that shape rows. **Promised:** as
//! [`super::parse`]. **Survives a crash:** nothing.

use super::parse::{Parsed, Parser};
use super::statement::{
    AlterAction, AlterTable, CharsetClause, CreateBody, CreateTable, Flavor, KeyPart, Period, Place, TableElement,
    TableName, TableOptions,
};
use super::token::TokenKind;

impl Parser<'_, '_> {
    /// `CREATE TABLE`, the cursor behind `TABLE`.
    pub(super) fn create_table(&mut self, temporary: bool) -> Parsed<CreateTable> {
        let if_not_exists = self.if_not_exists();
        let name = self.table_name()?;
        self.subject = Some(name.clone());
        let body = self.create_body()?;
        Ok(CreateTable { name, temporary, if_not_exists, body })
    }

    fn create_body(&mut self) -> Parsed<CreateBody> {
        if let Some(original) = self.like()? {
            return Ok(CreateBody::Like(original));
        }
        let mut elements = Vec::new();
        let opens_select = self.token(1).is_any(&["SELECT", "WITH", "VALUES"]) || self.token(1).is_symbol(b'(');
        if self.is_symbol(b'(') && !opens_select {
            self.table_elements(&mut elements)?;
        }
        let mut options = TableOptions::default();
        while !self.at_end() {
            // What follows is a query whose columns only the server knows, or the partitions.
            if self.is_any(&["SELECT", "AS", "WITH", "PARTITION", "VALUES"]) && !self.are(&["WITH", "SYSTEM"]) {
                break;
            }
            self.table_option(&mut options)?;
        }
        self.skip_rest()?;
        Ok(CreateBody::Elements { elements, options })
    }

    /// `LIKE table` or `(LIKE table)`.
    fn like(&mut self) -> Parsed<Option<TableName>> {
        let group = self.is_symbol(b'(') && self.token(1).is("LIKE");
        if group {
            self.advance();
        }
        if !self.take("LIKE") {
            return Ok(None);
        }
        let original = self.table_name()?;
        if group {
            self.expect_symbol(b')')?;
        }
        self.skip_rest()?;
        Ok(Some(original))
    }

    /// `(element, …)`.
    fn table_elements(&mut self, elements: &mut Vec<TableElement>) -> Parsed<()> {
        self.expect_symbol(b'(')?;
        loop {
            if let Some(element) = self.table_element()? {
                elements.push(element);
            }
            if self.take_symbol(b')') {
                return Ok(());
            }
            self.expect_symbol(b',')?;
        }
    }

    /// A column, a key, or `None` for what does not shape rows; the cursor goes to the `,` or `)` behind it.
    fn table_element(&mut self) -> Parsed<Option<TableElement>> {
        if self.at_constraint() {
            return self.constraint();
        }
        let name = self.column_name()?;
        let definition = self.column_definition(name, false)?;
        self.skip_item()?;
        Ok(Some(TableElement::Column(definition)))
    }

    /// Whether a key, index, check or period begins here, and not a column.
    fn at_constraint(&self) -> bool {
        let next = self.token(1);
        self.is_any(&["PRIMARY", "UNIQUE", "KEY", "INDEX", "FULLTEXT", "SPATIAL", "FOREIGN", "CONSTRAINT", "CHECK"])
            || self.is("PERIOD") && next.is("FOR")
            || self.is("CLUSTERING") && next.is_any(&["INDEX", "KEY"])
            || self.is("VECTOR") && (next.is_any(&["INDEX", "KEY"]) || next.is_symbol(b'('))
    }

    /// A constraint or index; `None` unless it is a primary or unique key, or a period that may be part of one.
    fn constraint(&mut self) -> Parsed<Option<TableElement>> {
        if self.take_all(&["PERIOD", "FOR"]) {
            return self.period();
        }
        if self.take("CONSTRAINT") && !self.at_constraint() {
            self.name()?;
        }
        let primary = self.is("PRIMARY");
        let unique = self.is("UNIQUE");
        if !primary && !unique {
            self.skip_item()?;
            return Ok(None);
        }
        self.advance();
        // [INDEX | KEY] [IF NOT EXISTS] [name] [USING type]
        while !self.is_symbol(b'(') {
            if self.at_end() {
                return Err(self.unparseable());
            }
            self.advance();
        }
        let parts = self.key_parts()?;
        self.skip_item()?;
        Ok(Some(if primary { TableElement::PrimaryKey(parts) } else { TableElement::UniqueKey(parts) }))
    }

    /// `PERIOD FOR name (start, end)`, the cursor on the name.
    fn period(&mut self) -> Parsed<Option<TableElement>> {
        self.if_not_exists();
        let name = self.name()?;
        self.expect_symbol(b'(')?;
        let start = self.column_name()?;
        self.expect_symbol(b',')?;
        let end = self.column_name()?;
        self.expect_symbol(b')')?;
        Ok(Some(TableElement::Period(Period { name, start, end })))
    }

    /// `(column [(length)] [ASC | DESC], (expression), period WITHOUT OVERLAPS, …)`.
    pub(super) fn key_parts(&mut self) -> Parsed<Vec<KeyPart>> {
        let mut parts = Vec::new();
        self.expect_symbol(b'(')?;
        loop {
            let is_name = matches!(self.token(0).kind, TokenKind::Word | TokenKind::QuotedName | TokenKind::String);
            if is_name && self.token(1).is("WITHOUT") {
                parts.push(KeyPart::Period(self.name()?));
            } else if is_name {
                parts.push(KeyPart::Column(self.column_name()?));
            } else {
                parts.push(KeyPart::Expression);
            }
            self.skip_item()?;
            if self.take_symbol(b')') {
                return Ok(parts);
            }
            self.expect_symbol(b',')?;
        }
    }

    /// One table option: the character set and the comment are kept, everything else is passed token by token.
    fn table_option(&mut self, options: &mut TableOptions) -> Parsed<()> {
        if self.at_charset() {
            return self.charset_option(&mut options.charset);
        }
        if self.take("COMMENT") {
            self.take_symbol(b'=');
            if self.token(0).kind == TokenKind::String {
                options.comment = Some(self.string_text());
            }
            return Ok(());
        }
        self.skip_one()
    }

    /// `ALTER TABLE`, the cursor behind `TABLE`.
    pub(super) fn alter_table(&mut self) -> Parsed<AlterTable> {
        self.if_exists();
        let name = self.table_name()?;
        self.subject = Some(name.clone());
        self.wait();
        let mut actions = Vec::new();
        while !self.at_end() {
            self.alter_action(&mut actions)?;
            if !self.take_symbol(b',') && !self.at_end() {
                // `ALTER TABLE t ADD a INT PARTITION BY …` and options apart by spaces need no comma.
                self.skip_stray()?;
            }
        }
        if self.is_broken() { Err(self.unparseable()) } else { Ok(AlterTable { name, actions }) }
    }

    /// Passes the one thing that may stand without a comma behind an action; anything else is a misreading.
    fn skip_stray(&mut self) -> Parsed<()> {
        if self.is_any(&["PARTITION", "REMOVE"]) { self.skip_rest() } else { Err(self.unparseable()) }
    }

    fn alter_action(&mut self, actions: &mut Vec<AlterAction>) -> Parsed<()> {
        let word = self.token(0);
        let keyword = if word.kind == TokenKind::Word { word.text.to_ascii_uppercase() } else { String::new() };
        match keyword.as_str() {
            "ADD" => self.add_action(actions),
            "DROP" => self.drop_action(actions),
            "CHANGE" => self.change_action(actions),
            "MODIFY" => self.modify_action(actions),
            "ALTER" => self.alter_default_action(actions),
            "RENAME" => self.rename_action(actions),
            "CONVERT" => self.convert_action(actions),
            // These take lists with commas of their own, and nothing follows that shapes rows.
            "ORDER" | "PARTITION" | "REORGANIZE" | "ANALYZE" | "CHECK" | "OPTIMIZE" | "REBUILD" | "REPAIR"
            | "EXCHANGE" | "COALESCE" | "TRUNCATE" | "DISCARD" | "IMPORT" | "REMOVE" => self.skip_rest(),
            _ => {
                let mut options = TableOptions::default();
                while !self.at_end() && !self.is_symbol(b',') && !self.is_any(&["PARTITION", "REMOVE"]) {
                    self.table_option(&mut options)?;
                }
                actions.push(AlterAction::Options(options));
                Ok(())
            }
        }
    }

    fn add_action(&mut self, actions: &mut Vec<AlterAction>) -> Parsed<()> {
        self.advance();
        let column = self.take("COLUMN");
        if !column && self.is("PARTITION") {
            return self.skip_rest();
        }
        if !column && self.are(&["SYSTEM", "VERSIONING"]) {
            return self.skip_item();
        }
        if !column && self.at_constraint() {
            let element = self.constraint()?;
            actions.extend(element.and_then(key_action));
            return Ok(());
        }
        let if_not_exists = self.if_not_exists();
        if self.is_symbol(b'(') {
            let mut elements = Vec::new();
            self.table_elements(&mut elements)?;
            actions.extend(elements.into_iter().filter_map(|element| match element {
                TableElement::Column(definition) => {
                    let place = Place::Unchanged;
                    Some(AlterAction::AddColumn { definition, place, if_not_exists })
                }
                TableElement::PrimaryKey(_) | TableElement::UniqueKey(_) | TableElement::Period(_) => {
                    key_action(element)
                }
            }));
            return Ok(());
        }
        let name = self.column_name()?;
        let definition = self.column_definition(name, true)?;
        let place = self.place()?;
        actions.push(AlterAction::AddColumn { definition, place, if_not_exists });
        Ok(())
    }

    /// `[FIRST | AFTER column]`, and what else stands before the next comma.
    fn place(&mut self) -> Parsed<Place> {
        if self.take("FIRST") {
            return Ok(Place::First);
        }
        if self.take("AFTER") {
            return Ok(Place::After(self.column_name()?));
        }
        Ok(Place::Unchanged)
    }

    fn drop_action(&mut self, actions: &mut Vec<AlterAction>) -> Parsed<()> {
        self.advance();
        let next = self.token(1);
        let column = self.take("COLUMN");
        if !column && self.is("PARTITION") {
            return self.skip_rest();
        }
        if !column && self.take("PRIMARY") {
            actions.push(AlterAction::DropPrimaryKey);
            return self.skip_item();
        }
        if !column && self.take_any(&["INDEX", "KEY"]) {
            self.if_exists();
            if self.name()?.eq_ignore_ascii_case("PRIMARY") {
                actions.push(AlterAction::DropPrimaryKey);
            }
            return self.skip_item();
        }
        let is_other = self.is_any(&["FOREIGN", "CHECK", "CONSTRAINT"])
            || self.is("SYSTEM") && next.is("VERSIONING")
            || self.is("PERIOD") && next.is("FOR");
        if !column && is_other {
            return self.skip_item();
        }
        self.if_exists();
        actions.push(AlterAction::DropColumn(self.column_name()?));
        self.skip_item()
    }

    fn change_action(&mut self, actions: &mut Vec<AlterAction>) -> Parsed<()> {
        self.advance();
        self.take("COLUMN");
        let if_exists = self.if_exists();
        let old = self.column_name()?;
        let name = self.column_name()?;
        let definition = self.column_definition(name, true)?;
        let place = self.place()?;
        actions.push(AlterAction::ChangeColumn { old, definition, place, if_exists });
        Ok(())
    }

    fn modify_action(&mut self, actions: &mut Vec<AlterAction>) -> Parsed<()> {
        self.advance();
        self.take("COLUMN");
        let if_exists = self.if_exists();
        let name = self.column_name()?;
        let definition = self.column_definition(name, true)?;
        let place = self.place()?;
        actions.push(AlterAction::ModifyColumn { definition, place, if_exists });
        Ok(())
    }

    fn alter_default_action(&mut self, actions: &mut Vec<AlterAction>) -> Parsed<()> {
        self.advance();
        let column = self.take("COLUMN");
        if !column && self.is_any(&["INDEX", "KEY", "CHECK", "CONSTRAINT"]) {
            return self.skip_item();
        }
        self.if_exists();
        let column = self.column_name()?;
        if self.take_all(&["SET", "DEFAULT"]) {
            let default = self.default_value()?.flatten();
            actions.push(AlterAction::AlterDefault { column, default: Some(default) });
        } else if self.take_all(&["DROP", "DEFAULT"]) {
            actions.push(AlterAction::AlterDefault { column, default: None });
        }
        self.skip_item()
    }

    fn rename_action(&mut self, actions: &mut Vec<AlterAction>) -> Parsed<()> {
        self.advance();
        if self.take("COLUMN") {
            let if_exists = self.if_exists();
            let old = self.column_name()?;
            self.expect("TO")?;
            let new = self.column_name()?;
            actions.push(AlterAction::RenameColumn { old, new, if_exists });
            return Ok(());
        }
        if self.is_any(&["INDEX", "KEY"]) {
            return self.skip_item();
        }
        if !self.take_symbol(b'=') {
            self.take_any(&["TO", "AS"]);
        }
        actions.push(AlterAction::RenameTable(self.table_name()?));
        Ok(())
    }

    fn convert_action(&mut self, actions: &mut Vec<AlterAction>) -> Parsed<()> {
        self.advance();
        if self.context.flavor == Flavor::MariaDb && self.take("PARTITION") {
            self.name()?;
            self.expect("TO")?;
            self.expect("TABLE")?;
            actions.push(AlterAction::PartitionToTable(self.table_name()?));
            return self.skip_rest();
        }
        if self.context.flavor == Flavor::MariaDb && self.take("TABLE") {
            actions.push(AlterAction::TableToPartition(self.table_name()?));
            return self.skip_rest();
        }
        self.expect("TO")?;
        let mut clause = CharsetClause::default();
        while self.at_charset() {
            self.charset_option(&mut clause)?;
        }
        actions.push(AlterAction::ConvertCharset(clause));
        Ok(())
    }
}

fn key_action(element: TableElement) -> Option<AlterAction> {
    match element {
        TableElement::PrimaryKey(parts) => Some(AlterAction::PrimaryKey(parts)),
        TableElement::UniqueKey(parts) => Some(AlterAction::UniqueKey(parts)),
        TableElement::Period(period) => Some(AlterAction::Period(period)),
        TableElement::Column(_) => None,
    }
}
