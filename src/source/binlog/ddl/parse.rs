//! The parser: the cursor over the tokens, and which statement is which.
//!
//! **In:** statement text. **Out:** a [`Statement`]. **Promised:** a statement that shapes tables is understood or
//! refused with its place, never misread; every other statement is [`Statement::Other`]; clauses that do not shape
//! rows (partitions, storage options, index options, expressions) are passed over, whatever a later server version
//! puts in them. No recursion: depth of nesting costs nothing. **Survives a crash:** nothing.
//!
//! Grammar: MySQL 9.x Reference Manual chapter 15.1, MariaDB Knowledge Base "Data Definition".

use super::error::DdlError;
use super::statement::{
    CharsetClause, DatabaseOptions, DropTable, Flavor, RenamePair, Span, Statement, StatementContext, TableName,
};
use super::token::{Token, TokenKind, tokenize};
use crate::model::table::TableId;

/// Characters of the statement that an error shows.
const EXCERPT_CHARACTERS: usize = 80;

/// How a clause of the grammar answers.
pub(super) type Parsed<T> = Result<T, DdlError>;

/// A statement with its tokens, for the text of schema change records.
pub(super) struct ParsedText<'a> {
    pub statement: Statement,
    pub tokens: Vec<Token<'a>>,
    /// Where the statement begins: behind MariaDB's `SET STATEMENT … FOR`.
    pub start: usize,
}

/// Reads one statement; an error comes with the name of the table, where the statement creates or alters one.
pub(super) fn parse<'a>(text: &'a str, context: &StatementContext<'_>) -> Parsed<ParsedText<'a>> {
    let mut parser = Parser::new(text, context);
    parser.set_statement()?;
    let start = parser.token(0).start;
    let statement = parser.statement().map_err(|error| error.about(parser.subject()))?;
    Ok(ParsedText { statement, tokens: parser.tokens, start })
}

pub(super) struct Parser<'a, 'c> {
    text: &'a str,
    tokens: Vec<Token<'a>>,
    at: usize,
    pub(super) context: &'c StatementContext<'c>,
    /// The table that the statement creates or alters, once it was read.
    pub(super) subject: Option<TableName>,
}

impl<'a, 'c> Parser<'a, 'c> {
    pub(super) fn new(text: &'a str, context: &'c StatementContext<'c>) -> Self {
        Parser { text, tokens: tokenize(text, context), at: 0, context, subject: None }
    }

    /// The table that the statement creates or alters, as far as it was read.
    fn subject(&self) -> Option<TableId> {
        let name = self.subject.as_ref()?;
        Some(TableId::new(name.database.as_deref().unwrap_or(self.context.database), &name.table))
    }

    // The cursor.

