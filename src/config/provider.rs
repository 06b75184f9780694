//! Variables in values: `${provider:path:key}`, as Kafka's config providers resolve them.
//!
//! In: properties with variables, the worker's `config.providers`, an environment. Out: the same properties
//! with the variables replaced, and which of them carried one, because that is where people keep secrets.
//! Promised: the syntax is that of Kafka's `ConfigTransformer` (no nesting, no recursion, the first colon
//! ends the provider's name, the last part is the key); where Kafka would leave an unresolved variable
//! standing as text, and the database would then be given that text as its password, this is an error, and
//! it names the variable and nothing that was read.
//! Source: `EnvVarConfigProvider`, `FileConfigProvider`, `DirectoryConfigProvider` of Kafka's clients.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Component, Path, PathBuf};

use super::error::{ConfigError, Warning, WarningKind};
use super::secret::Masking;
use super::{properties, source_file};
use crate::util::java_regex::JavaRegex;

/// The environment of the process. Printing shows the names only.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Environment(BTreeMap<String, String>);

impl Environment {
    /// The environment this process was started with; variables that are not UTF-8 are left out.
    pub fn of_this_process() -> Environment {
        let text = |text: std::ffi::OsString| text.into_string().ok();
        Environment(std::env::vars_os().filter_map(|(name, value)| Some((text(name)?, text(value)?))).collect())
    }

    /// An environment made by hand.
    pub fn new(variables: impl IntoIterator<Item = (String, String)>) -> Environment {
        Environment(variables.into_iter().collect())
    }

    /// The value of one variable.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// Names and values, in the order of the names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// The three providers, each with the limits that a worker can set.
#[derive(Clone, Debug)]
enum Provider {
    /// `EnvVarConfigProvider`, with `allowlist.pattern`.
    Env { allowed: Option<JavaRegex> },
    /// `FileConfigProvider`, with `allowed.paths`.
    File { allowed: Vec<PathBuf> },
    /// `DirectoryConfigProvider`, with `allowed.paths`.
    Directory { allowed: Vec<PathBuf> },
}

/// Everything that resolves variables.
#[derive(Clone, Debug)]
pub struct Providers {
    environment: Environment,
    by_name: BTreeMap<String, Provider>,
    /// What `config.providers` names.
    named: Vec<String>,
}

impl Providers {
    /// The providers that are there without being configured: `env`, `file`, `dir` and `directory`.
    pub fn stock(environment: Environment) -> Providers {
        let mut by_name = BTreeMap::new();
        by_name.insert("env".to_owned(), Provider::Env { allowed: None });
        by_name.insert("file".to_owned(), Provider::File { allowed: Vec::new() });
        by_name.insert("dir".to_owned(), Provider::Directory { allowed: Vec::new() });
        by_name.insert("directory".to_owned(), Provider::Directory { allowed: Vec::new() });
        Providers { environment, by_name, named: Vec::new() }
    }

    /// Only those that the worker's `config.providers` names: for configurations that come by REST or from a topic, whose
    /// writers are not to read this process's files and environment unless the worker's owner says so. Kafka Connect has
    /// no others.
    #[must_use]
    pub fn named_only(&self) -> Providers {
        let mut providers = self.clone();
        providers.by_name.retain(|name, _| self.named.contains(name));
        providers
    }

    /// Why there is no such provider, and what to do about it.
    fn no_provider(&self, name: &str) -> String {
        let class = match name {
            "env" => "EnvVarConfigProvider",
            "file" => "FileConfigProvider",
            "dir" | "directory" => "DirectoryConfigProvider",
            _ if self.by_name.is_empty() => return "the worker's config.providers names no config provider".to_owned(),
            _ => {
                let known: Vec<&str> = self.by_name.keys().map(String::as_str).collect();
                return format!("there is no config provider of that name, only {}", known.join(", "));
            }
        };
        let names: Vec<&str> = self.named.iter().map(String::as_str).chain([name]).collect();
        format!(
            "a connector that comes by REST or from the store may only use what the worker's config.providers names; add to the worker's properties config.providers={} and config.providers.{name}.class=org.apache.kafka.common.config.provider.{class}",
            names.join(",")
        )
    }

