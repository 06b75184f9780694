//! The `util` room.
