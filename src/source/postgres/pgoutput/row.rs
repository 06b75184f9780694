//! Changes of rows: which relation, and where the images begin.
//!
//! Reading the message does not look at the images: the one who needs them walks them by [`walk_insert`],
//! [`walk_update`] or [`walk_delete`], from `images_at` on.

use super::super::wire::Reader;
use super::PgOutputError;
use super::message::read_xid;
use super::tuple::{Binary, walk_tuple};
use crate::model::row::Cell;
use crate::model::value::ValueError;

/// What is known of the row before the change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OldImage {
    /// Nothing: no column of the replica identity has changed, or there is none.
    Nothing,
    /// The columns of the replica identity; the others are NULL.
    Key,
    /// The whole row (`REPLICA IDENTITY FULL`).
    Full,
}

macro_rules! change {
    ($(#[$about:meta])* $name:ident) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub struct $name {
            /// The transaction or subtransaction, in a streamed block.
            pub xid: Option<u32>,
            /// The relation's OID.
            pub relation: u32,
            /// Where the first image's letter stands, from the start of the message.
            pub images_at: u32,
        }

        impl $name {
            #[inline]
            pub(super) fn read(length: usize, reader: &mut Reader<'_>, streamed: bool) -> Result<Self, PgOutputError> {
                let xid = read_xid(reader, streamed)?;
                let relation = reader.u32("relation")?;
                Ok(Self { xid, relation, images_at: (length - reader.rest().len()) as u32 })
            }
        }
    };
}

change! {
    /// A row was inserted.
    Insert
}
change! {
    /// A row was updated.
    Update
}
change! {
    /// A row was deleted.
    Delete
}

fn letter(body: &[u8], at: usize) -> Result<u8, ValueError> {
    body.get(at).copied().ok_or(ValueError::OutsideRow)
}

const UNKNOWN_IMAGE: ValueError = ValueError::Invalid { column_type: "row", reason: "an image of an unknown kind" };

/// Finds the cells of an inserted row, and returns where they end.
///
/// # Errors
/// When the body ends inside the image, or it is of no known kind.
#[inline]
pub fn walk_insert(body: &[u8], at: usize, binary: Binary, after: &mut Vec<Cell>) -> Result<usize, ValueError> {
    match letter(body, at)? {
        b'N' => walk_tuple(body, at + 1, binary, after),
        _ => Err(UNKNOWN_IMAGE),
    }
}

/// Finds the cells of a row before (none, where the message has no old image) and after an update, and returns what
/// `before` holds and where they end.
///
/// # Errors
/// As [`walk_insert`].
#[inline]
pub fn walk_update(
    body: &[u8],
    at: usize,
    binary: Binary,
    before: &mut Vec<Cell>,
    after: &mut Vec<Cell>,
) -> Result<(OldImage, usize), ValueError> {
    let old = match letter(body, at)? {
        b'K' => OldImage::Key,
        b'O' => OldImage::Full,
        _ => {
            before.clear();
            return Ok((OldImage::Nothing, walk_insert(body, at, binary, after)?));
        }
    };
    let new_at = walk_tuple(body, at + 1, binary, before)?;
    Ok((old, walk_insert(body, new_at, binary, after)?))
}

/// Finds the cells of a deleted row, and returns what they hold and where they end.
///
/// # Errors
/// As [`walk_insert`].
#[inline]
pub fn walk_delete(
    body: &[u8],
    at: usize,
    binary: Binary,
    before: &mut Vec<Cell>,
) -> Result<(OldImage, usize), ValueError> {
    let old = match letter(body, at)? {
        b'K' => OldImage::Key,
        b'O' => OldImage::Full,
        _ => return Err(UNKNOWN_IMAGE),
    };
    Ok((old, walk_tuple(body, at + 1, binary, before)?))
}
