//! Metrics, what is masked, lineage.

use super::super::option::{ConfigOption, Group, Kind, option};

const NO_LINEAGE: &str = "OpenLineage events are not sent";

pub(super) const OPTIONS: &[ConfigOption] = &[
    row(
        "custom.metric.tags",
        Kind::Pairs,
        "Pairs that stand as labels on the connector's series, as in the names of its MBeans",
    ),
    row(
        "statistics.metrics.enabled",
        Kind::Bool,
        "Whether quantiles of the lag are kept too (MilliSecondsBehindSourceP50, P95, P99); its minimum, maximum and average are always there",
    )
    .or("true"),
    row("internal.advanced.metrics.enable", Kind::Bool, "Whether events are counted for each table")
        .or("false")
        .low()
        .no_effect("events are counted for the connector as a whole"),
    row("custom.sanitize.pattern", Kind::Regex, "Names of further properties whose values are never shown").low(),
    row("openlineage.integration.enabled", Kind::Bool, "Whether lineage is reported")
        .or("false")
        .low()
        .no_effect(NO_LINEAGE),
    row("openlineage.integration.config.file.path", Kind::Text, "File with the settings of the lineage client")
        .or("./openlineage.yml")
        .low()
        .no_effect(NO_LINEAGE),
    row("openlineage.integration.job.namespace", Kind::Text, "Namespace of the job").low().no_effect(NO_LINEAGE),
    row("openlineage.integration.job.description", Kind::Text, "Description of the job")
        .or("Debezium change data capture job")
        .low()
        .no_effect(NO_LINEAGE),
    row("openlineage.integration.job.tags", Kind::Pairs, "Tags of the job").low().no_effect(NO_LINEAGE),
    row("openlineage.integration.job.owners", Kind::Pairs, "Owners of the job").low().no_effect(NO_LINEAGE),
    row("openlineage.integration.dataset.kafka.bootstrap.servers", Kind::List, "Brokers that lineage names")
        .low()
        .no_effect(NO_LINEAGE),
    row("openlineage.integration.*", Kind::Text, "Further options of lineage").low().no_effect(NO_LINEAGE),
];

const fn row(name: &'static str, kind: Kind, about: &'static str) -> ConfigOption {
    option(name, kind, about).under(Group::Metrics)
}
