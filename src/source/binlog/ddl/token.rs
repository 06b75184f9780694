//! The words of a SQL statement.
//!
//! **In:** statement text and the rules it was written under. **Out:** a list of [`Token`]s that borrow from the
//! text and know their place in it. **Promised:** total on any text; comments disappear, the content of
//! executable comments (`/*! … */`, `/*M! … */`) stays; what cannot be read (an open string, an open comment)
//! becomes one [`TokenKind::Broken`] token, so that the parser can say where. **Survives a crash:** nothing, there
//! is no state.
//!
//! Rules: MySQL 8.0 Reference Manual 9.1 (literals), 9.2 (names), 9.7 (comments); MariaDB Knowledge Base,
//! "Comment Syntax".

use std::borrow::Cow;

use super::statement::{Flavor, StatementContext};

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TokenKind {
    /// A keyword or a plain name: only a reserved word could tell them apart.
    Word,
    /// A name in backticks, or in double quotes under `ANSI_QUOTES`.
    QuotedName,
    /// `'…'`, or `"…"` without `ANSI_QUOTES`.
    String,
    /// `N'…'`.
    NationalString,
    /// Decimal digits, perhaps with a point or an exponent.
    Number,
    /// `x'…'` or `0x…`.
    Hex,
    /// `b'…'` or `0b…`.
    Bit,
    /// One other byte: punctuation or an operator.
    Symbol(u8),
    /// `@name`, `@@name`.
    Variable,
    /// A string, name or comment that has no end.
    Broken,
    /// After the last token.
    End,
}

/// A piece of the statement.
#[derive(Clone, Copy, Debug)]
pub(super) struct Token<'a> {
    /// What it is.
    pub kind: TokenKind,
    /// Its characters, quotes included.
    pub text: &'a str,
    /// Where it begins, in bytes.
    pub start: usize,
}

impl<'a> Token<'a> {
    /// Where it ends, in bytes.
    pub fn end(&self) -> usize {
        self.start + self.text.len()
    }

    /// Whether this is the keyword, which must be given in capitals. A quoted name is never a keyword.
    pub fn is(&self, keyword: &str) -> bool {
        self.kind == TokenKind::Word && self.text.eq_ignore_ascii_case(keyword)
    }

    /// Whether this is one of the keywords.
    pub fn is_any(&self, keywords: &[&str]) -> bool {
        keywords.iter().any(|keyword| self.is(keyword))
    }

    /// Whether this is the symbol.
    pub fn is_symbol(&self, symbol: u8) -> bool {
        self.kind == TokenKind::Symbol(symbol)
    }

    /// The text between the quotes, with nothing resolved; of an unquoted token, the whole text.
    pub fn inner(&self) -> &'a str {
        let skip = match self.kind {
            TokenKind::QuotedName | TokenKind::String => 1,
            TokenKind::NationalString => 2,
            TokenKind::Word
            | TokenKind::Number
            | TokenKind::Hex
            | TokenKind::Bit
            | TokenKind::Symbol(_)
            | TokenKind::Variable
            | TokenKind::Broken
            | TokenKind::End => return self.text,
        };
        self.text.get(skip..self.text.len().saturating_sub(1)).unwrap_or_default()
    }

    /// The name this token spells: quotes taken off, doubled quotes made single.
    pub fn name(&self) -> String {
        let inner = self.inner();
        match (self.kind, self.text.as_bytes().first()) {
            (TokenKind::QuotedName, Some(b'`')) => inner.replace("``", "`"),
            (TokenKind::QuotedName, Some(b'"')) => inner.replace("\"\"", "\""),
            _ => inner.to_owned(),
        }
    }

    /// The value of a string literal: quotes taken off, escapes resolved (manual, table 9.1).
    pub fn string_value(&self, no_backslash_escapes: bool) -> String {
        let quote = self.text.chars().last().unwrap_or('\'');
        let mut value = String::with_capacity(self.text.len());
        let mut characters = self.inner().chars().peekable();
        while let Some(character) = characters.next() {
            if character == quote {
                characters.next_if_eq(&quote);
                value.push(quote);
            } else if character == '\\' && !no_backslash_escapes {
                match characters.next() {
                    Some('0') => value.push('\0'),
                    Some('b') => value.push('\u{8}'),
                    Some('n') => value.push('\n'),
                    Some('r') => value.push('\r'),
                    Some('t') => value.push('\t'),
                    Some('Z') => value.push('\u{1a}'),
                    // `\%` and `\_` keep their backslash outside of LIKE patterns.
                    Some(wildcard @ ('%' | '_')) => value.extend(['\\', wildcard]),
                    Some(other) => value.push(other),
                    None => value.push('\\'),
                }
            } else {
                value.push(character);
            }
        }
        value
    }
}

