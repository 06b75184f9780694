//! What the connectors count, as the beans that Debezium, Connect and Connect's producer publish.
//!
//! In: the worker. Out: beans with the names, the order of properties and the attributes of the originals. Promised: a value
//! says what its name says, or is not there; nothing waits for a connector.

mod connect;
mod debezium;

use std::sync::Arc;

use super::windows::Windows;
use crate::observe::mbean::MBean;
use crate::worker::{Connector, Handle};

/// The beans of the worker and of these connectors.
pub(super) fn of(worker: &Handle, connectors: &[Arc<Connector>], windows: &Windows) -> Vec<MBean> {
    let mut beans = connect::of_worker(worker, connectors, windows);
    for connector in connectors {
        beans.extend(debezium::of(connector));
        beans.extend(connect::of(connector, windows));
    }
    beans
}