    /// The token `ahead` of the cursor; the end token when there are no more.
    pub(super) fn token(&self, ahead: usize) -> Token<'a> {
        let end = Token { kind: TokenKind::End, text: "", start: self.text.len() };
        self.tokens.get(self.at + ahead).or(self.tokens.last()).copied().unwrap_or(end)
    }

    pub(super) fn advance(&mut self) -> Token<'a> {
        let token = self.token(0);
        if self.at + 1 < self.tokens.len() {
            self.at += 1;
        }
        token
    }

    /// Whether nothing is left: the end, a semicolon, or what cannot be read.
    pub(super) fn at_end(&self) -> bool {
        let token = self.token(0);
        matches!(token.kind, TokenKind::End | TokenKind::Symbol(b';')) || self.is_broken()
    }

    pub(super) fn is_broken(&self) -> bool {
        self.token(0).kind == TokenKind::Broken
    }

    pub(super) fn is(&self, keyword: &str) -> bool {
        self.token(0).is(keyword)
    }

    pub(super) fn is_any(&self, keywords: &[&str]) -> bool {
        self.token(0).is_any(keywords)
    }

    pub(super) fn is_symbol(&self, symbol: u8) -> bool {
        self.token(0).is_symbol(symbol)
    }

    /// Whether the keywords follow.
    pub(super) fn are(&self, keywords: &[&str]) -> bool {
        keywords.iter().enumerate().all(|(ahead, keyword)| self.token(ahead).is(keyword))
    }

    /// Takes the keyword if it is there.
    pub(super) fn take(&mut self, keyword: &str) -> bool {
        let there = self.is(keyword);
        if there {
            self.advance();
        }
        there
    }

    /// Takes one of the keywords if it is there.
    pub(super) fn take_any(&mut self, keywords: &[&str]) -> bool {
        let there = self.is_any(keywords);
        if there {
            self.advance();
        }
        there
    }

    /// Takes the keywords if all of them follow.
    pub(super) fn take_all(&mut self, keywords: &[&str]) -> bool {
        let there = self.are(keywords);
        if there {
            keywords.iter().for_each(|_| {
                self.advance();
            });
        }
        there
    }

    pub(super) fn take_symbol(&mut self, symbol: u8) -> bool {
        let there = self.is_symbol(symbol);
        if there {
            self.advance();
        }
        there
    }

    pub(super) fn expect_symbol(&mut self, symbol: u8) -> Parsed<()> {
        if self.take_symbol(symbol) { Ok(()) } else { Err(self.unparseable()) }
    }

    pub(super) fn expect(&mut self, keyword: &str) -> Parsed<()> {
        if self.take(keyword) { Ok(()) } else { Err(self.unparseable()) }
    }

    /// The error that names the cursor's place.
    pub(super) fn unparseable(&self) -> DdlError {
        let start = self.token(0).start;
        let rest = self.text.get(start..).unwrap_or_default();
        DdlError::Unparseable { position: start, excerpt: rest.chars().take(EXCERPT_CHARACTERS).collect(), table: None }
    }

    /// Where the last taken token ends.
    pub(super) fn taken_end(&self) -> usize {
        self.at.checked_sub(1).and_then(|at| self.tokens.get(at)).map_or(0, Token::end)
    }

    /// How many tokens were taken.
    pub(super) fn taken(&self) -> usize {
        self.at
    }

    /// The text of the tokens taken since then, without blanks and comments.
    pub(super) fn text_since(&self, taken: usize) -> String {
        self.tokens.get(taken..self.at).unwrap_or_default().iter().map(|token| token.text).collect()
    }

    // Names and clauses that many statements share.

    /// A name. Reserved words are taken too: the server has accepted the statement, so what stands where only a
    /// name can stand is one.
    pub(super) fn name(&mut self) -> Parsed<String> {
        match self.token(0).kind {
            TokenKind::Word | TokenKind::QuotedName | TokenKind::String => Ok(self.advance().name()),
            TokenKind::NationalString
            | TokenKind::Number
            | TokenKind::Hex
            | TokenKind::Bit
            | TokenKind::Symbol(_)
            | TokenKind::Variable
            | TokenKind::Broken
            | TokenKind::End => Err(self.unparseable()),
        }
    }

    /// `table`, `database.table` or `.table`.
    pub(super) fn table_name(&mut self) -> Parsed<TableName> {
        if self.take_symbol(b'.') {
            return Ok(TableName { database: None, table: self.name()? });
        }
        let first = self.name()?;
        if !self.take_symbol(b'.') {
            return Ok(TableName { database: None, table: first });
        }
        Ok(TableName { database: Some(first), table: self.name()? })
    }

    /// `table, …`.
    fn table_names(&mut self) -> Parsed<Vec<TableName>> {
        let mut tables = vec![self.table_name()?];
        while self.take_symbol(b',') {
            tables.push(self.table_name()?);
        }
        Ok(tables)
    }

    /// A column, perhaps written `table.column` or `database.table.column`.
    pub(super) fn column_name(&mut self) -> Parsed<String> {
        self.take_symbol(b'.');
        let mut name = self.name()?;
        while self.take_symbol(b'.') {
            name = self.name()?;
        }
        Ok(name)
    }

    pub(super) fn if_exists(&mut self) -> bool {
        self.take_all(&["IF", "EXISTS"])
    }

    pub(super) fn if_not_exists(&mut self) -> bool {
        self.take_all(&["IF", "NOT", "EXISTS"])
    }

    /// MariaDB's `WAIT n` and `NOWAIT`.
    pub(super) fn wait(&mut self) {
        if !self.take("NOWAIT") && self.is("WAIT") && self.token(1).kind == TokenKind::Number {
            self.advance();
            self.advance();
        }
    }

    /// Passes a group in parentheses; the cursor stands on the opening one.
    pub(super) fn skip_group(&mut self) -> Parsed<()> {
        let mut depth = 0_usize;
        loop {
            match self.token(0).kind {
                TokenKind::Symbol(b'(') => depth += 1,
                TokenKind::Symbol(b')') => depth = depth.saturating_sub(1),
                TokenKind::End | TokenKind::Broken => return Err(self.unparseable()),
                TokenKind::Word
                | TokenKind::QuotedName
                | TokenKind::String
                | TokenKind::NationalString
                | TokenKind::Number
                | TokenKind::Hex
                | TokenKind::Bit
                | TokenKind::Symbol(_)
                | TokenKind::Variable => {}
            }
            self.advance();
            if depth == 0 {
                return Ok(());
            }
        }
    }

    /// Passes one token, or the group that begins here.
    pub(super) fn skip_one(&mut self) -> Parsed<()> {
        if self.is_broken() {
            return Err(self.unparseable());
        }
        if self.is_symbol(b'(') {
            return self.skip_group();
        }
        self.advance();
        Ok(())
    }

    /// Passes everything to the end of the statement.
    pub(super) fn skip_rest(&mut self) -> Parsed<()> {
        while !self.at_end() {
            self.skip_one()?;
        }
        if self.is_broken() { Err(self.unparseable()) } else { Ok(()) }
    }

    /// Passes to the next comma or closing parenthesis of this level.
    pub(super) fn skip_item(&mut self) -> Parsed<()> {
        while !self.at_end() && !self.is_symbol(b',') && !self.is_symbol(b')') {
            self.skip_one()?;
        }
        if self.is_broken() { Err(self.unparseable()) } else { Ok(()) }
    }

    /// Whether a character set clause begins here, `DEFAULT` aside.
    pub(super) fn at_charset(&self) -> bool {
        self.is_any(&["CHARSET", "COLLATE"])
            || self.is_any(&["CHARACTER", "CHAR"]) && self.token(1).is("SET")
            || self.is("DEFAULT") && (self.token(1).is_any(&["CHARSET", "CHARACTER", "CHAR", "COLLATE"]))
    }

    /// `[DEFAULT] {CHARACTER SET | CHARSET | COLLATE} [=] name`: adds what it says; where [`Self::at_charset`].
    pub(super) fn charset_option(&mut self, clause: &mut CharsetClause) -> Parsed<()> {
        self.take("DEFAULT");
        if self.take("COLLATE") {
            self.take_symbol(b'=');
            clause.collation = Some(self.name()?);
            return Ok(());
        }
        if !self.take("CHARSET") {
            self.take_any(&["CHARACTER", "CHAR"]);
            self.expect("SET")?;
        }
        self.take_symbol(b'=');
        clause.charset = Some(self.name()?);
        Ok(())
    }

    // Statements.

    fn statement(&mut self) -> Parsed<Statement> {
        let first = self.advance();
        match first.text.to_ascii_uppercase().as_str() {
            _ if first.kind != TokenKind::Word => Ok(Statement::Other),
            "CREATE" => self.create(first.start),
            "ALTER" => self.alter(),
            "DROP" => self.drop_statement(first.start),
            "RENAME" => self.rename(first.start),
            "TRUNCATE" => {
                self.take("TABLE");
                Ok(Statement::TruncateTable(self.table_name()?))
            }
            "SET" => Ok(self.set()),
            _ => Ok(Statement::Other),
        }
    }

    /// Passes MariaDB's `SET STATEMENT name = value, … FOR` before the statement it applies to.
    fn set_statement(&mut self) -> Parsed<()> {
        if self.context.flavor == Flavor::MariaDb && self.are(&["SET", "STATEMENT"]) {
            while !self.is("FOR") {
                if self.at_end() {
                    return Err(self.unparseable());
                }
                self.skip_one()?;
            }
            self.advance();
        }
        Ok(())
    }

    fn create(&mut self, start: usize) -> Parsed<Statement> {
        self.take_all(&["OR", "REPLACE"]);
        if self.take_any(&["DATABASE", "SCHEMA"]) {
            self.if_not_exists();
            let name = Some(self.name()?);
            return Ok(Statement::CreateDatabase(self.database_options(name)?));
        }
        // Debezium's record of an index has the text from UNIQUE on for MySQL, all of it for MariaDB.
        let is_maria = self.context.flavor == Flavor::MariaDb;
        let index_start = if is_maria { start } else { self.token(0).start };
        let unique = self.take("UNIQUE");
        self.take_any(&["ONLINE", "OFFLINE"]);
        if self.take("INDEX") {
            return if unique { self.create_unique_index(index_start) } else { Ok(Statement::Other) };
        }
        let temporary = self.take("TEMPORARY");
        if self.take("TABLE") {
            return Ok(Statement::CreateTable(self.create_table(temporary)?));
        }
        if self.context.flavor == Flavor::MariaDb && self.take("SEQUENCE") {
            self.if_not_exists();
            return Ok(Statement::CreateSequence(self.table_name()?));
        }
        Ok(Statement::Other)
    }

    fn alter(&mut self) -> Parsed<Statement> {
        if self.take_any(&["DATABASE", "SCHEMA"]) {
            let named = !self.at_charset() && !self.at_end() && !self.is_any(&["READ", "ENCRYPTION", "COMMENT"]);
            let name = if named { Some(self.name()?) } else { None };
            return Ok(Statement::AlterDatabase(self.database_options(name)?));
        }
        self.take_any(&["ONLINE", "OFFLINE"]);
        self.take("IGNORE");
        if self.take("TABLE") {
            return Ok(Statement::AlterTable(self.alter_table()?));
        }
        Ok(Statement::Other)
    }

    fn database_options(&mut self, name: Option<String>) -> Parsed<DatabaseOptions> {
        let mut charset = CharsetClause::default();
        while !self.at_end() {
            if self.at_charset() {
                self.charset_option(&mut charset)?;
            } else {
                self.skip_one()?;
            }
        }
        Ok(DatabaseOptions { name, charset })
    }

    /// `CREATE UNIQUE INDEX name [USING …] ON table (columns)`; the cursor stands behind `INDEX`.
    fn create_unique_index(&mut self, start: usize) -> Parsed<Statement> {
        while !self.is("ON") {
            if self.at_end() {
                return Err(self.unparseable());
            }
            self.skip_one()?;
        }
        self.advance();
        let table = self.table_name()?;
        let columns = self.key_parts()?;
        self.skip_rest()?;
        Ok(Statement::CreateUniqueIndex { table, columns, text: Span { start, end: self.taken_end() } })
    }

    fn drop_statement(&mut self, start: usize) -> Parsed<Statement> {
        if self.take_any(&["DATABASE", "SCHEMA"]) {
            self.if_exists();
            return Ok(Statement::DropDatabase(self.name()?));
        }
        self.take_any(&["ONLINE", "OFFLINE"]);
        if self.take("INDEX") {
            self.if_exists();
            let primary = self.name()?.eq_ignore_ascii_case("PRIMARY");
            self.expect("ON")?;
            let table = self.table_name()?;
            return Ok(if primary { Statement::DropPrimaryIndex(table) } else { Statement::Other });
        }
        let temporary = self.take("TEMPORARY");
        if self.context.flavor == Flavor::MariaDb && self.take("SEQUENCE") {
            self.if_exists();
            return Ok(Statement::DropSequence(self.table_names()?));
        }
        if !self.take_any(&["TABLE", "TABLES"]) {
            return Ok(Statement::Other);
        }
        self.if_exists();
        let prefix = Span { start, end: self.token(0).start };
        let tables = self.table_names()?;
        self.wait();
        let behavior = self.is_any(&["RESTRICT", "CASCADE"]).then(|| self.advance().text.to_owned());
        self.skip_rest()?;
        Ok(Statement::DropTable(DropTable { tables, temporary, prefix, behavior }))
    }

    fn rename(&mut self, start: usize) -> Parsed<Statement> {
        if !self.take_any(&["TABLE", "TABLES"]) {
            return Ok(Statement::Other);
        }
        self.if_exists();
        let prefix = Span { start, end: self.token(0).start };
        let mut pairs = Vec::new();
        loop {
            let pair_start = self.token(0).start;
            let old = self.table_name()?;
            self.wait();
            self.expect("TO")?;
            let new = self.table_name()?;
            let text = Span { start: pair_start, end: self.taken_end() };
            pairs.push(RenamePair { old, new, prefix, text });
            if !self.take_symbol(b',') {
                break;
            }
        }
        if self.at_end() && !self.is_broken() { Ok(Statement::RenameTable(pairs)) } else { Err(self.unparseable()) }
    }

    /// `SET [scope] name = value, …`: of each assignment the name without its scope, and the first word of the value.
    fn set(&mut self) -> Statement {
        let mut variables = Vec::new();
        while !self.at_end() {
            self.take_any(&["GLOBAL", "SESSION", "LOCAL", "PERSIST", "PERSIST_ONLY"]);
            let token = self.advance();
            let scoped = token.name();
            let name = scoped.trim_start_matches('@').rsplit('.').next().unwrap_or_default().to_ascii_lowercase();
            self.take_symbol(b':');
            if self.take_symbol(b'=') {
                variables.push((name, self.advance().name()));
            }
            while !self.at_end() && !self.take_symbol(b',') {
                self.advance();
            }
        }
        Statement::Set(variables)
    }
}
