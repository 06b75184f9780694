//! Data types: what a declaration means in Debezium's terms.
//!
//! **In:** the parser's cursor on the first word of a type. **Out:** a [`ColumnType`]: the `java.sql.Types` number,
//! the name, length and scale that Debezium 3.6 records for the same text. **Promised:** a type that is not in the
//! table is an error, never a guess. **Survives a crash:** nothing.
//!
//! Synonyms keep the spelling of the statement (`INTEGER` is not renamed `INT`), as in Debezium's history. Where
//! Debezium misreads a declaration so that values would be decoded wrongly, the server's reading wins: `CHAR BYTE`
//! is `BINARY`, `ASCII` is latin1, `UNICODE` is ucs2.

use super::charset::charset_of_collation;
use super::error::DdlError;
use super::parse::{Parsed, Parser};
use super::statement::{CharsetClause, Flavor};
use super::token::TokenKind;
use crate::model::modes::DebeziumGeneration;
use crate::model::table::Column;

/// `java.sql.Types`.
mod jdbc {
    pub const BIT: i32 = -7;
    pub const TINYINT: i32 = -6;
    pub const BIGINT: i32 = -5;
    pub const VARBINARY: i32 = -3;
    pub const BINARY: i32 = -2;
    pub const NVARCHAR: i32 = -9;
    pub const NCHAR: i32 = -15;
    pub const CHAR: i32 = 1;
    pub const NUMERIC: i32 = 2;
    pub const DECIMAL: i32 = 3;
    pub const INTEGER: i32 = 4;
    pub const SMALLINT: i32 = 5;
    pub const FLOAT: i32 = 6;
    pub const REAL: i32 = 7;
    pub const DOUBLE: i32 = 8;
    pub const VARCHAR: i32 = 12;
    pub const BOOLEAN: i32 = 16;
    pub const DATE: i32 = 91;
    pub const TIME: i32 = 92;
    pub const TIMESTAMP: i32 = 93;
    pub const OTHER: i32 = 1111;
    pub const BLOB: i32 = 2004;
    pub const TIMESTAMP_WITH_TIMEZONE: i32 = 2014;
}

/// A type as declared.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct ColumnType {
    pub name: String,
    pub jdbc_type: i32,
    pub length: Option<i32>,
    pub scale: Option<i32>,
    pub charset: Option<String>,
    pub collation: Option<String>,
    pub inherits_charset: bool,
    pub enum_values: Vec<String>,
    pub serial: bool,
}

/// What may follow the words of a type.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    /// Nothing, or a length that means nothing.
    Plain,
    /// `[(length)]`
    Length,
    /// `[(length[, scale])] [SIGNED | UNSIGNED | ZEROFILL]…`
    Number,
    /// The same, with `(10, 0)` where nothing is said.
    Decimal,
    /// `[(length)] [character set]`
    Text,
    /// The same in the national character set.
    National,
    /// `(value, …) [character set]`
    Enum,
    Set,
    Serial,
}

/// The words of a type, its `java.sql.Types` number, what may follow, and whose it is (`None`: everyone's).
type Row = (&'static [&'static str], i32, Form, Option<Flavor>);

const MARIA: Option<Flavor> = Some(Flavor::MariaDb);

