//! What the connectors count, as the beans that Debezium, Connect and Connect's producer publish.
//!
//! In: the worker. Out: beans with the names, the order of properties and the attributes of the originals. Promised: a value
//! says what its name says, or is not there; nothing waits for a connector.

mod connect;
mod debezium;

use super::windows::Windows;
use crate::observe::mbean::MBean;
use crate::worker::Handle;

/// The beans of the worker and of every connector.
pub(super) fn of(worker: &Handle, windows: &Windows) -> Vec<MBean> {
    let connectors = worker.connectors();
    let mut beans = connect::of_worker(worker, &connectors, windows);
    for connector in &connectors {
        beans.extend(debezium::of(connector));
        beans.extend(connect::of(connector, windows));
    }
    beans
}
