//! Sets of global transaction identifiers: MySQL's and MariaDB's, as text and as bytes.
//!
//! In: what servers, offsets and events say. Out: sets that can be compared, joined, printed and sent.
//! Promise: printing and reading again gives the same set; a text or encoding that is not a set is an error.
//! Nothing here survives a crash by itself: the printed text is what a store keeps.

pub mod mariadb;
pub mod mysql;

pub use mariadb::{MariadbGtid, MariadbGtidSet};
pub use mysql::{MysqlGtidSet, Tag, Uuid};