/// Types of several words stand before the types that begin like them.
const TYPES: &[Row] = &[
    (&["NATIONAL", "CHAR", "VARYING"], jdbc::NVARCHAR, Form::National, None),
    (&["NATIONAL", "CHARACTER", "VARYING"], jdbc::NVARCHAR, Form::National, None),
    (&["NATIONAL", "VARCHAR"], jdbc::NVARCHAR, Form::National, None),
    (&["NATIONAL", "VARCHARACTER"], jdbc::NVARCHAR, Form::National, None),
    (&["NATIONAL", "CHAR"], jdbc::NCHAR, Form::National, None),
    (&["NATIONAL", "CHARACTER"], jdbc::NCHAR, Form::National, None),
    (&["NCHAR", "VARCHAR"], jdbc::NVARCHAR, Form::National, None),
    (&["NCHAR", "VARCHARACTER"], jdbc::NVARCHAR, Form::National, None),
    (&["NCHAR", "VARYING"], jdbc::NVARCHAR, Form::National, None),
    (&["NCHAR"], jdbc::NCHAR, Form::National, None),
    (&["NVARCHAR"], jdbc::NVARCHAR, Form::National, None),
    (&["LONG", "CHAR", "VARYING"], jdbc::VARCHAR, Form::Text, None),
    (&["LONG", "CHARACTER", "VARYING"], jdbc::VARCHAR, Form::Text, None),
    (&["LONG", "VARCHAR"], jdbc::VARCHAR, Form::Text, None),
    (&["LONG", "VARCHARACTER"], jdbc::VARCHAR, Form::Text, None),
    (&["LONG", "VARBINARY"], jdbc::BLOB, Form::Plain, None),
    (&["LONG"], jdbc::VARCHAR, Form::Text, None),
    (&["CHAR", "VARYING"], jdbc::VARCHAR, Form::Text, None),
    (&["CHARACTER", "VARYING"], jdbc::VARCHAR, Form::Text, None),
    (&["CHAR"], jdbc::CHAR, Form::Text, None),
    (&["CHARACTER"], jdbc::CHAR, Form::Text, None),
    (&["VARCHAR"], jdbc::VARCHAR, Form::Text, None),
    (&["VARCHARACTER"], jdbc::VARCHAR, Form::Text, None),
    (&["TINYTEXT"], jdbc::VARCHAR, Form::Text, None),
    (&["TEXT"], jdbc::VARCHAR, Form::Text, None),
    (&["MEDIUMTEXT"], jdbc::VARCHAR, Form::Text, None),
    (&["LONGTEXT"], jdbc::VARCHAR, Form::Text, None),
    (&["TINYINT"], jdbc::SMALLINT, Form::Number, None),
    (&["INT1"], jdbc::SMALLINT, Form::Number, None),
    (&["SMALLINT"], jdbc::SMALLINT, Form::Number, None),
    (&["INT2"], jdbc::SMALLINT, Form::Number, None),
    (&["MEDIUMINT"], jdbc::INTEGER, Form::Number, None),
    (&["MIDDLEINT"], jdbc::INTEGER, Form::Number, None),
    (&["INT3"], jdbc::INTEGER, Form::Number, None),
    (&["INT"], jdbc::INTEGER, Form::Number, None),
    (&["INTEGER"], jdbc::INTEGER, Form::Number, None),
    (&["INT4"], jdbc::INTEGER, Form::Number, None),
    (&["BIGINT"], jdbc::BIGINT, Form::Number, None),
    (&["INT8"], jdbc::BIGINT, Form::Number, None),
    (&["REAL"], jdbc::REAL, Form::Number, None),
    (&["DOUBLE", "PRECISION"], jdbc::DOUBLE, Form::Number, None),
    (&["DOUBLE"], jdbc::DOUBLE, Form::Number, None),
    (&["FLOAT8"], jdbc::DOUBLE, Form::Number, None),
    (&["FLOAT"], jdbc::FLOAT, Form::Number, None),
    (&["FLOAT4"], jdbc::FLOAT, Form::Number, None),
    (&["DECIMAL"], jdbc::DECIMAL, Form::Decimal, None),
    (&["DEC"], jdbc::DECIMAL, Form::Decimal, None),
    (&["FIXED"], jdbc::DECIMAL, Form::Decimal, None),
    (&["NUMERIC"], jdbc::NUMERIC, Form::Decimal, None),
    (&["BIT"], jdbc::BIT, Form::Length, None),
    (&["BOOL"], jdbc::BOOLEAN, Form::Plain, None),
    (&["BOOLEAN"], jdbc::BOOLEAN, Form::Plain, None),
    (&["SERIAL"], jdbc::BIGINT, Form::Serial, None),
    (&["DATE"], jdbc::DATE, Form::Plain, None),
    (&["TIME"], jdbc::TIME, Form::Length, None),
    (&["TIMESTAMP"], jdbc::TIMESTAMP_WITH_TIMEZONE, Form::Length, None),
    (&["DATETIME"], jdbc::TIMESTAMP, Form::Length, None),
    (&["YEAR"], jdbc::INTEGER, Form::Number, None),
    (&["BINARY"], jdbc::BINARY, Form::Length, None),
    (&["VARBINARY"], jdbc::VARBINARY, Form::Length, None),
    (&["TINYBLOB"], jdbc::BLOB, Form::Plain, None),
    (&["BLOB"], jdbc::BLOB, Form::Length, None),
    (&["MEDIUMBLOB"], jdbc::BLOB, Form::Plain, None),
    (&["LONGBLOB"], jdbc::BLOB, Form::Plain, None),
    (&["ENUM"], jdbc::CHAR, Form::Enum, None),
    (&["SET"], jdbc::CHAR, Form::Set, None),
    (&["JSON"], jdbc::OTHER, Form::Plain, None),
    (&["VECTOR"], jdbc::OTHER, Form::Length, None),
    (&["GEOMETRY"], jdbc::OTHER, Form::Plain, None),
    (&["GEOMETRYCOLLECTION"], jdbc::OTHER, Form::Plain, None),
    (&["GEOMCOLLECTION"], jdbc::OTHER, Form::Plain, None),
    (&["POINT"], jdbc::OTHER, Form::Plain, None),
    (&["LINESTRING"], jdbc::OTHER, Form::Plain, None),
    (&["POLYGON"], jdbc::OTHER, Form::Plain, None),
    (&["MULTIPOINT"], jdbc::OTHER, Form::Plain, None),
    (&["MULTILINESTRING"], jdbc::OTHER, Form::Plain, None),
    (&["MULTIPOLYGON"], jdbc::OTHER, Form::Plain, None),
    (&["UUID"], jdbc::OTHER, Form::Plain, MARIA),
    (&["INET4"], jdbc::OTHER, Form::Plain, MARIA),
    (&["INET6"], jdbc::OTHER, Form::Plain, MARIA),
];

