//! The server's types: what `pg_type` and `pg_enum` say, by OID.
//!
//! In: the rows of [`TYPES_QUERY`] as text. Out: [`Types`]. Promised: no row makes it panic, and a type that refers to
//! itself is never followed for ever. Nothing here survives a crash; it is read anew with every connection, and again
//! when a column has a type that is not here.

use std::collections::HashMap;

use super::array;
use super::error::CodecError;

/// How many domains may stand one over another.
const MAX_DOMAINS: usize = 64;
/// Columns of [`TYPES_QUERY`].
pub const TYPES_COLUMNS: usize = 9;

/// Every type of the database, in PostgreSQL 14 to 18; the columns of a row in the order of [`TypeRow`].
///
/// The category and not the input function says what an array is, as Debezium has it.
pub const TYPES_QUERY: &str = "SELECT t.oid, n.nspname, t.typname, t.typtype, \
     CASE WHEN t.typcategory = 'A' THEN t.typelem ELSE 0 END, \
     CASE WHEN t.typcategory = 'A' THEN e.typdelim ELSE t.typdelim END, \
     t.typbasetype, t.typtypmod, \
     (SELECT pg_catalog.array_agg(l.enumlabel::pg_catalog.text ORDER BY l.enumsortorder) \
      FROM pg_catalog.pg_enum l WHERE l.enumtypid = t.oid) \
     FROM pg_catalog.pg_type t \
     JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace \
     LEFT JOIN pg_catalog.pg_type e ON e.oid = t.typelem \
     WHERE n.nspname <> 'pg_toast'";

/// A row of [`TYPES_QUERY`]: OID, schema, name, kind, element's OID, delimiter, base type, type modifier, labels.
pub type TypeRow<'r> = [Option<&'r str>; TYPES_COLUMNS];

/// What a type is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TypeKind {
    /// A base type, or an array.
    Base,
    /// A row type.
    Composite,
    /// A domain.
    Domain {
        /// The type that it is over.
        base: u32,
        /// The modifier that it gives that type; -1 for none.
        type_modifier: i32,
    },
    /// An enumeration.
    Enum {
        /// The labels in their order.
        labels: Vec<String>,
    },
    /// A pseudo-type; no column has one.
    Pseudo,
    /// A range.
    Range,
    /// A list of ranges.
    Multirange,
}

/// A type of the server's catalog.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PgType {
    /// Its OID.
    pub oid: u32,
    /// The schema it is in.
    pub namespace: String,
    /// Its name: `int4`, `_int4`, `mood`.
    pub name: String,
    /// What it is.
    pub kind: TypeKind,
    /// The type of the elements, of an array.
    pub element: Option<u32>,
    /// What stands between the elements, of an array; of another type, what stands between them in an array of it.
    pub delimiter: u8,
}

impl PgType {
    /// A base type.
    pub fn base(oid: u32, name: &str) -> PgType {
        PgType {
            oid,
            namespace: "pg_catalog".into(),
            name: name.into(),
            kind: TypeKind::Base,
            element: None,
            delimiter: b',',
        }
    }
}

/// The types of a database.
#[derive(Clone, Debug, Default)]
pub struct Types {
    by_oid: HashMap<u32, PgType>,
}

fn number<N: std::str::FromStr>(text: Option<&str>) -> Result<N, CodecError> {
    let text = text.ok_or(CodecError::Catalog { reason: "a number is null" })?;
    text.parse().map_err(|_| CodecError::Catalog { reason: "not a number" })
}

fn read(row: TypeRow<'_>) -> Result<PgType, CodecError> {
    let [oid, namespace, name, kind, element, delimiter, base, type_modifier, labels] = row;
    let text = |text: Option<&str>| text.map(str::to_owned).ok_or(CodecError::Catalog { reason: "a name is null" });
    let kind = match kind.unwrap_or_default() {
        "b" => TypeKind::Base,
        "c" => TypeKind::Composite,
        "d" => TypeKind::Domain { base: number(base)?, type_modifier: number(type_modifier)? },
        "e" => TypeKind::Enum {
            labels: array::labels(labels.unwrap_or("{}"))
                .ok_or(CodecError::Catalog { reason: "the labels of an enumeration are no list" })?,
        },
        "p" => TypeKind::Pseudo,
        "r" => TypeKind::Range,
        "m" => TypeKind::Multirange,
        _ => return Err(CodecError::Catalog { reason: "a kind of type that is not known" }),
    };
    let element: u32 = number(element)?;
    Ok(PgType {
        oid: number(oid)?,
        namespace: text(namespace)?,
        name: text(name)?,
        kind,
        element: (element != 0).then_some(element),
        delimiter: delimiter.and_then(|text| text.bytes().next()).unwrap_or(b','),
    })
}

impl Types {
    /// From types.
    pub fn new(types: impl IntoIterator<Item = PgType>) -> Types {
        Types { by_oid: types.into_iter().map(|found| (found.oid, found)).collect() }
    }

    /// From the rows of [`TYPES_QUERY`].
    ///
    /// # Errors
    /// [`CodecError::Catalog`] when a row is not what the query asks for.
    pub fn from_rows<'r>(rows: impl IntoIterator<Item = TypeRow<'r>>) -> Result<Types, CodecError> {
        rows.into_iter().map(read).collect::<Result<Vec<_>, _>>().map(Types::new)
    }

    /// The type with an OID.
    pub fn get(&self, oid: u32) -> Option<&PgType> {
        self.by_oid.get(&oid)
    }

    /// How many types there are.
    pub fn len(&self) -> usize {
        self.by_oid.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.by_oid.is_empty()
    }

    /// The type under all domains: of one that is no domain, itself.
    pub fn root(&self, oid: u32) -> Option<&PgType> {
        let mut found = self.get(oid)?;
        for _ in 0..MAX_DOMAINS {
            let TypeKind::Domain { base, .. } = &found.kind else { return Some(found) };
            found = self.get(*base)?;
        }
        None
    }
}
