//! Whose server it is: it changes the protocol, the events and the SQL.

/// The product that wrote the log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Flavor {
    /// MySQL, Percona Server and what else is built from it.
    #[default]
    MySql,
    /// MariaDB.
    MariaDb,
}