/// The length that MySQL's parser in Debezium puts where a declared one is zero or unreadable.
const LENGTH_IN_DOUBT: i32 = 10;

impl Parser<'_, '_> {
    /// The type of the column, character set clauses that belong to it included.
    pub(super) fn column_type(&mut self, column: &str) -> Parsed<ColumnType> {
        let flavor = self.context.flavor;
        let row = TYPES.iter().find(|(words, _, _, of)| of.is_none_or(|of| of == flavor) && self.are(words));
        let Some((words, jdbc_type, form, _)) = row else {
            return Err(self.unknown_type(column));
        };
        words.iter().for_each(|_| {
            self.advance();
        });
        // Debezium before 3.7 called it a SMALLINT.
        let jdbc_type = match (*words, self.context.generation) {
            (["TINYINT" | "INT1"], DebeziumGeneration::V3_7) => jdbc::TINYINT,
            _ => *jdbc_type,
        };
        let mut declared = ColumnType { name: words.join(" "), jdbc_type, ..ColumnType::default() };
        match form {
            Form::Plain => {
                if self.is_symbol(b'(') {
                    self.skip_group()?;
                }
            }
            Form::Length => self.length_type(&mut declared)?,
            Form::Number | Form::Decimal => self.number_type(&mut declared, *form == Form::Decimal)?,
            Form::Text => self.text_type(&mut declared)?,
            Form::National => self.national_type(&mut declared)?,
            Form::Enum | Form::Set => self.enum_type(&mut declared, *form == Form::Set)?,
            Form::Serial => {
                declared.name = "BIGINT UNSIGNED".to_owned();
                declared.serial = true;
            }
        }
        Ok(declared)
    }

