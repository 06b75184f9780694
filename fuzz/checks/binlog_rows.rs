//! A table's columns and its rows: number of columns, their types, number of metadata bytes, those, the bitmap
//! of present columns, then rows.

use headwater::source::binlog::event::{Cell, ImagePlan, decompress_column};

/// The bytes as such a table.
pub fn check(bytes: &[u8]) {
    let Some((plan, body)) = plan(bytes) else { return };
    let mut cells = vec![Cell::ABSENT; plan.columns()];
    let mut at = 0;
    while let Ok(end) = plan.walk(body, at, &mut cells) {
        assert!(end >= at && end <= body.len());
        for cell in &cells {
            let value = cell.bytes(body);
            assert_eq!(value.is_none(), cell.is_null() || cell.is_absent());
            let _ = value.map(|value| decompress_column(value).map(|value| value.len()));
        }
        if end == at {
            break;
        }
        at = end;
    }
    if let Ok((end, partial)) = plan.walk_partial(body, 0, &mut cells) {
        assert!(end <= body.len());
        assert!(!plan.is_partial(partial, plan.columns()));
    }
}

fn plan(bytes: &[u8]) -> Option<(ImagePlan, &[u8])> {
    let (columns, rest) = bytes.split_first()?;
    let (types, rest) = rest.split_at_checked(usize::from(*columns))?;
    let (length, rest) = rest.split_first()?;
    let (metadata, rest) = rest.split_at_checked(usize::from(*length))?;
    let (present, body) = rest.split_at_checked(types.len().div_ceil(8))?;
    Some((ImagePlan::new(types, metadata, present).ok()?, body))
}
