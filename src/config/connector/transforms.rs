//! `transforms` and `predicates`: the names a connector declares, and what stands beneath them.
//!
//! In: resolved properties. Out: a checked [`Setup`], findings for what cannot be used, and a warning for each option
//! that its class does not have, which Connect would pass over.

use super::Findings;
use crate::config::error::{ConfigError, Warning, WarningKind};
use crate::config::secret::Shown;
use crate::config::settings::Settings;
use crate::config::suggest;
use crate::error::Coded;
use crate::transform::{self, Setup, TransformError, predicate};
use crate::util::class_options::{BadOption, ClassOption};

/// What Connect itself reads of each transform, beside its own options.
const OF_TRANSFORMS: &[&str] = &["type", "predicate", "negate", "plugin.version"];

/// What Connect itself reads of each predicate.
const OF_PREDICATES: &[&str] = &["type", "plugin.version"];

/// The transforms, checked.
pub(super) fn transforms(settings: &Settings<'_>, errors: &mut Vec<ConfigError>) -> Setup {
    Setup::of(settings.values).unwrap_or_else(|found| {
        errors.extend(found.into_iter().map(|error| finding(settings, "transforms", "", error)));
        Setup::default()
    })
}

fn finding(settings: &Settings<'_>, place: &'static str, name: &str, error: TransformError) -> ConfigError {
    let property = if name.is_empty() { place.to_owned() } else { format!("{place}.{name}") };
    let code = error.code();
    match error {
        TransformError::In { name, source } => finding(settings, "transforms", &name, *source),
        TransformError::Predicate { name, source } => finding(settings, "predicates", &name, *source),
        TransformError::UnknownClass { class, .. } => unknown_class(settings, place, name, &class),
        TransformError::BadOption(BadOption { option, value, expected }) => {
            settings.invalid(&format!("{property}.{option}"), &value, expected)
        }
        error @ (TransformError::UnknownPredicate { .. }
        | TransformError::Options { .. }
        | TransformError::Language { .. }
        | TransformError::Expression { .. }
        | TransformError::Record { .. }
        | TransformError::Fatal { .. }
        | TransformError::Value(_)) => ConfigError::TransformOptions { property, reason: error.to_string(), code },
    }
}

fn unknown_class(settings: &Settings<'_>, place: &'static str, name: &str, class: &str) -> ConfigError {
    let stock: Vec<&'static str> = match place {
        "predicates" => predicate::SPECS.iter().flat_map(|spec| spec.aliases).copied().collect(),
        _ => transform::SPECS.iter().flat_map(|spec| spec.aliases).copied().collect(),
    };
    let shown = match class {
        "" => Shown::plain("no class"),
        class => settings.masking.show(&format!("{place}.{name}.type"), class),
    };
    let simple = |class: &'static str| class.rsplit('.').next().unwrap_or(class);
    let meant = suggest::among(class, stock.iter().copied())
        .or_else(|| suggest::among(class, stock.iter().map(|class| simple(class))));
    ConfigError::Transform { place, name: name.to_owned(), class: shown, meant, stock }
}

/// Warns of options that no class takes, and of names that nobody declares.
pub(super) fn say_unknown(settings: &Settings<'_>, findings: &mut Findings) {
    let transforms = |class: &str| Some((OF_TRANSFORMS, transform::find(class)?.0.options));
    let predicates = |class: &str| Some((OF_PREDICATES, predicate::find(class)?.options));
    say_unknown_of(settings, "transforms", &transforms, findings);
    say_unknown_of(settings, "predicates", &predicates, findings);
}

/// The options that Connect reads of every one, and those of a class.
type OptionsOf<'f> = &'f dyn Fn(&str) -> Option<(&'static [&'static str], &'static [&'static [ClassOption]])>;

fn say_unknown_of(settings: &Settings<'_>, place: &str, options_of: OptionsOf<'_>, findings: &mut Findings) {
    let declared = settings.list(place);
    for property in settings.values.keys() {
        let Some(rest) = property.strip_prefix(place).and_then(|rest| rest.strip_prefix('.')) else { continue };
        let owner =
            declared.iter().filter_map(|name| Some((name, rest.strip_prefix(name.as_str())?.strip_prefix('.')?)));
        let Some((name, option)) = owner.max_by_key(|(name, _)| name.len()) else {
            let name = rest.split('.').next().unwrap_or(rest);
            let text = format!("is ignored, because {place} does not name {name}");
            findings.warnings.push(Warning::new(WarningKind::Unknown, property, text));
            continue;
        };
        let class = settings.values.get(&format!("{place}.{name}.type")).map_or("", |class| class.trim());
        let Some((connects, own)) = options_of(class) else { continue };
        let names = || connects.iter().copied().chain(own.iter().copied().flatten().map(|option| option.name));
        let known = |known: &str| match known.strip_suffix('*') {
            Some(stem) => option.starts_with(stem),
            None => known == option,
        };
        if !names().any(known) {
            let text = match suggest::among(option, names()) {
                Some(meant) => format!("its class has no option of this name; did you mean {meant}?"),
                None => "its class has no option of this name, and it is ignored".to_owned(),
            };
            findings.warnings.push(Warning::new(WarningKind::Unknown, property, text));
        }
    }
}
