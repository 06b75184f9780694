//! What elements and actions make of a table.
//!
//! **In:** a table and parsed elements or actions. **Out:** the table behind them. **Promised:** within one
//! statement old names mean the columns as they were before it, as on the server, so that columns can change places;
//! the key is the one Debezium takes. **Survives a crash:** nothing.

use super::column_type::to_bytes;
use super::error::DdlError;
use super::schema::Edit;
use super::statement::{
    AlterAction, ColumnDefinition, Flavor, KeyPart, Period, Place, TableElement, TableName, TableOptions,
};
use crate::model::table::{Column, Table, TableId};

/// Makes the table of a `CREATE TABLE`.
pub(super) fn create(
    id: &TableId,
    elements: &[TableElement],
    comment: Option<String>,
    charset: Option<String>,
) -> Result<Table, DdlError> {
    let mut table =
        Table { id: id.clone(), columns: Vec::new(), primary_key: Vec::new(), default_charset_name: charset, comment };
    let mut periods = Vec::new();
    for element in elements {
        match element {
            TableElement::Column(definition) => add_declared(&mut table, definition),
            TableElement::PrimaryKey(parts) => primary_key(&mut table, parts, &periods),
            TableElement::UniqueKey(parts) => {
                unique_key(&mut table, parts);
            }
            TableElement::Period(period) => periods.push(period.clone()),
        }
    }
    let declared = elements.iter().rev().find_map(|element| match element {
        TableElement::PrimaryKey(parts) => Some(parts),
        TableElement::Column(_) | TableElement::UniqueKey(_) | TableElement::Period(_) => None,
    });
    if let Some(parts) = declared {
        // A key that stands before its columns or periods.
        primary_key(&mut table, parts, &periods);
    }
    check_key(&table)?;
    number(&mut table);
    Ok(table)
}

/// Adds a column of `CREATE TABLE` with the key that its attributes make.
fn add_declared(table: &mut Table, definition: &ColumnDefinition) {
    let column = resolve(definition, table);
    if definition.primary || definition.unique && table.primary_key.is_empty() {
        table.primary_key = vec![column.name.clone()];
    }
    match table.columns.iter_mut().find(|known| is_name(&known.name, &column.name)) {
        Some(known) => *known = column,
        None => table.columns.push(column),
    }
}

/// The column with the character set it takes from the table.
fn resolve(definition: &ColumnDefinition, table: &Table) -> Column {
    let mut column = definition.column.clone();
    if definition.inherits_charset && column.charset_name.is_none() {
        column.charset_name.clone_from(&table.default_charset_name);
    }
    if definition.inherits_charset
        && column.charset_name.as_deref().is_some_and(|name| name.eq_ignore_ascii_case("binary"))
    {
        to_bytes(&mut column);
    }
    column
}

/// Column names are compared without regard to case (manual 11.2.3).
fn is_name(left: &str, right: &str) -> bool {
    left.eq_ignore_ascii_case(right)
        || !left.is_ascii() && !right.is_ascii() && left.to_lowercase() == right.to_lowercase()
}

fn find<'a>(table: &'a mut Table, name: &str) -> Option<&'a mut Column> {
    table.columns.iter_mut().find(|column| is_name(&column.name, name))
}

/// Sets the primary key; its columns cannot be null. A period stands for its end and its start, in this order, as in
/// the server's index; a key with a period that is not known is none, because the rest of it is not unique.
fn primary_key(table: &mut Table, parts: &[KeyPart], periods: &[Period]) {
    let mut names = Vec::with_capacity(parts.len());
    for part in parts {
        match part {
            KeyPart::Column(name) => names.push(key_column(table, name)),
            KeyPart::Period(name) => {
                let Some(period) = periods.iter().find(|period| is_name(&period.name, name)) else {
                    table.primary_key.clear();
                    return;
                };
                names.push(key_column(table, &period.end));
                names.push(key_column(table, &period.start));
            }
            // A primary key has no expressions (manual 15.1.20).
            KeyPart::Expression => {}
        }
    }
    table.primary_key = names;
}

/// The name of a primary key's column, which cannot be null from now on.
fn key_column(table: &mut Table, name: &str) -> String {
    let Some(column) = find(table, name) else { return name.to_owned() };
    if column.optional {
        column.optional = false;
        column.has_default_value &= column.default_value_expression.is_some();
    }
    column.name.clone()
}

/// Takes a unique key as the table's key if there is none yet and it can be one; whether it was looked at.
pub(super) fn unique_key(table: &mut Table, parts: &[KeyPart]) -> bool {
    if !table.primary_key.is_empty() {
        return false;
    }
    let mut names = Vec::with_capacity(parts.len());
    let mut usable = true;
    for part in parts {
        let KeyPart::Column(name) = part else { return false };
        let Some(column) = find(table, name) else { return false };
        usable &= !column.optional;
        names.push(column.name.clone());
    }
    if usable {
        table.primary_key = names;
    }
    true
}