/// The statement as text. Query events carry the bytes of the client's character set; plain ASCII, which nearly
/// every statement is, costs nothing.
pub(super) fn decode<'a>(sql: &'a [u8], client_charset: Option<&str>) -> Cow<'a, str> {
    let label = match client_charset.unwrap_or("utf8mb4").to_ascii_lowercase().as_str() {
        _ if sql.is_ascii() => "utf-8",
        // MySQL's latin1 is Windows-1252, not ISO 8859-1 (manual 12.10.2).
        "latin1" => "windows-1252",
        "latin2" => "iso-8859-2",
        "cp1250" => "windows-1250",
        "cp1251" => "windows-1251",
        "cp1256" => "windows-1256",
        "cp1257" => "windows-1257",
        "cp866" => "ibm866",
        "greek" => "iso-8859-7",
        "hebrew" => "iso-8859-8",
        "koi8r" => "koi8-r",
        "koi8u" => "koi8-u",
        "macroman" => "macintosh",
        "big5" => "big5",
        "gb2312" | "gbk" => "gbk",
        "gb18030" => "gb18030",
        "sjis" | "cp932" => "shift_jis",
        "ujis" | "eucjpms" => "euc-jp",
        "euckr" => "euc-kr",
        "tis620" => "windows-874",
        _ => "utf-8",
    };
    match encoding_rs::Encoding::for_label(label.as_bytes()) {
        Some(encoding) => encoding.decode_without_bom_handling(sql).0,
        None => String::from_utf8_lossy(sql),
    }
}

/// Reads all tokens of a statement; the last one is always [`TokenKind::End`].
pub(super) fn tokenize<'a>(text: &'a str, context: &StatementContext<'_>) -> Vec<Token<'a>> {
    let mut reader = Reader { text, bytes: text.as_bytes(), at: 0, executable: 0, context };
    let mut tokens: Vec<Token<'a>> = Vec::with_capacity(text.len() / 6 + 1);
    loop {
        let start = match reader.skip_blanks() {
            Ok(start) => start,
            Err(start) => {
                let text = text.get(start..).unwrap_or_default();
                tokens.push(Token { kind: TokenKind::Broken, text, start });
                reader.at = reader.bytes.len();
                continue;
            }
        };
        if start >= reader.bytes.len() {
            tokens.push(Token { kind: TokenKind::End, text: "", start: text.len() });
            return tokens;
        }
        let follows_name = tokens
            .last()
            .is_some_and(|token| token.end() == start && matches!(token.kind, TokenKind::Word | TokenKind::QuotedName));
        let follows_dot = tokens.last().is_some_and(|token| token.is_symbol(b'.'));
        let kind = reader.next(follows_name, follows_dot);
        tokens.push(Token { kind, text: text.get(start..reader.at).unwrap_or_default(), start });
    }
}

struct Reader<'a, 'c> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    /// How many executable comments are open.
    executable: usize,
    context: &'c StatementContext<'c>,
}

/// Whether the byte can be part of a plain name; all bytes of characters beyond ASCII can.
fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$' | 0x80..)
}

impl Reader<'_, '_> {
    fn peek(&self, ahead: usize) -> u8 {
        self.bytes.get(self.at + ahead).copied().unwrap_or(0)
    }

    /// Goes to the next token and gives its place; `Err` with the place of a comment that has no end.
    fn skip_blanks(&mut self) -> Result<usize, usize> {
        loop {
            let start = self.at;
            match (self.peek(0), self.peek(1)) {
                _ if self.at >= self.bytes.len() => return Ok(start),
                (b'#', _) => self.skip_line(),
                (b'-', b'-') if self.peek(2) <= b' ' => self.skip_line(),
                (b'/', b'*') => {
                    if !self.comment() {
                        return Err(start);
                    }
                }
                (b'*', b'/') if self.executable > 0 => {
                    self.executable -= 1;
                    self.at += 2;
                }
                (byte, _) if byte <= b' ' => self.at += 1,
                _ => return Ok(start),
            }
        }
    }

    fn skip_line(&mut self) {
        while self.at < self.bytes.len() && self.peek(0) != b'\n' {
            self.at += 1;
        }
    }

