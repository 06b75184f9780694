//! The `watchdog` room.
