//! Who may use the REST API.
//!
//! In: `rest.extension.classes` with the login file that its basic authentication reads, and a file of tokens. Out:
//! users and tokens. Promised: what was to guard the API guards it, or the worker does not start; no password stands in
//! a message. Source: Kafka's `BasicAuthSecurityRestExtension` and `PropertyFileLoginModule`; the syntax of login files is
//! that of `javax.security.auth.login.Configuration`.

use std::collections::BTreeMap;
use std::path::Path;

use super::error::ConfigError;
use super::properties;
use super::provider::Environment;
use super::secret::Secret;
use super::settings::Settings;

/// Kafka's own extension, and Java's option that names the login file.
const BASIC: &str = "org.apache.kafka.connect.rest.basic.auth.extension.BasicAuthSecurityRestExtension";
const LOGIN_MODULE: &str = "org.apache.kafka.connect.rest.basic.auth.extension.PropertyFileLoginModule";
const LOGIN_OPTION: &str = "-Djava.security.auth.login.config=";

/// The longest of these files.
const LIMIT_BYTES: u64 = 1 << 20;

/// What a token allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// To look.
    Read,
    /// To look and to change.
    Write,
}

/// A token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// Whose it is.
    pub name: String,
    /// What it allows.
    pub role: Role,
    /// The token itself.
    pub secret: Secret,
}

/// Who may use the API.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RestAccess {
    /// Users with their passwords; `None` where nobody is asked for one. With none in it everybody is let in, as by Connect.
    pub users: Option<BTreeMap<String, Secret>>,
    /// Tokens; `None` where nobody is asked for one.
    pub tokens: Option<Vec<Token>>,
}

impl RestAccess {
    /// Whether anybody is let in.
    pub fn is_open(&self) -> bool {
        let nobody_asked = self.users.is_none() && self.tokens.is_none();
        nobody_asked || (self.tokens.is_none() && self.users.as_ref().is_some_and(BTreeMap::is_empty))
    }
}

/// Reads what the worker says about it.
pub(super) fn rest_access(
    settings: &Settings<'_>,
    environment: &Environment,
    errors: &mut Vec<ConfigError>,
) -> RestAccess {
    let mut access = RestAccess::default();
    for class in settings.list("rest.extension.classes") {
        if class != BASIC {
            let class = settings.masking.show("rest.extension.classes", &class);
            errors.push(ConfigError::JavaClass {
                property: "rest.extension.classes".to_owned(),
                class,
                stock: vec![BASIC],
            });
            continue;
        }
        match users(settings, environment) {
            Ok(users) => access.users = Some(users),
            Err((path, reason)) => errors.push(ConfigError::Unreadable { path: path.into(), reason }),
        }
    }
    if let Some(path) = settings.text("headwater.rest.tokens.file") {
        match tokens(&path) {
            Ok(tokens) => access.tokens = Some(tokens),
            Err(reason) => errors.push(ConfigError::Unreadable { path: path.into(), reason }),
        }
    }
    access
}

type Found<T> = Result<T, (String, String)>;

/// The login file: ours by name, or Java's, where the container's environment says it.
fn users(settings: &Settings<'_>, environment: &Environment) -> Found<BTreeMap<String, Secret>> {
    let of_java = || {
        let options =
            ["KAFKA_OPTS", "JAVA_TOOL_OPTIONS"].map(|name| environment.get(name).unwrap_or_default()).join(" ");
        options.split_whitespace().rev().find_map(|option| option.strip_prefix(LOGIN_OPTION).map(str::to_owned))
    };
    let Some(login) = settings.text("headwater.rest.login.config").or_else(of_java) else {
        let reason = format!(
            "rest.extension.classes asks for passwords, and no login file is named: set headwater.rest.login.config, or {LOGIN_OPTION}… in KAFKA_OPTS"
        );
        return Err((String::new(), reason));
    };
    let text = read(&login).map_err(|reason| (login.clone(), reason))?;
    let file = password_file(&text).map_err(|reason| (login, reason))?;
    let entries = entries(&file).map_err(|reason| (file, reason))?;
    Ok(entries.into_iter().map(|(user, password)| (user, Secret::new(password))).collect())
}

