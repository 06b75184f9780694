//! What only a debug build has, for tests of the whole: a stage panics, or spins, because somebody outside wants it.
//!
//! In: the file that `HEADWATER_TEST_SABOTAGE` names. It says which thread and what: `producer panic`, `encode-0 spin`. Looked
//! at where a stage says what it does. A thread that panics takes the file away first, so that only one does; a thread that
//! spins does so until the file is gone. A release build has nothing of this.

use std::path::PathBuf;
use std::sync::OnceLock;

/// Does to this thread what the file says.
#[allow(clippy::panic, reason = "that is what it is for")]
pub(super) fn strike() {
    static FILE: OnceLock<Option<PathBuf>> = OnceLock::new();
    let Some(file) = FILE.get_or_init(|| std::env::var_os("HEADWATER_TEST_SABOTAGE").map(PathBuf::from)) else {
        return;
    };
    let wanted = || std::fs::read_to_string(file).unwrap_or_default();
    let is_meant = |what: &str| {
        let thread = std::thread::current();
        wanted().trim().split_once(' ') == thread.name().map(|name| (name, what))
    };
    if is_meant("panic") && std::fs::remove_file(file).is_ok() {
        panic!("a test wants this thread to panic");
    }
    while is_meant("spin") {
        std::hint::spin_loop();
    }
}
