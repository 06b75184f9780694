//! Tables and types, as they are for the rows that come behind.

use super::super::wire::Reader;
use super::PgOutputError;
use super::message::read_xid;

/// `REPLICA IDENTITY`: what the old image of a row holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReplicaIdentity {
    /// The primary key.
    Default,
    /// Nothing.
    Nothing,
    /// The whole row.
    Full,
    /// An index's columns.
    Index,
}

/// A column of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RelationColumn<'a> {
    /// It belongs to the replica identity.
    pub is_key: bool,
    /// Its name.
    pub name: &'a str,
    /// Its type's OID.
    pub type_oid: u32,
    /// Its type's modifier (`atttypmod`); -1 for none.
    pub type_modifier: i32,
}

/// A table. It comes before the first row of it, and again when it has changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Relation<'a> {
    /// The transaction, in a streamed block.
    pub xid: Option<u32>,
    /// Its OID; of the root, where the publication publishes partitions by their root.
    pub id: u32,
    /// Its schema. The message has nothing for `pg_catalog`, and here it is named.
    pub schema: &'a str,
    /// Its name.
    pub name: &'a str,
    /// What old images hold.
    pub replica_identity: ReplicaIdentity,
    /// The columns that are published, in the order of the rows' values.
    pub columns: Vec<RelationColumn<'a>>,
}

/// Bytes of the shortest column: flags, an empty name, type, modifier.
const COLUMN_BYTES_MIN: usize = 10;

impl<'a> Relation<'a> {
    pub(super) fn read(reader: &mut Reader<'a>, streamed: bool) -> Result<Self, PgOutputError> {
        let xid = read_xid(reader, streamed)?;
        let id = reader.u32("relation")?;
        let schema = schema_name(reader)?;
        let name = reader.text("name")?;
        let replica_identity = match reader.u8("replica identity")? {
            b'd' => ReplicaIdentity::Default,
            b'n' => ReplicaIdentity::Nothing,
            b'f' => ReplicaIdentity::Full,
            b'i' => ReplicaIdentity::Index,
            _ => return Err(reader.malformed("an unknown replica identity").into()),
        };
        let count = usize::from(reader.u16("number of columns")?);
        let mut columns = Vec::with_capacity(count.min(reader.rest().len() / COLUMN_BYTES_MIN));
        for _ in 0..count {
            columns.push(RelationColumn {
                is_key: reader.u8("column flags")? & 1 != 0,
                name: reader.text("column name")?,
                type_oid: reader.u32("column type")?,
                type_modifier: reader.i32("column type modifier")?,
            });
        }
        Ok(Self { xid, id, schema, name, replica_identity, columns })
    }
}

/// The name of a type that is not built in. It comes before the first relation that uses it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TypeName<'a> {
    /// The transaction, in a streamed block.
    pub xid: Option<u32>,
    /// Its OID.
    pub oid: u32,
    /// Its schema.
    pub schema: &'a str,
    /// Its name.
    pub name: &'a str,
}

impl<'a> TypeName<'a> {
    pub(super) fn read(reader: &mut Reader<'a>, streamed: bool) -> Result<Self, PgOutputError> {
        Ok(Self {
            xid: read_xid(reader, streamed)?,
            oid: reader.u32("type")?,
            schema: schema_name(reader)?,
            name: reader.text("name")?,
        })
    }
}

fn schema_name<'a>(reader: &mut Reader<'a>) -> Result<&'a str, PgOutputError> {
    let name = reader.text("schema")?;
    Ok(if name.is_empty() { "pg_catalog" } else { name })
}