fn check_key(table: &Table) -> Result<(), DdlError> {
    let missing = table.primary_key.iter().find(|name| !table.columns.iter().any(|column| is_name(&column.name, name)));
    match missing {
        Some(name) if !table.columns.is_empty() => {
            Err(DdlError::UnknownColumn { table: table.id.clone(), column: name.clone() })
        }
        Some(_) | None => Ok(()),
    }
}

fn number(table: &mut Table) {
    for (position, column) in (1..).zip(&mut table.columns) {
        column.position = position;
    }
}

/// What an `ALTER TABLE` came to.
pub(super) struct Altered {
    pub table: Table,
    pub created: Vec<Table>,
    pub dropped: Vec<TableId>,
}

/// Applies the actions of an `ALTER TABLE`.
pub(super) fn alter(table: Table, actions: &[AlterAction], edit: &Edit<'_>) -> Result<Altered, DdlError> {
    let old_names = table.columns.iter().map(|column| Some(column.name.clone())).collect();
    let old_key = table.primary_key.iter().map(|name| (name.clone(), true)).collect();
    let mut work = Work {
        table,
        old_names,
        key: old_key,
        renames: Vec::new(),
        explicit_key: None,
        flavor: edit.flavor(),
        periods: Vec::new(),
        created: Vec::new(),
        dropped: Vec::new(),
    };
    for action in actions {
        work.apply(action, edit)?;
    }
    work.finish(edit)
}

/// A table under an `ALTER TABLE`.
struct Work {
    table: Table,
    /// Beside each column its name before the statement; `None` for a new one.
    old_names: Vec<Option<String>>,
    /// The key; `true` beside names from before the statement.
    key: Vec<(String, bool)>,
    /// Old name, new name.
    renames: Vec<(String, String)>,
    explicit_key: Option<Vec<KeyPart>>,
    flavor: Flavor,
    /// Periods that this statement adds.
    periods: Vec<Period>,
    /// Tables that came out of partitions.
    created: Vec<TableName>,
    /// Tables that became partitions.
    dropped: Vec<TableId>,
}

impl Work {
    fn apply(&mut self, action: &AlterAction, edit: &Edit<'_>) -> Result<(), DdlError> {
        match action {
            AlterAction::AddColumn { definition, place, if_not_exists } => self.add(definition, place, *if_not_exists),
            AlterAction::ChangeColumn { old, definition, place, if_exists } => {
                self.change(old, definition, place, *if_exists, true)
            }
            AlterAction::ModifyColumn { definition, place, if_exists } => {
                self.change(&definition.column.name, definition, place, *if_exists, false)
            }
            AlterAction::RenameColumn { old, new, if_exists } => self.rename(old, new, *if_exists),
            AlterAction::DropColumn(name) => {
                self.drop_column(name);
                Ok(())
            }
            AlterAction::AlterDefault { column, default } => {
                self.alter_default(column, default.as_ref());
                Ok(())
            }
            AlterAction::PrimaryKey(parts) => {
                let periods = self.periods.clone();
                self.with_key(|table| primary_key(table, parts, &periods));
                self.explicit_key = Some(parts.clone());
                Ok(())
            }
            AlterAction::UniqueKey(parts) => {
                self.with_key(|table| {
                    unique_key(table, parts);
                });
                Ok(())
            }
            AlterAction::Period(period) => {
                self.periods.push(period.clone());
                Ok(())
            }
            AlterAction::DropPrimaryKey => {
                self.key.clear();
                Ok(())
            }
            AlterAction::RenameTable(name) => {
                self.table.id = edit.id(name);
                Ok(())
            }
            AlterAction::ConvertCharset(clause) => {
                let charset = edit.converted(clause, &self.table.id);
                self.convert(charset);
                Ok(())
            }
            AlterAction::Options(options) => {
                self.options(options, edit);
                Ok(())
            }
            AlterAction::PartitionToTable(name) => {
                self.created.push(name.clone());
                Ok(())
            }
            AlterAction::TableToPartition(name) => {
                self.dropped.push(edit.id(name));
                Ok(())
            }
        }
    }

    /// The column that an old name means; one added by this statement only where no old one has the name.
    fn index_of(&self, name: &str) -> Option<usize> {
        let is_old = |old: &Option<String>| old.as_deref().is_some_and(|old| is_name(old, name));
        self.old_names
            .iter()
            .position(is_old)
            .or_else(|| self.table.columns.iter().position(|column| is_name(&column.name, name)))
    }

    fn unknown(&self, column: &str) -> DdlError {
        DdlError::UnknownColumn { table: self.table.id.clone(), column: column.to_owned() }
    }

    fn add(&mut self, definition: &ColumnDefinition, place: &Place, if_not_exists: bool) -> Result<(), DdlError> {
        let name = &definition.column.name;
        let known = self.table.columns.iter().position(|column| is_name(&column.name, name));
        if known.is_some() && if_not_exists {
            return Ok(());
        }
        let column = resolve(definition, &self.table);
        let index = match known {
            Some(index) => {
                if let Some(slot) = self.table.columns.get_mut(index) {
                    *slot = column;
                }
                index
            }
            None => {
                self.table.columns.push(column);
                self.old_names.push(None);
                self.table.columns.len() - 1
            }
        };
        self.declared_key(definition);
        self.put(index, place)
    }

