//! Why brokers are not reached.
//!
//! In: a client's properties. Out: librdkafka's words about the connections that it tried. An answer that does not come
//! says only that none came; whether it was the login, the certificate or the network, only the client's error callback
//! says. Promised: it takes no longer than the time given.

use std::sync::Mutex;
use std::time::Duration;

use rdkafka::client::ClientContext;
use rdkafka::config::{FromClientConfigAndContext, RDKafkaLogLevel};
use rdkafka::error::KafkaError;
use rdkafka::producer::{BaseProducer, NoCustomPartitioner, Producer, ProducerContext};
use rdkafka::types::RDKafkaErrorCode;

use super::properties::ClientProperties;
use crate::util::clock;

/// Remembers the first error that says more than that no broker is there.
#[derive(Default)]
struct Words(Mutex<Option<String>>);

impl ClientContext for Words {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, text: &str) {
        tracing::debug!(?level, facility, "looking for brokers: {text}");
    }

    fn error(&self, error: KafkaError, reason: &str) {
        if error.rdkafka_error_code() != Some(RDKafkaErrorCode::AllBrokersDown)
            && let Ok(mut words) = self.0.lock()
        {
            words.get_or_insert_with(|| reason.to_owned());
        }
    }
}

impl ProducerContext<NoCustomPartitioner> for Words {
    type DeliveryOpaque = ();

    fn delivery(&self, _: &rdkafka::message::DeliveryResult<'_>, _: ()) {}
}

/// How long one look into the client's queue lasts.
const POLL: Duration = Duration::from_millis(50);

/// Tries to connect, and gives the first failure's words; `None` when there was none within the time.
pub fn why_unreachable(properties: &ClientProperties, within: Duration) -> Option<String> {
    let producer =
        BaseProducer::<Words>::from_config_and_context(&properties.client_config(), Words::default()).ok()?;
    let deadline = clock::moment() + within;
    // Asking makes the client connect.
    let _ = producer.client().fetch_metadata(None, POLL);
    while clock::left_until(deadline).is_some() {
        producer.poll(POLL);
        if let Some(words) = producer.context().0.lock().ok().and_then(|words| words.clone()) {
            return Some(words);
        }
    }
    None
}
