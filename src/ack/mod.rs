//! The `ack` room.
