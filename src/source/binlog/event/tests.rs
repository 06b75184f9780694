//! Tests over whole events: see the files.
