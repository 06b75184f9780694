//! Whether the publication publishes what is captured, or can be made to; and what the tables log of a row before its
//! change.

use super::access::{create_publication, for_tables, not_owned};
use super::{Report, Session, quoted};
use crate::cli::check::listed;
use crate::error::{Coded, Failure};
use crate::model::modes::PublicationAutocreateMode as Autocreate;
use crate::model::table::TableId;
use crate::source::postgres::connection::{ResultSet, quote_identifier, quote_literal};
use crate::source::postgres::error::PostgresError;

pub(super) fn check(session: &mut Session<'_>, report: &mut Report) -> Result<(), Failure> {
    let literal = quote_literal(&session.options.publication.name);
    let found = session.catalog.query(&format!(
        "SELECT puballtables, pubinsert, pubupdate, pubdelete, pubtruncate, \
         pg_catalog.pg_has_role(pubowner, 'USAGE') AS owned FROM pg_catalog.pg_publication WHERE pubname = {literal}"
    ))?;
    if found.rows.is_empty() {
        return missing(session, report);
    }
    let is = |column: &str| found.first(column).as_deref() == Some("t");
    let filtered = session.options.publication.autocreate == Autocreate::Filtered;
    if is("puballtables") && filtered {
        let error = PostgresError::PublicationForAll(session.options.publication.name.clone());
        report.bad("publication", &error.to_string(), error.code().hint);
        return Ok(());
    }
    contents(session, is("owned"), report)?;
    operations(session, &found, report);
    Ok(())
}

/// There is no publication: whether it may be made.
fn missing(session: &mut Session<'_>, report: &mut Report) -> Result<(), Failure> {
    let name = &session.options.publication.name;
    let absent = PostgresError::NoPublication(name.clone());
    let (database, user) = (quote_identifier(&session.options.database), quote_identifier(&session.user));
    let autocreate = session.options.publication.autocreate;
    if session.standby {
        let mend = format!("on the primary: {}", create_publication(session, &for_tables(session)));
        report.bad("publication", &format!("{name:?} does not exist, and a standby cannot make it"), &mend);
        return Ok(());
    }
    let may_create = session
        .catalog
        .value("SELECT pg_catalog.has_database_privilege(pg_catalog.current_database(), 'CREATE')")?
        .as_deref()
        == Some("t");
    let others = not_owned(session)?;
    let create = create_publication(session, &for_tables(session));
    match autocreate {
        Autocreate::Disabled => report.bad("publication", &absent.to_string(), &create),
        Autocreate::AllTables if !session.superuser && session.service.is_none() => {
            let text = format!("{name:?} does not exist, and {user} may not make it: FOR ALL TABLES needs a superuser");
            let all = create_publication(session, " FOR ALL TABLES");
            let mend = format!("as a superuser: {all} or publication.autocreate.mode=filtered");
            report.bad("publication", &text, &mend);
        }
        Autocreate::AllTables | Autocreate::Filtered | Autocreate::NoTables if !may_create => {
            let text = format!("{name:?} does not exist, and {user} may not make it: CREATE on the database is needed");
            report.bad("publication", &text, &format!("GRANT CREATE ON DATABASE {database} TO {user};"));
        }
        Autocreate::Filtered if !others.is_empty() => {
            let text =
                format!("{name:?} does not exist, and {user} may not make it: tables of others: {}", listed(&others));
            report.bad("publication", &text, &format!("as their owner or a superuser: {create}"));
        }
        Autocreate::AllTables | Autocreate::Filtered | Autocreate::NoTables => {
            report.good("publication", &format!("{name:?} does not exist yet and is made at the start"));
        }
    }
    Ok(())
}

/// Captured tables that it does not publish. A partition may be published by what it is a part of, and such a table by its parts.
fn unpublished(session: &mut Session<'_>) -> Result<Vec<TableId>, Failure> {
    let literal = quote_literal(&session.options.publication.name);
    let answer = session.catalog.query(&format!(
        "WITH published AS (SELECT c.oid, c.relispartition, c.relkind FROM pg_catalog.pg_publication_tables t \
         JOIN pg_catalog.pg_namespace n ON n.nspname = t.schemaname \
         JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = t.tablename WHERE t.pubname = {literal}), \
         covered AS (SELECT oid FROM published \
         UNION SELECT a.relid FROM published p, pg_catalog.pg_partition_ancestors(p.oid) a WHERE p.relispartition \
         UNION SELECT t.relid FROM published p, pg_catalog.pg_partition_tree(p.oid) t WHERE p.relkind = 'p') \
         SELECT n.nspname AS schema, c.relname AS name FROM covered JOIN pg_catalog.pg_class c USING (oid) \
         JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
    ))?;
    let published: std::collections::BTreeSet<String> = answer
        .rows
        .iter()
        .filter_map(|row| Some(format!("{}.{}", answer.text(row, "schema")?, answer.text(row, "name")?)))
        .collect();
    Ok(session.tables.iter().filter(|id| !published.contains(&id.to_string())).cloned().collect())
}

