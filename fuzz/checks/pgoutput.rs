//! A message of pgoutput: a byte that says whether it stands in a streamed block (1) and whether values may be binary
//! (2), then the message.

use headwater::model::row::Cell;
use headwater::source::postgres::pgoutput::{Binary, Message, walk_delete, walk_insert, walk_update};

/// The bytes as such a message, and as the images of a row wherever they might begin.
pub fn check(bytes: &[u8]) {
    let Some((flags, body)) = bytes.split_first() else { return };
    let binary = if flags & 2 != 0 { Binary::Allowed } else { Binary::Refused };
    let (mut before, mut after) = (Vec::new(), Vec::new());
    let end = match Message::parse(body, flags & 1 != 0) {
        Ok(Message::Insert(insert)) => walk_insert(body, insert.images_at as usize, binary, &mut after).ok(),
        Ok(Message::Update(update)) => {
            walk_update(body, update.images_at as usize, binary, &mut before, &mut after).ok().map(|(_, end)| end)
        }
        Ok(Message::Delete(delete)) => {
            walk_delete(body, delete.images_at as usize, binary, &mut before).ok().map(|(_, end)| end)
        }
        Ok(_) | Err(_) => walk_insert(body, usize::from(*flags), binary, &mut after).ok(),
    };
    if let Some(end) = end {
        assert!(end <= body.len());
        let known = |cell: &Cell| cell.bytes(body).is_some() != (cell.is_null() || cell.is_absent());
        assert!(before.iter().chain(&after).all(known));
    }
}