    fn unknown_type(&self, column: &str) -> DdlError {
        match self.unparseable() {
            DdlError::Unparseable { position, excerpt, table } => {
                DdlError::UnknownType { column: column.to_owned(), position, excerpt, table }
            }
            other @ (DdlError::UnknownColumn { .. } | DdlError::UnknownType { .. }) => other,
        }
    }

    /// `[(length[, scale])]`.
    fn dimensions(&mut self, declared: &mut ColumnType, zero_is_doubt: bool) -> Parsed<()> {
        if !self.take_symbol(b'(') {
            return Ok(());
        }
        declared.length = Some(self.dimension(zero_is_doubt)?);
        if self.take_symbol(b',') {
            declared.scale = Some(self.dimension(false)?);
        }
        self.expect_symbol(b')')
    }

    fn dimension(&mut self, zero_is_doubt: bool) -> Parsed<i32> {
        let token = self.token(0);
        if token.kind != TokenKind::Number {
            return Err(self.unparseable());
        }
        self.advance();
        // `DECIMAL(19.5)` is taken by old servers and means 19.
        let whole = token.text.split('.').next().unwrap_or_default();
        let number = if whole.is_empty() { 0 } else { whole.parse::<i64>().unwrap_or(i64::from(i32::MAX)) };
        let in_doubt = number == 0 && (zero_is_doubt || token.text.contains('.'));
        Ok(if in_doubt { LENGTH_IN_DOUBT } else { i32::try_from(number).unwrap_or(i32::MAX) })
    }

    fn length_type(&mut self, declared: &mut ColumnType) -> Parsed<()> {
        let is_time = matches!(declared.jdbc_type, jdbc::TIME | jdbc::TIMESTAMP | jdbc::TIMESTAMP_WITH_TIMEZONE);
        self.dimensions(declared, !is_time && self.context.flavor == Flavor::MySql)?;
        if declared.length.is_none() && declared.jdbc_type == jdbc::BIT {
            declared.length = Some(1);
        }
        Ok(())
    }

    fn number_type(&mut self, declared: &mut ColumnType, is_decimal: bool) -> Parsed<()> {
        self.dimensions(declared, self.context.flavor == Flavor::MySql)?;
        if is_decimal {
            declared.length.get_or_insert(10);
            declared.scale.get_or_insert(0);
        }
        let (mut signedness, mut zerofill) = ("", false);
        while self.is_any(&["SIGNED", "UNSIGNED", "ZEROFILL"]) {
            if self.is("ZEROFILL") {
                zerofill = true;
            } else {
                signedness = if self.is("SIGNED") { " SIGNED" } else { " UNSIGNED" };
            }
            self.advance();
        }
        // ZEROFILL implies UNSIGNED (manual 13.1.6).
        declared.name.push_str(if zerofill { " UNSIGNED ZEROFILL" } else { signedness });
        Ok(())
    }

    fn text_type(&mut self, declared: &mut ColumnType) -> Parsed<()> {
        declared.inherits_charset = true;
        self.dimensions(declared, self.context.flavor == Flavor::MySql)?;
        self.text_charset(declared)
    }

    /// `BINARY`, `ASCII`, `UNICODE`, `BYTE`, `CHARACTER SET name`, `COLLATE name`, in any order.
    fn text_charset(&mut self, declared: &mut ColumnType) -> Parsed<()> {
        let mut clause = CharsetClause::default();
        loop {
            if self.take("BINARY") {
                if !declared.name.ends_with(" BINARY") {
                    declared.name.push_str(" BINARY");
                }
            } else if self.take("ASCII") {
                clause.charset = Some("latin1".to_owned());
            } else if self.take("UNICODE") {
                clause.charset = Some("ucs2".to_owned());
            } else if self.take("BYTE") {
                clause.charset = Some("binary".to_owned());
            } else if self.at_charset() && !self.is("DEFAULT") {
                self.charset_option(&mut clause)?;
            } else {
                break;
            }
        }
        declared.charset = clause.charset.filter(|charset| !charset.eq_ignore_ascii_case("default"));
        if declared.charset.is_none() {
            declared.charset = clause.collation.as_deref().and_then(charset_of_collation).map(str::to_owned);
        }
        declared.collation = clause.collation;
        Ok(())
    }

