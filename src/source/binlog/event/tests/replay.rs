//! Promise: what real servers wrote decodes to what stands beside it in `tests/corpus/SERVER/NAME.txt`.
//! After a deliberate change, run with HEADWATER_REWRITE_CORPUS=1 and read the difference.

use super::capture::{captures, events};
use super::dump::{Tables, dump};

#[test]
fn captures_decode_to_their_texts() {
    let rewrite = std::env::var_os("HEADWATER_REWRITE_CORPUS").is_some();
    let mut wrong = Vec::new();
    for path in captures() {
        let mut tables = Tables::default();
        let text: String = events(&path).iter().map(|(event, format)| dump(event, format, &mut tables)).collect();
        let expected = path.with_extension("txt");
        if rewrite {
            std::fs::write(&expected, &text).unwrap();
        } else if std::fs::read_to_string(&expected).unwrap_or_default() != text {
            wrong.push(path);
        }
    }
    assert!(wrong.is_empty(), "these captures decode to another text than before: {wrong:?}");
}
