//! `converters`: the names a connector declares, and what stands beneath them.
//!
//! In: resolved properties. Out: the converters of columns in the order of the list; findings for classes and values
//! that cannot be used; a warning for each option that its class does not have, which Debezium would pass over.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Findings;
use crate::config::error::{ConfigError, Warning, WarningKind};
use crate::config::option::Mismatch;
use crate::config::secret::Shown;
use crate::config::settings::Settings;
use crate::config::suggest;
use crate::source::binlog::codec::converter::{self, BadConverter, ColumnConverter};
use crate::util::class_options::{ClassOption, Options};

/// The converters of columns, checked.
pub(super) fn converters(settings: &Settings<'_>, findings: &mut Findings) -> Arc<[Arc<dyn ColumnConverter>]> {
    let mut made = Vec::new();
    for name in settings.list("converters") {
        let property = format!("{name}.type");
        let class = settings.values.get(&property).map_or("", |class| class.trim());
        let Some(spec) = converter::find(class) else {
            findings.errors.push(java_class(settings, property, stock()));
            continue;
        };
        let options = beneath(settings, &name);
        say_unknown(&name, spec.options, &options, findings);
        match (spec.build)(&Options::new(&options)) {
            Ok(converter) => made.push(converter),
            Err(BadConverter::Option(bad)) => {
                findings.errors.push(settings.invalid(&format!("{name}.{}", bad.option), &bad.value, bad.expected));
            }
            Err(BadConverter::Regex { option, error }) => {
                let value = options.get(option).map_or("", String::as_str);
                findings.errors.push(settings.mismatch(&format!("{name}.{option}"), value, Mismatch::Regex(error)));
            }
        }
    }
    made.into()
}

/// A class that is not built in.
pub(super) fn java_class(settings: &Settings<'_>, property: String, stock: Vec<&'static str>) -> ConfigError {
    let class = match settings.values.get(&property) {
        Some(class) => settings.masking.show(&property, class.trim()),
        None => Shown::plain("no class"),
    };
    ConfigError::JavaClass { property, class, stock }
}

/// The class of each converter that is built in, as Debezium's manual names it.
fn stock() -> Vec<&'static str> {
    converter::SPECS.iter().filter_map(|spec| spec.aliases.first()).copied().collect()
}

/// What stands beneath a name, without it.
pub(super) fn beneath(settings: &Settings<'_>, name: &str) -> BTreeMap<String, String> {
    let beneath = settings.values.iter().filter_map(|(property, value)| {
        Some((property.strip_prefix(name)?.strip_prefix('.')?.to_owned(), value.clone()))
    });
    beneath.collect()
}

/// Warns of options that a class does not have.
pub(super) fn say_unknown(
    name: &str,
    known: &[ClassOption],
    options: &BTreeMap<String, String>,
    findings: &mut Findings,
) {
    let known = || ["type"].into_iter().chain(known.iter().map(|option| option.name));
    for option in options.keys().filter(|option| !known().any(|known| known == option.as_str())) {
        let text = match suggest::among(option, known()) {
            Some(meant) => format!("its class has no option of this name; did you mean {meant}?"),
            None => "its class has no option of this name, and it is ignored".to_owned(),
        };
        findings.warnings.push(Warning::new(WarningKind::Unknown, &format!("{name}.{option}"), text));
    }
}