fn contents(session: &mut Session<'_>, owned: bool, report: &mut Report) -> Result<(), Failure> {
    let name = quote_identifier(&session.options.publication.name);
    let unpublished = unpublished(session)?;
    if unpublished.is_empty() {
        report.good("publication", &format!("{name} publishes every captured table"));
        return Ok(());
    }
    let text = format!("{name} lacks {} captured tables: {}", unpublished.len(), listed(&unpublished));
    let add = format!("ALTER PUBLICATION {name} ADD TABLE {};", super::pasted(unpublished.iter()));
    if session.options.publication.autocreate != Autocreate::Filtered {
        report.warn("publication", &format!("{text}; their changes do not come"), &add);
    } else if session.standby {
        report.warn("publication", &format!("{text}; their changes do not come"), &format!("on the primary: {add}"));
    } else if !owned && !session.superuser {
        let text = format!("{text}; only its owner may add them");
        report.bad("publication", &text, &format!("as its owner: {add}"));
    } else {
        let others = not_owned(session)?;
        if others.is_empty() {
            report.good("publication", &format!("{text}; they are added at the start"));
        } else {
            let text = format!("{text}; {} belong to others: {}", others.len(), listed(&others));
            report.bad("publication", &text, &format!("as a superuser: {add}"));
        }
    }
    Ok(())
}

/// Operations that are wanted and not published.
fn operations(session: &Session<'_>, found: &ResultSet, report: &mut Report) {
    let skipped = session.config.capture.skipped_operations;
    let wanted = [
        ("insert", !skipped.create),
        ("update", !skipped.update),
        ("delete", !skipped.delete),
        ("truncate", !skipped.truncate),
    ];
    let lacking =
        |(name, wanted): &&(&str, bool)| *wanted && found.first(&format!("pub{name}")).as_deref() != Some("t");
    let lacking: Vec<&str> = wanted.iter().filter(lacking).map(|(name, _)| *name).collect();
    if lacking.is_empty() {
        return;
    }
    let published =
        wanted.iter().filter(|(name, wanted)| *wanted || found.first(&format!("pub{name}")).as_deref() == Some("t"));
    let published: Vec<&str> = published.map(|(name, _)| *name).collect();
    let name = quote_identifier(&session.options.publication.name);
    let mend = format!("ALTER PUBLICATION {name} SET (publish = '{}');", published.join(", "));
    report.warn("publication", &format!("it does not publish: {}", lacking.join(", ")), &mend);
}

/// Tables that log nothing by which a changed row could be known: once they are published, the server refuses to change
/// their rows, to whoever tries.
pub(super) fn identities(session: &mut Session<'_>, report: &mut Report) -> Result<(), Failure> {
    let answer = session.catalog.query(
        "SELECT n.nspname AS schema, c.relname AS name, c.relreplident AS identity, \
         CASE c.relreplident WHEN 'f' THEN true WHEN 'n' THEN false \
         WHEN 'd' THEN EXISTS (SELECT FROM pg_catalog.pg_index i WHERE i.indrelid = c.oid AND i.indisprimary AND i.indisvalid) \
         ELSE EXISTS (SELECT FROM pg_catalog.pg_index i WHERE i.indrelid = c.oid AND i.indisreplident AND i.indisvalid) END AS known \
         FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'r'",
    )?;
    let rule = crate::pipeline::translate::postgres_identities(session.options);
    let (mut unknown, mut full, mut keyed) = (Vec::new(), 0, 0);
    let captured: std::collections::BTreeMap<String, &TableId> =
        session.tables.iter().map(|id| (id.to_string(), id)).collect();
    for row in &answer.rows {
        let (Some(schema), Some(name)) = (answer.text(row, "schema"), answer.text(row, "name")) else { continue };
        let Some(id) = captured.get(&format!("{schema}.{name}")) else { continue };
        let given = rule.as_ref().and_then(|rule| rule(id));
        let known = match &given {
            Some(clause) => {
                clause != "NOTHING" && (clause != "DEFAULT" || answer.text(row, "known").as_deref() == Some("t"))
            }
            None => answer.text(row, "known").as_deref() == Some("t"),
        };
        match known {
            false => unknown.push((*id).clone()),
            true if given
                .as_deref()
                .map_or(answer.text(row, "identity").as_deref() == Some("f"), |clause| clause == "FULL") =>
            {
                full += 1
            }
            true => keyed += 1,
        }
    }
    if !unknown.is_empty() {
        let statements: Vec<String> =
            unknown.iter().take(5).map(|id| format!("ALTER TABLE {} REPLICA IDENTITY FULL;", quoted(id))).collect();
        let text = format!(
            "{} captured tables have no key: the server refuses UPDATE and DELETE of their rows while they are published: {}",
            unknown.len(),
            listed(&unknown)
        );
        report.warn("replica identity", &text, &format!("add a primary key, or {}", statements.join(" ")));
    }
    if full + keyed > 0 {
        let text =
            format!("{full} tables log whole rows (FULL), {keyed} log the key only: before holds no more than that");
        report.good("replica identity", &text);
    }
    let others = if rule.is_some() { not_owned(session)? } else { Vec::new() };
    let ruled: Vec<TableId> =
        others.into_iter().filter(|id| rule.as_ref().is_some_and(|rule| rule(id).is_some())).collect();
    if !ruled.is_empty() {
        let mend = "as their owner: ALTER TABLE … REPLICA IDENTITY …;";
        report.warn(
            "replica.identity.autoset.values",
            &format!("only owners may alter tables: {}", listed(&ruled)),
            mend,
        );
    }
    Ok(())
}