    /// The key that a column's attributes make. Of `UNIQUE`, Debezium takes no notice here when it reads MySQL.
    fn declared_key(&mut self, definition: &ColumnDefinition) {
        let unique = definition.unique && self.flavor == Flavor::MariaDb;
        if definition.primary || unique && self.key.is_empty() {
            self.key = vec![(definition.column.name.clone(), false)];
        }
    }

    fn change(
        &mut self,
        old: &str,
        definition: &ColumnDefinition,
        place: &Place,
        if_exists: bool,
        keeps: bool,
    ) -> Result<(), DdlError> {
        let Some(index) = self.index_of(old) else {
            return if if_exists { Ok(()) } else { Err(self.unknown(old)) };
        };
        let mut column = resolve(definition, &self.table);
        let Some(slot) = self.table.columns.get_mut(index) else { return Err(self.unknown(old)) };
        if keeps {
            // Debezium edits the old column on CHANGE and starts afresh on MODIFY.
            column.auto_incremented |= slot.auto_incremented;
            column.generated |= slot.generated;
            column.comment = column.comment.or(slot.comment.take());
            if column.enum_values.is_empty() {
                column.enum_values = std::mem::take(&mut slot.enum_values);
            }
            self.renames.push((slot.name.clone(), column.name.clone()));
        } else {
            column.name.clone_from(&slot.name);
        }
        *slot = column;
        self.declared_key(definition);
        self.put(index, place)
    }

    fn rename(&mut self, old: &str, new: &str, if_exists: bool) -> Result<(), DdlError> {
        let Some(slot) = self.index_of(old).and_then(|index| self.table.columns.get_mut(index)) else {
            return if if_exists { Ok(()) } else { Err(self.unknown(old)) };
        };
        self.renames.push((std::mem::replace(&mut slot.name, new.to_owned()), new.to_owned()));
        Ok(())
    }

    fn drop_column(&mut self, name: &str) {
        if let Some(index) = self.index_of(name) {
            self.table.columns.remove(index);
            self.old_names.remove(index);
            self.key.retain(|(key, _)| !is_name(key, name));
        }
    }

    /// Moves a column; `AFTER` names columns as they are called behind the statement.
    fn put(&mut self, index: usize, place: &Place) -> Result<(), DdlError> {
        let after = match place {
            Place::Unchanged => return Ok(()),
            Place::First => None,
            Place::After(name) => Some(name),
        };
        let column = self.table.columns.remove(index);
        let old_name = self.old_names.remove(index);
        let target = match after {
            None => 0,
            Some(name) => {
                let found = self.table.columns.iter().position(|column| is_name(&column.name, name));
                // Debezium puts it first when there is no such column; a wrong place would be silent.
                found.or_else(|| self.index_of(name)).map(|index| index + 1).ok_or_else(|| self.unknown(name))?
            }
        };
        self.table.columns.insert(target, column);
        self.old_names.insert(target, old_name);
        Ok(())
    }

    fn alter_default(&mut self, name: &str, default: Option<&Option<String>>) {
        let Some(column) = self.index_of(name).and_then(|index| self.table.columns.get_mut(index)) else { return };
        // Debezium takes a column that can be null as having NULL for its default whenever it is edited.
        column.has_default_value = default.is_some() || column.optional;
        column.default_value_expression = default.cloned().flatten();
    }

    /// Runs a key clause on the table with the key so far.
    fn with_key(&mut self, clause: impl FnOnce(&mut Table)) {
        let before: Vec<String> = self.key.iter().map(|(name, _)| name.clone()).collect();
        self.table.primary_key.clone_from(&before);
        clause(&mut self.table);
        if self.table.primary_key != before {
            self.key = self.table.primary_key.drain(..).map(|name| (name, false)).collect();
        }
    }

    fn convert(&mut self, charset: Option<String>) {
        for column in &mut self.table.columns {
            if column.charset_name.is_some() {
                column.charset_name.clone_from(&charset);
            }
        }
        self.table.default_charset_name = charset;
    }

    fn options(&mut self, options: &TableOptions, edit: &Edit<'_>) {
        if !options.charset.is_empty() {
            self.table.default_charset_name = edit.converted(&options.charset, &self.table.id);
        }
        if let Some(comment) = &options.comment {
            self.table.comment = Some(comment.clone());
        }
    }

    fn finish(self, edit: &Edit<'_>) -> Result<Altered, DdlError> {
        let Work { mut table, key, renames, explicit_key, created, dropped, periods, .. } = self;
        table.primary_key = key
            .into_iter()
            .map(|(name, is_old)| {
                let renamed = renames.iter().find(|(old, _)| is_old && is_name(old, &name));
                renamed.map_or(name, |(_, new)| new.clone())
            })
            .collect();
        if let Some(parts) = explicit_key {
            primary_key(&mut table, &parts, &periods);
        }
        check_key(&table)?;
        number(&mut table);
        let created = created.iter().map(|name| Table { id: edit.id(name), ..table.clone() }).collect();
        Ok(Altered { table, created, dropped })
    }
}
