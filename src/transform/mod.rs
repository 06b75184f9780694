//! The `transform` room.
