//! Kafka clients as Kafka Connect configures them.
//!
//! In: properties under the names that Kafka's Java clients give them, topics to create or to look at.
//! Out: librdkafka's configuration, and answers of the cluster. Promised: no property is ignored in silence,
//! every request has a deadline, no secret is printed. Nothing here survives a crash.
//!
//! ```text
//!  bootstrap.servers, producer.*, producer.override.* ──properties──▶ librdkafka's names ──▶ sink, store
//!                                  sasl.jaas.config ──sasl──┘  └──tls── truststores, keystores
//!                                                    admin ──▶ topics: create, describe
//!                                               membership ──▶ group: who of its members has the lead
//! ```

pub mod admin;
pub mod membership;
pub mod properties;
pub mod sasl;
pub mod tls;
pub mod trouble;