    /// Passes a comment, or enters an executable one; `false` when it has no end.
    fn comment(&mut self) -> bool {
        let marker = match (self.peek(2), self.peek(3)) {
            (b'!', _) => 3,
            (b'M', b'!') if self.context.flavor == Flavor::MariaDb => 4,
            _ => return self.skip_comment(),
        };
        let digits = (0..6).take_while(|digit| self.peek(marker + digit).is_ascii_digit()).count();
        // MySQL takes five or six digits, and fewer are part of the text (`/*!1 … */`).
        let digits = if digits < 5 { 0 } else { digits };
        let version = (0..digits).fold(0, |version, digit| version * 10 + u32::from(self.peek(marker + digit) - b'0'));
        if !self.executes(version, marker) {
            return self.skip_comment();
        }
        self.at += marker + digits;
        self.executable += 1;
        true
    }

    fn executes(&self, version: u32, marker: usize) -> bool {
        let known = self.context.server_version;
        // MariaDB ignores what is meant for MySQL 5.7 and later ("Comment Syntax").
        let foreign = self.context.flavor == Flavor::MariaDb && marker == 3 && (50_700..=99_999).contains(&version);
        !foreign && (known == 0 || version <= known)
    }

    fn skip_comment(&mut self) -> bool {
        let body = self.text.get(self.at + 2..).unwrap_or_default();
        match body.find("*/") {
            Some(end) => {
                self.at += 2 + end + 2;
                true
            }
            None => false,
        }
    }

    /// Reads one token; the cursor stands on its first byte.
    fn next(&mut self, follows_name: bool, follows_dot: bool) -> TokenKind {
        match (self.peek(0), self.peek(1)) {
            (b'`', _) => self.quoted(TokenKind::QuotedName, 0, false),
            (b'"', _) if self.context.sql_mode.ansi_quotes => self.quoted(TokenKind::QuotedName, 0, false),
            (b'"' | b'\'', _) => self.quoted(TokenKind::String, 0, true),
            (b'n' | b'N', b'\'') => self.quoted(TokenKind::NationalString, 1, true),
            (b'x' | b'X', b'\'') => self.quoted(TokenKind::Hex, 1, false),
            (b'b' | b'B', b'\'') => self.quoted(TokenKind::Bit, 1, false),
            (b'@', _) => self.variable(),
            (b'0'..=b'9', _) if !follows_dot => self.number(),
            (b'.', b'0'..=b'9') if !follows_name => self.number(),
            (byte, _) if is_word(byte) => {
                self.skip_word();
                TokenKind::Word
            }
            (byte, _) => {
                self.at += 1;
                TokenKind::Symbol(byte)
            }
        }
    }

    fn skip_word(&mut self) {
        while self.at < self.bytes.len() && is_word(self.peek(0)) {
            self.at += 1;
        }
    }

    /// A quoted token; `prefix` bytes stand before its opening quote.
    fn quoted(&mut self, kind: TokenKind, prefix: usize, escapes: bool) -> TokenKind {
        self.at += prefix;
        let quote = self.peek(0);
        let escapes = escapes && !self.context.sql_mode.no_backslash_escapes;
        self.at += 1;
        while self.at < self.bytes.len() {
            let byte = self.peek(0);
            if byte == quote && self.peek(1) == quote || byte == b'\\' && escapes {
                self.at += 2;
            } else if byte == quote {
                self.at += 1;
                return kind;
            } else {
                self.at += 1;
            }
        }
        // A backslash at the very end, or one before a long character, must not leave the cursor inside of it.
        self.at = self.bytes.len();
        TokenKind::Broken
    }

    fn variable(&mut self) -> TokenKind {
        while self.peek(0) == b'@' {
            self.at += 1;
        }
        match self.peek(0) {
            b'`' | b'\'' | b'"' => self.quoted(TokenKind::Variable, 0, false),
            _ => {
                while self.at < self.bytes.len() && (is_word(self.peek(0)) || self.peek(0) == b'.') {
                    self.at += 1;
                }
                TokenKind::Variable
            }
        }
    }

    /// A number, or a name that begins with digits.
    fn number(&mut self) -> TokenKind {
        let start = self.at;
        self.skip_word();
        let word = self.bytes.get(start..self.at).unwrap_or_default();
        let tail = word.get(2..).unwrap_or_default();
        match word {
            [b'0', b'x', ..] if !tail.is_empty() && tail.iter().all(u8::is_ascii_hexdigit) => TokenKind::Hex,
            [b'0', b'b', ..] if !tail.is_empty() && tail.iter().all(|byte| matches!(byte, b'0' | b'1')) => {
                TokenKind::Bit
            }
            _ if word.iter().all(u8::is_ascii_digit) => {
                if self.peek(0) == b'.' {
                    self.at += 1;
                    self.skip_word();
                    self.exponent_sign();
                }
                TokenKind::Number
            }
            _ => match word.iter().position(|byte| matches!(byte, b'e' | b'E')) {
                Some(e) if is_mantissa(word, e) => {
                    self.exponent_sign();
                    TokenKind::Number
                }
                Some(_) | None => TokenKind::Word,
            },
        }
    }