    fn national_type(&mut self, declared: &mut ColumnType) -> Parsed<()> {
        self.dimensions(declared, self.context.flavor == Flavor::MySql)?;
        if self.take("BINARY") {
            declared.name.push_str(" BINARY");
        }
        if declared.jdbc_type == jdbc::NCHAR {
            declared.length.get_or_insert(1);
        }
        declared.charset = Some("utf8".to_owned());
        Ok(())
    }

    fn enum_type(&mut self, declared: &mut ColumnType, is_set: bool) -> Parsed<()> {
        self.expect_symbol(b'(')?;
        loop {
            let value = self.enum_value()?;
            declared.enum_values.push(value);
            if self.take_symbol(b')') {
                break;
            }
            self.expect_symbol(b',')?;
        }
        let values = i32::try_from(declared.enum_values.len()).unwrap_or(i32::MAX);
        // One character a value and the commas between them.
        declared.length = Some(if is_set { values.saturating_mul(2) - 1 } else { 1 });
        declared.inherits_charset = true;
        let name = declared.name.clone();
        self.text_charset(declared)?;
        declared.name = name;
        Ok(())
    }

    /// A value as the server keeps it: escapes resolved, trailing blanks gone (manual 13.3.6).
    fn enum_value(&mut self) -> Parsed<String> {
        if self.token(0).kind == TokenKind::Word && self.token(0).text.starts_with('_') {
            self.advance();
        }
        let token = self.token(0);
        let value = match token.kind {
            TokenKind::String | TokenKind::NationalString => {
                token.string_value(self.context.sql_mode.no_backslash_escapes)
            }
            TokenKind::Hex => hex_value(token.text).ok_or_else(|| self.unparseable())?,
            TokenKind::Word
            | TokenKind::QuotedName
            | TokenKind::Number
            | TokenKind::Bit
            | TokenKind::Symbol(_)
            | TokenKind::Variable
            | TokenKind::Broken
            | TokenKind::End => return Err(self.unparseable()),
        };
        self.advance();
        Ok(value.trim_end_matches(' ').to_owned())
    }
}

/// The text of `x'C3A9'` or `0xC3A9`.
fn hex_value(literal: &str) -> Option<String> {
    let digits = literal.get(2..)?.trim_end_matches('\'');
    let nibbles: Vec<u8> = digits
        .chars()
        .map(|digit| digit.to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
        .collect::<Option<_>>()?;
    let bytes = nibbles.chunks(2).map(|pair| pair.iter().fold(0_u8, |byte, nibble| byte << 4 | nibble)).collect();
    String::from_utf8(bytes).ok()
}

/// Makes a type of bytes out of a type of text, as the server does for the character set `binary` (manual 12.10.8);
/// other types keep theirs.
pub(super) fn to_bytes(column: &mut Column) {
    let (name, jdbc_type) = match column.type_name.trim_end_matches(" BINARY") {
        "CHAR" | "CHARACTER" => ("BINARY", jdbc::BINARY),
        "VARCHAR" | "VARCHARACTER" | "CHAR VARYING" | "CHARACTER VARYING" => ("VARBINARY", jdbc::VARBINARY),
        "TINYTEXT" => ("TINYBLOB", jdbc::BLOB),
        "TEXT" => ("BLOB", jdbc::BLOB),
        "MEDIUMTEXT" => ("MEDIUMBLOB", jdbc::BLOB),
        "LONGTEXT" => ("LONGBLOB", jdbc::BLOB),
        name if name.starts_with("LONG") => ("LONG VARBINARY", jdbc::BLOB),
        _ => return,
    };
    column.type_name = name.to_owned();
    column.type_expression = Some(name.to_owned());
    column.jdbc_type = jdbc_type;
    column.charset_name = None;
}