fn read(path: &str) -> Result<String, String> {
    let length = std::fs::metadata(Path::new(path)).map_err(|error| error.to_string())?.len();
    if length > LIMIT_BYTES {
        return Err(format!("{length} bytes are more than such a file holds"));
    }
    let bytes = std::fs::read(path).map_err(|error| error.to_string())?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// The file that the section `KafkaConnect` of a login file names.
fn password_file(text: &str) -> Result<String, String> {
    let words = words(text);
    let begin = words.windows(2).position(|pair| matches!(pair, [name, open] if name == "KafkaConnect" && open == "{"));
    let begin = begin.ok_or("it has no section KafkaConnect")?;
    let section: Vec<&str> = words.iter().skip(begin + 2).map(String::as_str).take_while(|word| *word != "}").collect();
    let module = *section.first().ok_or("its section KafkaConnect names no module")?;
    if module != LOGIN_MODULE {
        return Err(format!("its section KafkaConnect asks for {}; built in is {LOGIN_MODULE}", module.escape_debug()));
    }
    let file = section.iter().find_map(|word| word.strip_prefix("file="));
    match file.map(str::trim).filter(|file| !file.is_empty()) {
        Some(file) if section.iter().filter(|word| **word == ";").count() <= 1 => Ok(file.to_owned()),
        Some(_) => Err("its section KafkaConnect names several modules; one is supported".to_owned()),
        None => Err("its section KafkaConnect has no option file".to_owned()),
    }
}

/// Words, braces and semicolons; quotes hold blanks together and comments are left out.
fn words(text: &str) -> Vec<String> {
    let (mut words, mut word) = (Vec::new(), String::new());
    let mut characters = text.chars().peekable();
    let mut push = |word: &mut String, more: Option<char>| {
        if !word.is_empty() {
            words.push(std::mem::take(word));
        }
        words.extend(more.map(String::from));
    };
    while let Some(c) = characters.next() {
        match c {
            '"' => word.extend(characters.by_ref().take_while(|c| *c != '"')),
            '#' => drop(characters.by_ref().take_while(|c| *c != '\n').count()),
            '/' if characters.peek() == Some(&'/') => drop(characters.by_ref().take_while(|c| *c != '\n').count()),
            '/' if characters.peek() == Some(&'*') => {
                characters.next();
                let mut last = ' ';
                for c in characters.by_ref() {
                    if last == '*' && c == '/' {
                        break;
                    }
                    last = c;
                }
            }
            '{' | '}' | ';' => push(&mut word, Some(c)),
            c if c.is_whitespace() => {
                // `file = "x"` is one option.
                while characters.peek().is_some_and(|c| c.is_whitespace()) {
                    characters.next();
                }
                if characters.peek() != Some(&'=') && !word.ends_with('=') {
                    push(&mut word, None);
                }
            }
            c => word.push(c),
        }
    }
    push(&mut word, None);
    words
}

fn entries(path: &str) -> Result<Vec<(String, String)>, String> {
    let text = read(path)?;
    let entries = properties::parse(text.as_bytes());
    let entries = entries.map_err(|error| format!("line {}, column {}: {}", error.line, error.column, error.reason))?;
    Ok(entries.into_iter().map(|entry| (entry.key, entry.value)).collect())
}

/// `name = read TOKEN` and `name = write TOKEN`.
fn tokens(path: &str) -> Result<Vec<Token>, String> {
    let mut tokens = Vec::new();
    for (name, value) in entries(path)? {
        let wrong = || format!("{} is not `read TOKEN` or `write TOKEN`", name.escape_debug());
        let (role, secret) = value.trim().split_once(char::is_whitespace).ok_or_else(wrong)?;
        let role = match role {
            "read" => Role::Read,
            "write" => Role::Write,
            _ => return Err(wrong()),
        };
        let secret = secret.trim();
        if secret.is_empty() || secret.contains(char::is_whitespace) {
            return Err(wrong());
        }
        tokens.push(Token { name, role, secret: Secret::new(secret) });
    }
    if tokens.is_empty() {
        return Err("it holds no token, so that nobody could use the API".to_owned());
    }
    Ok(tokens)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    #[test]
    fn login_files_lead_to_the_file_of_passwords() {
        let check = |text: &str, expected: Result<&str, &str>| match (password_file(text), expected) {
            (Ok(file), Ok(expected)) => assert_eq!(file, expected),
            (Err(reason), Err(part)) => assert!(reason.contains(part), "{reason}"),
            (found, _) => panic!("{text}: {found:?}"),
        };
        let module = LOGIN_MODULE;
        check(
            &format!("KafkaConnect {{\n {module} required\n file=\"/etc/connect password\";\n}};"),
            Ok("/etc/connect password"),
        );
        check(
            &format!(
                "Other {{ a.B required x=\"{{\"; }};\n// KafkaConnect\nKafkaConnect{{{module} required debug=true file = \"/a\" ;}};"
            ),
            Ok("/a"),
        );
        check(
            &format!("/* KafkaConnect {{ */ KafkaConnect {{ # no\n {module} required file=/plain; }};"),
            Ok("/plain"),
        );
        check("", Err("no section"));
        check("KafkaConnect {", Err("no module"));
        check("KafkaConnect { com.example.Ldap required; };", Err("com.example.Ldap"));
        check(&format!("KafkaConnect {{ {module} required; }};"), Err("no option file"));
        check(&format!("KafkaConnect {{ {module} required file=a; {module} required file=b; }};"), Err("several"));
        check("/* \"", Err("no section"));
    }

    #[test]
    fn tokens_have_a_role_and_errors_have_no_token() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tokens").display().to_string();
        let check = |text: &str, expected: Result<&[(&str, Role)], &str>| {
            std::fs::write(&path, text).unwrap();
            match (tokens(&path), expected) {
                (Ok(tokens), Ok(expected)) => {
                    let found: Vec<(&str, Role)> =
                        tokens.iter().map(|token| (token.name.as_str(), token.role)).collect();
                    assert_eq!(found, expected);
                }
                (Err(reason), Err(part)) => assert!(reason.contains(part) && !reason.contains("s3cret"), "{reason}"),
                (found, _) => panic!("{text}: {found:?}"),
            }
        };
        check("a = read s3cret\nb=write s3cret2\n", Ok(&[("a", Role::Read), ("b", Role::Write)]));
        check("", Err("no token"));
        check("a=s3cret", Err("a is not"));
        check("a=admin s3cret", Err("a is not"));
        check("a=read s3cret more", Err("a is not"));
        assert!(tokens("/nowhere/at/all").is_err());
    }
}