    /// Takes the `-5` of `1.5e-5`, when the cursor stands behind an `e` that begins an exponent.
    fn exponent_sign(&mut self) {
        let open = self.at > 0 && self.bytes.get(self.at - 1).is_some_and(|byte| matches!(byte, b'e' | b'E'));
        if open && matches!(self.peek(0), b'+' | b'-') && self.peek(1).is_ascii_digit() {
            self.at += 1;
            self.skip_word();
        }
    }
}

/// Whether `12e5`, or `12e` before a sign, is a number: digits on both sides of the `e`.
fn is_mantissa(word: &[u8], e: usize) -> bool {
    let digits = |part: Option<&[u8]>| part.unwrap_or_default().iter().all(u8::is_ascii_digit);
    digits(word.get(..e)) && digits(word.get(e + 1..))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use crate::source::binlog::ddl::SqlMode;

    /// What a statement is read as: the tokens joined by `|`.
    fn check(sql: &str, context: &StatementContext<'_>, expected: &str) {
        let tokens = tokenize(sql, context);
        let words: Vec<&str> = tokens.iter().map(|token| token.text).collect();
        assert_eq!(words.join("|"), format!("{expected}|"), "{sql}");
    }

    #[test]
    fn reads_words_literals_and_comments() {
        let mysql = StatementContext::default();
        for (sql, expected) in [
            ("a b", "a|b"),
            ("`a``b`.`c`", "`a``b`|.|`c`"),
            ("db.1a 1a 12 1.5 .5 1e5 1.5e-5 0xFF 0b01", "db|.|1a|1a|12|1.5|.5|1e5|1.5e-5|0xFF|0b01"),
            ("'it''s' 'it\\'s' \"x\"", "'it''s'|'it\\'s'|\"x\""),
            ("a -- gone\nb # gone\nc /* gone */ d --1", "a|b|c|d|-|-|1"),
            ("/*!50100 PARTITION */ a /*!x*/", "PARTITION|a|x"),
            ("/*!50100 a /* b */ c */ d", "a|c|d"),
            ("N'a' x'41' b'1' _utf8'a' @a @@b.c @`d`", "N'a'|x'41'|b'1'|_utf8|'a'|@a|@@b.c|@`d`"),
            ("a 'open", "a|'open"),
            ("a /* open", "a|/* open"),
            ("größe `größe`", "größe|`größe`"),
        ] {
            check(sql, &mysql, expected);
        }
    }

    #[test]
    fn follows_flavor_version_and_sql_mode() {
        let maria = StatementContext { flavor: Flavor::MariaDb, ..StatementContext::default() };
        check("/*!50701 a */ /*M!100100 b */ /*!50600 c */", &maria, "b|c");
        let old = StatementContext { server_version: 50_744, ..StatementContext::default() };
        check("/*!80000 a */ /*!50100 b */", &old, "b");
        let mode = SqlMode { no_backslash_escapes: true, ..SqlMode::default() };
        let plain = StatementContext { sql_mode: mode, ..StatementContext::default() };
        check("'a\\' b", &plain, "'a\\'|b");
        let mode = SqlMode { ansi_quotes: true, ..SqlMode::default() };
        let ansi = StatementContext { sql_mode: mode, ..StatementContext::default() };
        let tokens = tokenize("\"a\"\"b\"", &ansi);
        assert_eq!((tokens[0].kind, tokens[0].name().as_str()), (TokenKind::QuotedName, "a\"b"));
    }

    #[test]
    fn resolves_escapes() {
        let context = StatementContext::default();
        for (sql, expected) in [(r"'a\'b''c'", "a'b'c"), (r"'\n\t\\\%\q'", "\n\t\\\\%q"), ("\"a\"\"b'c\"", "a\"b'c")] {
            assert_eq!(tokenize(sql, &context)[0].string_value(false), expected, "{sql}");
        }
        assert_eq!(tokenize(r"'a\n'", &context)[0].string_value(true), r"a\n");
    }

    #[test]
    fn decodes_the_clients_character_set() {
        assert_eq!(decode(b"gr\xf6\xdfe", Some("latin1")), "größe");
        assert_eq!(decode("größe".as_bytes(), Some("utf8mb4")), "größe");
        assert_eq!(decode(b"gr\xf6", None), "gr\u{fffd}");
    }
}
