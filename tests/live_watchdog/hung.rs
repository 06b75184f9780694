//! An attempt that never comes back: the pipeline is given up, and then the process.

use std::sync::Arc;
use std::time::Duration;

use headwater::error::Failure;
use headwater::model::modes::EventProcessingFailureHandlingMode;
use headwater::observe::flow;
use headwater::observe::metrics::ConnectorMetrics;
use headwater::pipeline::error::PipelineError;
use headwater::pipeline::reader::ReaderOptions;
use headwater::pipeline::supervise::{Assembly, Parts, PipelineOptions, Stops, start};
use headwater::util::stop::Stop;
use headwater::watchdog::action::Bounds;
use headwater::watchdog::verdict::Deadlines;
use headwater::watchdog::{Recorder, WatchOptions, watch};

use super::support::eventually;

const SHORT: Duration = Duration::from_millis(500);
const LONG: Duration = Duration::from_secs(3600);

/// Waits for nobody's sign but this one: what hangs where no deadline reaches it.
struct Hangs(Stop);

impl Assembly for Hangs {
    fn assemble(&mut self, _: &Stops) -> Result<Parts, Failure> {
        self.0.wait(LONG);
        Err(PipelineError::Abandoned { batches: 1 }.into())
    }
}

#[test]
fn an_attempt_that_never_comes_back_ends_the_process() {
    let (over, metrics) = (Stop::new(), Arc::new(ConnectorMetrics::new()));
    let options = PipelineOptions {
        connector: "hangs".to_owned(),
        encode_threads: 1,
        budget_bytes: 1 << 20,
        flush_interval: LONG,
        shutdown_timeout: SHORT,
        restart_limit: SHORT,
        max_retries: None,
        failure_mode: EventProcessingFailureHandlingMode::Fail,
        head_interval: None,
        marker_interval: None,
        reader: ReaderOptions {
            heartbeat_interval: None,
            reconnect_first: SHORT,
            reconnect_limit: SHORT,
            reconnect_attempts: None,
            renew_after: None,
        },
    };
    let pipeline = start(Box::new(Hangs(over.clone())), options, metrics.clone()).unwrap();
    let deadlines = Deadlines {
        silence: LONG,
        source: LONG,
        pipeline: LONG,
        broker: LONG,
        commit: LONG,
        store: LONG,
        exit: Some(SHORT),
        attempt: Some(SHORT),
        canary: None,
    };
    let bounds = Bounds { restart_after: LONG, may_restart_for_broker: true };
    watch(&pipeline, WatchOptions { deadlines, bounds }, Recorder::none()).unwrap();
    eventually("the process is given up", Duration::from_secs(60), || flow::has_given_up().then_some(()));
    let incidents = metrics.flow.incidents();
    let incident = incidents.first().unwrap();
    assert_eq!((incidents.len(), incident.verdict.as_str(), incident.code.as_str()), (1, "hung", "HW0960"));
    assert_eq!(incident.actions.len(), 2, "given up, and then the process: {:?}", incident.actions);
    over.set();
}