    /// The stock providers and those of the worker's `config.providers`, which may rename and limit them.
    pub fn of_worker(
        properties: &BTreeMap<String, String>,
        environment: Environment,
        errors: &mut Vec<ConfigError>,
    ) -> Providers {
        let mut providers = Providers::stock(environment);
        let names = properties.get("config.providers").map_or("", String::as_str);
        for name in names.split(',').map(str::trim).filter(|name| !name.is_empty()) {
            match provider(name, properties) {
                Ok(provider) => {
                    providers.by_name.insert(name.to_owned(), provider);
                    providers.named.push(name.to_owned());
                }
                Err(error) => errors.push(error),
            }
        }
        providers
    }

    /// Replaces every variable, notes in `masking` which values had one, and reports all that fail.
    pub fn resolve(
        &self,
        raw: &BTreeMap<String, String>,
        masking: &mut Masking,
        warnings: &mut Vec<Warning>,
        errors: &mut Vec<ConfigError>,
    ) -> BTreeMap<String, String> {
        let mut resolved = BTreeMap::new();
        for (property, value) in raw {
            let (pieces, failures) = self.replace(property, value);
            if let Some(pieces) = pieces {
                masking.provided(property);
                if !value.ends_with('\n') && pieces.ends_with('\n') {
                    let text = "the value that its variable gave ends in a line break, which is kept";
                    warnings.push(Warning::new(WarningKind::Advice, property, text));
                }
                resolved.insert(property.clone(), pieces);
            } else {
                resolved.insert(property.clone(), value.clone());
            }
            if !failures.is_empty() {
                masking.unresolved(property);
            }
            errors.extend(failures);
        }
        resolved
    }

    /// The value with its variables replaced; `None` when there were none.
    fn replace(&self, property: &str, value: &str) -> (Option<String>, Vec<ConfigError>) {
        let mut out = String::new();
        let mut failures = Vec::new();
        let mut found = false;
        let mut rest = value;
        while let Some(variable) = Variable::first(rest) {
            found = true;
            out.push_str(variable.before);
            rest = variable.after;
            match self.value_of(&variable) {
                Ok(text) => out.push_str(&text),
                Err(reason) => {
                    // Left standing, so that the property does not look as if it were missing.
                    out.push_str(variable.text);
                    failures.push(ConfigError::Unresolved {
                        property: super::secret::shown_name(property),
                        variable: variable.text.to_owned(),
                        reason,
                    });
                }
            }
        }
        out.push_str(rest);
        (found.then_some(out), failures)
    }

