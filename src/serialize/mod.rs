//! The `serialize` room.
