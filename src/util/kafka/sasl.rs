//! `sasl.*`: the user and password inside a JAAS text, for librdkafka.
//!
//! In: `sasl.mechanism`, `sasl.jaas.config`. Out: `sasl.username`, `sasl.password`. Promised: a mechanism that
//! cannot be spoken is an error that names it; no error holds the text of the JAAS configuration.

use std::collections::BTreeMap;

use super::properties::{ClientProperties, PropertyError};

/// Whether a property belongs to this file.
pub fn knows(name: &str) -> bool {
    name.starts_with("sasl.")
}

/// Reads the mechanism and its credentials.
pub fn translate(java: &BTreeMap<String, String>, out: &mut ClientProperties) -> Result<(), PropertyError> {
    let mechanism = java.get("sasl.mechanism").map_or("GSSAPI", |text| text.trim()).to_ascii_uppercase();
    match mechanism.as_str() {
        "PLAIN" | "SCRAM-SHA-256" | "SCRAM-SHA-512" => {}
        "GSSAPI" => {
            return Err(refused(
                "GSSAPI (Kerberos, also the default when none is set) is not built in; use SCRAM-SHA-512 or PLAIN over SASL_SSL",
            ));
        }
        "OAUTHBEARER" => {
            return Err(refused("OAUTHBEARER is not built in; use SCRAM-SHA-512, PLAIN or a client certificate"));
        }
        other => return Err(refused(&format!("`{other}` is not known; PLAIN, SCRAM-SHA-256 and SCRAM-SHA-512 are"))),
    }
    out.set("sasl.mechanism", mechanism);
    let Some(text) = java.get("sasl.jaas.config") else {
        return Err(PropertyError::new("sasl.jaas.config", "is missing: it holds the user name and password"));
    };
    let options = jaas_options(text).map_err(|reason| PropertyError::new("sasl.jaas.config", reason))?;
    for (option, native) in [("username", "sasl.username"), ("password", "sasl.password")] {
        match options.iter().find(|(name, _)| name == option) {
            Some((_, value)) => out.set(native, value.clone()),
            None => return Err(PropertyError::new("sasl.jaas.config", format!("has no {option}=\"…\""))),
        }
    }
    Ok(())
}

fn refused(reason: &str) -> PropertyError {
    PropertyError::new("sasl.mechanism", reason)
}

/// The options of the one entry of a JAAS text: `module.Class required name="value" … ;`.
/// Values may be bare or quoted, with `\` before a quote or a backslash, as Java's `StreamTokenizer` reads them.
fn jaas_options(text: &str) -> Result<Vec<(String, String)>, &'static str> {
    let mut rest = text.trim();
    for what in ["has no login module", "has no control flag (`required`)"] {
        let end = rest.find(char::is_whitespace).ok_or(what)?;
        rest = rest.get(end..).unwrap_or_default().trim_start();
    }
    let mut options = Vec::new();
    loop {
        rest = rest.trim_start();
        if rest.starts_with(';') {
            return Ok(options);
        }
        let Some((name, after)) = rest.split_once('=') else {
            return Err("does not end with `;`, or an option has no `=`");
        };
        let (value, after) = jaas_value(after.trim_start())?;
        options.push((name.trim().to_owned(), value));
        rest = after;
    }
}

fn jaas_value(text: &str) -> Result<(String, &str), &'static str> {
    let quote = match text.chars().next() {
        Some(mark @ ('"' | '\'')) => mark,
        _ => {
            let end = text.find(|mark: char| mark.is_whitespace() || mark == ';').ok_or("does not end with `;`")?;
            let (value, rest) = text.split_at(end);
            return Ok((value.to_owned(), rest));
        }
    };
    let mut value = String::new();
    let mut marks = text.char_indices().skip(1);
    while let Some((at, mark)) = marks.next() {
        if mark == quote {
            return Ok((value, text.get(at + 1..).unwrap_or_default()));
        }
        if mark == '\\' {
            let (_, escaped) = marks.next().ok_or("ends inside a quoted value")?;
            value.push(match escaped {
                'n' => '\n',
                't' => '\t',
                'r' => '\r',
                other => other,
            });
        } else {
            value.push(mark);
        }
    }
    Err("ends inside a quoted value")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    fn check(mechanism: &str, jaas: &str, expected: Result<(&str, &str), &str>) {
        let java = BTreeMap::from([
            ("sasl.mechanism".to_owned(), mechanism.to_owned()),
            ("sasl.jaas.config".to_owned(), jaas.to_owned()),
        ]);
        let mut out = ClientProperties::default();
        match (translate(&java, &mut out), expected) {
            (Ok(()), Ok((user, password))) => {
                assert_eq!(out.native["sasl.username"], user);
                assert_eq!(out.native["sasl.password"], password);
            }
            (Err(error), Err(property)) => {
                assert_eq!(error.property, property);
                assert!(!error.reason.contains("s3cret"), "the error shows the password");
            }
            (got, _) => panic!("{mechanism} {jaas}: {got:?}"),
        }
    }

    #[test]
    fn user_and_password_come_out_of_the_jaas_text() {
        let plain = "org.apache.kafka.common.security.plain.PlainLoginModule";
        check("PLAIN", &format!("{plain} required username=\"u\" password=\"s3cret\";"), Ok(("u", "s3cret")));
        check("SCRAM-SHA-512", &format!("{plain}  required\n  username='u'\n password=s3cret ;"), Ok(("u", "s3cret")));
        check(
            "scram-sha-256",
            &format!("{plain} required username=\"a;b\" password=\"q\\\"x\\\\y=\";"),
            Ok(("a;b", "q\"x\\y=")),
        );
        check("PLAIN", &format!("{plain} required username=\"u\";"), Err("sasl.jaas.config"));
        check("PLAIN", &format!("{plain} required username=\"u\" password=\"s3cret"), Err("sasl.jaas.config"));
        check("PLAIN", "s3cret", Err("sasl.jaas.config"));
        check("OAUTHBEARER", "x required;", Err("sasl.mechanism"));
        check("GSSAPI", "x required;", Err("sasl.mechanism"));
        check("AWS_MSK_IAM", "x required;", Err("sasl.mechanism"));
    }
}