    fn value_of(&self, variable: &Variable<'_>) -> Result<String, String> {
        let Some(provider) = self.by_name.get(variable.provider) else {
            return Err(self.no_provider(variable.provider));
        };
        match provider {
            Provider::Env { .. } if !variable.path.is_empty() => {
                Err("environment variables have no path; it is ${env:NAME}".to_owned())
            }
            Provider::Env { allowed } => {
                if let Some(allowed) = allowed
                    && !allowed.matches(variable.key).map_err(|error| error.to_string())?
                {
                    return Err("its name does not match allowlist.pattern".to_owned());
                }
                let value = self.environment.get(variable.key);
                value.map(str::to_owned).ok_or_else(|| "the environment variable is not set".to_owned())
            }
            Provider::File { allowed } => {
                let path = permitted(variable.path, allowed)?;
                let bytes = read_regular(&path)?;
                let entries = properties::parse(&bytes)
                    .map_err(|error| format!("line {} of the file: {}", error.line, error.reason))?;
                let entry = entries.into_iter().rev().find(|entry| entry.key == variable.key);
                entry.map(|entry| entry.value).ok_or_else(|| "the file has no such key".to_owned())
            }
            Provider::Directory { allowed } => {
                let directory = permitted(variable.path, allowed)?;
                let key = Path::new(variable.key);
                if !matches!(key.components().collect::<Vec<_>>().as_slice(), [Component::Normal(_)]) {
                    return Err("the key must be the name of a file in that directory".to_owned());
                }
                let path = directory.join(key);
                if !path.is_file() {
                    return Err("the directory has no such file".to_owned());
                }
                let bytes = read_regular(&path)?;
                String::from_utf8(bytes).map_err(|_| "the file is not UTF-8".to_owned())
            }
        }
    }
}

/// One provider of `config.providers`.
fn provider(name: &str, properties: &BTreeMap<String, String>) -> Result<Provider, ConfigError> {
    let prefix = format!("config.providers.{name}");
    let property = |suffix: &str| properties.get(&format!("{prefix}.{suffix}")).map(|value| value.trim());
    let Some(class) = property("class") else {
        return Err(ConfigError::Missing {
            property: format!("{prefix}.class"),
            about: format!("the class of '{name}', which config.providers names"),
            suggestion: None,
        });
    };
    let allowed = || -> Vec<PathBuf> {
        let paths = property("param.allowed.paths").unwrap_or("");
        paths.split(',').map(str::trim).filter(|path| !path.is_empty()).map(|path| normal(Path::new(path))).collect()
    };
    match class.rsplit('.').next().unwrap_or(class) {
        "EnvVarConfigProvider" | "EnvVar" => {
            let pattern = property("param.allowlist.pattern");
            let allowed = pattern
                .map(JavaRegex::parse_case_sensitive)
                .transpose()
                .map_err(|error| ConfigError::Regex { property: format!("{prefix}.param.allowlist.pattern"), error })?;
            Ok(Provider::Env { allowed })
        }
        "FileConfigProvider" | "File" => Ok(Provider::File { allowed: allowed() }),
        "DirectoryConfigProvider" | "Directory" => Ok(Provider::Directory { allowed: allowed() }),
        _ => Err(ConfigError::UnknownProvider { name: name.to_owned(), class: class.to_owned() }),
    }
}

/// The bytes of a file. Reading a pipe or a device could wait, or go on, for ever.
fn read_regular(path: &Path) -> Result<Vec<u8>, String> {
    let kind = std::fs::metadata(path).map_err(|error| format!("{}: {error}", path.display()))?;
    if !kind.is_file() {
        return Err(format!("{} is not a regular file", path.display()));
    }
    source_file::read(path).map_err(|error| error.to_string())
}

/// The path, when the worker's `allowed.paths` lets it through.
fn permitted(path: &str, allowed: &[PathBuf]) -> Result<PathBuf, String> {
    if path.is_empty() {
        return Err("a path is needed: ${provider:/path:key}".to_owned());
    }
    if allowed.is_empty() {
        return Ok(PathBuf::from(path));
    }
    let path = normal(Path::new(path));
    match allowed.iter().any(|allowed| path.starts_with(allowed)) {
        true => Ok(path),
        false => Err("the path is not below allowed.paths".to_owned()),
    }
}

/// Java's `Path.normalize`: `.` and `..` taken out, links not followed.
fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                normal.pop();
            }
            Component::Normal(_) | Component::RootDir | Component::Prefix(_) => normal.push(component),
        }
    }
    normal
}

/// One variable in a text.
struct Variable<'a> {
    before: &'a str,
    /// From `${` to `}`.
    text: &'a str,
    provider: &'a str,
    path: &'a str,
    key: &'a str,
    after: &'a str,
}

