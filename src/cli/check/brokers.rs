//! What the brokers and the schema registry say.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::{Outcome, Report, listed};
use crate::config::connector::ConnectorConfig;
use crate::config::worker::ConverterSetting;
use crate::error::Failure;
use crate::model::table::TableId;
use crate::pipeline::translate;
use crate::serialize::{self, Role, registry};
use crate::sink::kafka::check::{Finding, FindingState, check_broker};

/// Topics that are asked about: for each, the cluster lists all it has.
const MOST_TOPICS: usize = 25;

/// How long a registry that does not answer is tried.
const REGISTRY_DEADLINE_MS: &str = "5000";

/// Asks the brokers about themselves and about the topics that will be written. `false` when nobody answers.
pub(in crate::cli) fn check(config: &ConnectorConfig, tables: &[TableId], report: &mut Report) -> bool {
    let options = match translate::sink_options(config, "check") {
        Ok(options) => options,
        Err(failure) => {
            report.failure("producer", &failure);
            return false;
        }
    };
    let names = translate::envelope_options(config).topics;
    let mut topics: Vec<String> = tables.iter().take(MOST_TOPICS).map(|id| names.table(id)).collect();
    if config.events.schema_changes {
        topics.push(names.prefix.to_string());
    }
    if config.heartbeat.interval.is_some() {
        topics.push(names.heartbeat.to_string());
    }
    if config.events.transaction_metadata {
        topics.push(names.transaction.to_string());
    }
    let findings = check_broker(&options, &topics);
    let reached =
        !findings.iter().any(|finding| finding.state == FindingState::Bad && !finding.subject.starts_with("topic "));
    for (outcome, name, text) in grouped(&findings) {
        report.add(outcome, &name, &text);
    }
    if tables.len() > MOST_TOPICS {
        report.good(
            "topics",
            &format!("the topics of the first {MOST_TOPICS} of {} tables were looked at", tables.len()),
        );
    }
    reached
}

/// Topics of which the same is to be said share a line.
fn grouped(findings: &[Finding]) -> Vec<(Outcome, String, String)> {
    let outcome = |state: FindingState| match state {
        FindingState::Good => Outcome::Good,
        FindingState::Warning => Outcome::Warning,
        FindingState::Bad => Outcome::Bad,
    };
    let mut lines: Vec<(Outcome, Vec<&str>, String)> = Vec::new();
    for finding in findings {
        let outcome = outcome(finding.state);
        let topic = finding.subject.strip_prefix("topic ");
        let same = lines.iter_mut().find(|(other, topics, text)| {
            topic.is_some()
                && *other == outcome
                && *text == finding.text
                && topics.first().is_some_and(|first| !first.starts_with("broker"))
        });
        match (same, topic) {
            (Some((_, topics, _)), Some(topic)) => topics.push(topic),
            (_, topic) => lines.push((outcome, vec![topic.unwrap_or(&finding.subject)], finding.text.clone())),
        }
    }
    let is_topic = |name: &str| findings.iter().any(|finding| finding.subject.strip_prefix("topic ") == Some(name));
    let named = |names: &[&str]| match names {
        [one] if !is_topic(one) => (*one).to_owned(),
        [one] => format!("topic {one}"),
        many => format!("topics {}", listed(many)),
    };
    lines.into_iter().map(|(outcome, names, text)| (outcome, named(&names), text)).collect()
}

/// Builds the converters, and asks the registries of those that have one.
pub(in crate::cli) fn check_converters(config: &ConnectorConfig, report: &mut Report) {
    let never = Arc::new(AtomicBool::new(false));
    let mut asked = BTreeMap::new();
    let mut built = Vec::new();
    let converters = [
        ("key.converter", &config.key_converter, Role::Key),
        ("value.converter", &config.value_converter, Role::Value),
        ("header.converter", &config.header_converter, Role::Header),
    ];
    for (name, setting, role) in converters {
        match serialize::build(setting.options.as_map(), &setting.class, role, &never) {
            Err(error) => report.failure(name, &Failure::from(error)),
            Ok(converter) => {
                built.push(converter);
                let options = registry_options(setting);
                if let Some(urls) = options.get("schema.registry.url").cloned() {
                    asked.entry(urls).or_insert(options);
                }
            }
        }
    }
    let header = &config.header_converter;
    let built: Vec<_> = built.iter().collect();
    if let Err(error) = serialize::check_header_converter(&built, &header.class, header.options.as_map()) {
        report.failure("header.converter", &Failure::from(error));
    }
    for (urls, mut options) in asked {
        options.insert("registry.deadline.ms".to_owned(), REGISTRY_DEADLINE_MS.to_owned());
        match registry::check(&options, &never) {
            Ok(()) => report.good("schema registry", &format!("{} answers", without_credentials(&urls))),
            Err(error) => report.failure("schema registry", &Failure::from(error)),
        }
    }
}

/// The options of the registry's client, where a converter has one.
fn registry_options(setting: &ConverterSetting) -> BTreeMap<String, String> {
    let options = setting.options.as_map();
    match serialize::find(setting.class.trim()).map(|spec| spec.name) {
        Some("avro") => options.clone(),
        Some("cloudevents") => {
            let own = |(name, value): (&String, &String)| Some((name.strip_prefix("avro.")?.to_owned(), value.clone()));
            options.iter().filter_map(own).collect()
        }
        _ => BTreeMap::new(),
    }
}

/// URLs without the user and password that may stand in them.
fn without_credentials(urls: &str) -> String {
    let strip = |url: &str| match url.trim().split_once("://") {
        Some((scheme, rest)) => {
            let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
            let host = host.rsplit('@').next().unwrap_or_default();
            let slash = if path.is_empty() { "" } else { "/" };
            format!("{scheme}://{host}{slash}{path}")
        }
        None => url.trim().rsplit('@').next().unwrap_or_default().to_owned(),
    };
    urls.split(',').map(strip).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(urls: &str, expected: &str) {
        assert_eq!(without_credentials(urls), expected);
    }

    #[test]
    fn credentials_in_urls_are_not_shown() {
        check("http://a:8081", "http://a:8081");
        check("https://user:p@ss@a:8081/x/y, http://b", "https://a:8081/x/y,http://b");
        check("user:secret@a", "a");
    }

    #[test]
    fn topics_of_which_the_same_is_said_share_a_line() {
        let finding =
            |subject: &str, state, text: &str| Finding { subject: subject.to_owned(), state, text: text.to_owned() };
        let lines = grouped(&[
            finding("brokers a:9092", FindingState::Good, "1 brokers"),
            finding("topic a", FindingState::Good, "exists"),
            finding("topic b", FindingState::Warning, "missing"),
            finding("topic c", FindingState::Good, "exists"),
        ]);
        assert_eq!(
            lines,
            [
                (Outcome::Good, "brokers a:9092".to_owned(), "1 brokers".to_owned()),
                (Outcome::Good, "topics a, c".to_owned(), "exists".to_owned()),
                (Outcome::Warning, "topic b".to_owned(), "missing".to_owned()),
            ]
        );
    }
}