impl<'a> Variable<'a> {
    /// The first one, by Kafka's pattern `\$\{([^}]*?):(([^}]*?):)?([^}]*?)\}`.
    fn first(text: &'a str) -> Option<Variable<'a>> {
        let mut from = 0;
        loop {
            let start = from + text.get(from..)?.find("${")?;
            let inner = text.get(start + 2..)?;
            let end = inner.find('}')?;
            let body = inner.get(..end)?;
            // Without a colon it is no variable: `${routedByValue}` belongs to a regular expression.
            if let Some((provider, rest)) = body.split_once(':') {
                let (path, key) = rest.split_once(':').unwrap_or(("", rest));
                return Some(Variable {
                    before: text.get(..start)?,
                    text: text.get(start..start + 2 + end + 1)?,
                    provider,
                    path,
                    key,
                    after: inner.get(end + 1..)?,
                });
            }
            from = start + 2 + end + 1;
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    fn environment() -> Environment {
        Environment::new([("PASSWORD", "hunter2"), ("EMPTY", ""), ("LINE", "x\n")].map(|(a, b)| (a.into(), b.into())))
    }

    fn providers(worker: &[(&str, &str)]) -> Providers {
        let properties = worker.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
        let mut errors = Vec::new();
        let providers = Providers::of_worker(&properties, environment(), &mut errors);
        assert_eq!(errors, []);
        providers
    }

    /// The value becomes the text, or an error that contains it.
    fn check(providers: &Providers, value: &str, expected: Result<&str, &str>) {
        let raw = BTreeMap::from([("some.property".to_owned(), value.to_owned())]);
        let (mut warnings, mut errors) = (Vec::new(), Vec::new());
        let mut masking = Masking::default();
        let resolved = providers.resolve(&raw, &mut masking, &mut warnings, &mut errors);
        match expected {
            Ok(text) => {
                assert_eq!(errors, [], "{value}");
                assert_eq!(resolved["some.property"], text);
                assert_eq!(masking.hides("some.property"), value != text, "{value}");
            }
            Err(part) => {
                let said = errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
                assert!(said.contains(part), "{value}: {said}");
                assert!(!said.contains("hunter2"), "{said}");
            }
        }
    }

    #[test]
    fn the_environment_is_read() {
        let stock = providers(&[]);
        check(&stock, "${env:PASSWORD}", Ok("hunter2"));
        check(&stock, "a${env:PASSWORD}b${env:EMPTY}c${env:PASSWORD}", Ok("ahunter2bchunter2"));
        check(&stock, "${env:MISSING}", Err("${env:MISSING} cannot be resolved"));
        check(&stock, "${env:PASSWORD}${env:MISSING}", Err("not set"));
        check(&stock, "${env:x:PASSWORD}", Err("have no path"));
        check(&stock, "${vault:secret:key}", Err("no config provider of that name"));
        check(&stock, "outbox.event.${routedByValue}", Ok("outbox.event.${routedByValue}"));
        check(&stock, "${a}${env:PASSWORD}", Ok("${a}hunter2"));
        check(&stock, "$1 ${ {} ${env:PASSWORD", Ok("$1 ${ {} ${env:PASSWORD"));
    }

    #[test]
    fn files_and_directories_are_read() {
        let directory = tempfile::tempdir().unwrap();
        let at = directory.path().display().to_string();
        std::fs::write(directory.path().join("db.properties"), "user = me\npass:word=a\\u00e9\nuser=you\n").unwrap();
        std::fs::write(directory.path().join("password"), "hunter2\n").unwrap();
        std::fs::write(directory.path().join("latin1"), b"\xE9").unwrap();
        let stock = providers(&[]);
        check(&stock, &format!("${{file:{at}/db.properties:user}}"), Ok("you"));
        check(&stock, &format!("${{file:{at}/db.properties:pass}}"), Ok("word=aé"));
        check(&stock, &format!("${{file:{at}/db.properties:nobody}}"), Err("no such key"));
        check(&stock, &format!("${{file:{at}/nothing:user}}"), Err("cannot be resolved"));
        check(&stock, "${file:user}", Err("a path is needed"));
        check(&stock, &format!("${{dir:{at}:password}}"), Ok("hunter2\n"));
        check(&stock, &format!("${{directory:{at}:password}}"), Ok("hunter2\n"));
        check(&stock, &format!("${{dir:{at}:nothing}}"), Err("no such file"));
        check(&stock, &format!("${{dir:{at}:../password}}"), Err("name of a file"));
        check(&stock, &format!("${{dir:{at}:latin1}}"), Err("not UTF-8"));
    }

    #[test]
    fn the_worker_names_and_limits_providers() {
        let directory = tempfile::tempdir().unwrap();
        let at = directory.path().display().to_string();
        std::fs::create_dir(directory.path().join("open")).unwrap();
        std::fs::write(directory.path().join("open/key"), "v").unwrap();
        std::fs::write(directory.path().join("key"), "hunter2").unwrap();
        let open = format!("{at}/open");
        let limited = providers(&[
            ("config.providers", "files, variables"),
            ("config.providers.files.class", "org.apache.kafka.common.config.provider.DirectoryConfigProvider"),
            ("config.providers.files.param.allowed.paths", &open),
            ("config.providers.variables.class", "EnvVarConfigProvider"),
            ("config.providers.variables.param.allowlist.pattern", "E.*"),
        ]);
        check(&limited, &format!("${{files:{open}:key}}"), Ok("v"));
        check(&limited, &format!("${{files:{at}:key}}"), Err("not below allowed.paths"));
        check(&limited, &format!("${{files:{open}/..:key}}"), Err("not below allowed.paths"));
        check(&limited, "${variables:EMPTY}", Ok(""));
        check(&limited, "${variables:PASSWORD}", Err("allowlist.pattern"));
    }

    /// Those who may write a configuration by REST may not read the process's files by it.
    #[test]
    fn what_comes_by_rest_has_the_named_providers_only() {
        let none = providers(&[]).named_only();
        check(&none, "${env:PASSWORD}", Err("add to the worker's properties config.providers=env and"));
        check(&none, "${dir:/:x}", Err("config.providers.dir.class=org.apache.kafka.common.config.provider.Directory"));
        check(&none, "${vault:x}", Err("names no config provider"));
        let named = providers(&[("config.providers", "e"), ("config.providers.e.class", "EnvVarConfigProvider")]);
        check(&named.named_only(), "${e:PASSWORD}", Ok("hunter2"));
        check(&named.named_only(), "${file:/a:b}", Err("config.providers=e,file"));
        check(&named.named_only(), "${vault:x}", Err("only e"));
        check(&named, "${env:PASSWORD}", Ok("hunter2"));
    }

    /// Neither a pipe nor a device is waited for.
    #[test]
    fn only_regular_files_are_read() {
        check(&providers(&[]), "${file:/dev/zero:a}", Err("not a regular file"));
        check(&providers(&[]), "${file:/dev:a}", Err("not a regular file"));
    }

    #[test]
    fn providers_that_only_java_has_are_refused() {
        let check = |class: Option<&str>, expected: &str| {
            let mut properties = BTreeMap::from([("config.providers".to_owned(), "v".to_owned())]);
            properties.extend(class.map(|class| ("config.providers.v.class".to_owned(), class.to_owned())));
            let mut errors = Vec::new();
            Providers::of_worker(&properties, environment(), &mut errors);
            assert!(errors[0].to_string().contains(expected), "{errors:?}");
        };
        check(Some("com.example.VaultConfigProvider"), "com.example.VaultConfigProvider");
        check(None, "config.providers.v.class is required");
    }

    proptest! {
        #[test]
        fn any_value(value in "[${}:a-z/é]{0,30}") {
            let mut errors = Vec::new();
            let raw = BTreeMap::from([("p".to_owned(), value)]);
            Providers::stock(environment()).resolve(&raw, &mut Masking::default(), &mut Vec::new(), &mut errors);
        }
    }
}
