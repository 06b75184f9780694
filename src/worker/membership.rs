//! Which of the workers with one `group.id` runs the stored connectors.
//!
//! In: the group that Kafka's coordinator keeps. Out: the lead, taken or lost. Promised: one worker has it at a time; while
//! another has it, or may have it, nothing stored runs here and nothing stored is changed, and everybody who asks reads
//! why; who ends hands it over behind its last position; who is killed loses it after `session.timeout.ms`. The group is
//! that of Connect's workers, of another protocol: those see that they may not join, as we see them.
//!
//! Nobody can be stopped who does not run: a process that was frozen for longer and wakes has sent what it had in hand
//! before it notices. That comes twice, and nothing is lost: its positions are behind what it has delivered.
//!
//! ```text
//!  joining ──▶ standby ──(the other left)──▶ lead ──(session lost, frozen, Kafka away)──▶ joining
//! ```

use std::panic::AssertUnwindSafe;
use std::sync::PoisonError;
use std::time::{Duration, Instant};

use super::connector::{Connector, Ended};
use super::opening::{self, FIRST_WAIT, admin, say};
use super::{Handle, Phase, Worker, WorkerError};
use crate::error::{Disposition, Failure};
use crate::pipeline::thread;
use crate::util::backoff::Backoff;
use crate::util::clock;
use crate::util::kafka::admin::AdminError;
use crate::util::kafka::membership::{Joining, Membership};
use crate::util::kafka::properties::{self, Role};

/// How long the group is asked for news at a time.
const POLL: Duration = Duration::from_millis(100);

/// The longest wait before it is joined again.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// How often a standby looks who has the lead.
const LOOK_INTERVAL: Duration = Duration::from_secs(5);

/// How long somebody who waits for the lead sleeps at a time.
const WAIT: Duration = Duration::from_millis(200);

/// Whether the stored connectors may run here.
#[derive(Clone, Debug)]
pub(super) enum Lead {
    /// They may.
    Here,
    /// They may not; the reason.
    Elsewhere(WorkerError),
}

/// Joins the group on a thread of its own, where there is one.
pub(super) fn join(worker: &Handle) -> Result<(), Failure> {
    let Some(group) = worker.shared_group().map(str::to_owned) else {
        worker.has_left.set();
        return Ok(());
    };
    let reason = "it is joining".to_owned();
    let joining = WorkerError::OutOfGroup { group: group.clone(), reason, passes: true };
    *worker.lead.lock().unwrap_or_else(PoisonError::into_inner) = Lead::Elsewhere(joining.clone());
    say(worker, Phase::Reading(Some(joining.into())));
    let worker = worker.clone();
    let run = move || {
        let _left = Ended(worker.has_left.clone());
        while std::panic::catch_unwind(AssertUnwindSafe(|| stay(&worker, &group))).is_err() {
            // What was a member is gone, and the group gives the lead to another.
            let reason = "a fault in this program, which the log has; it is tried again".to_owned();
            worker.set_lead(Lead::Elsewhere(WorkerError::OutOfGroup { group: group.clone(), reason, passes: false }));
            if worker.stopping.wait(LONGEST_WAIT) {
                return;
            }
        }
    };
    thread::spawn("membership", run).map(drop)
}

/// A member until the worker ends.
fn stay(worker: &Handle, group: &str) {
    let mut backoff = Backoff::new(FIRST_WAIT, LONGEST_WAIT);
    let mut was_member = false;
    while !worker.stopping.is_set() {
        let error = match be_member(worker, group, &mut backoff, &mut was_member) {
            Ok(()) => return,
            // A right that was taken away does not end the others.
            Err(Refusal::NotAllowed(error)) if was_member => {
                WorkerError::OutOfGroup { group: group.to_owned(), reason: error.to_string(), passes: false }
            }
            Err(Refusal::NotAllowed(error)) => {
                // As Connect's own worker this one may be; where it may not, it runs as it did without a group.
                tracing::warn!(group, "whether another worker runs the stored connectors cannot be seen: {error}");
                return worker.set_lead(Lead::Here);
            }
            Err(Refusal::Failed(error)) => error,
        };
        if let (Phase::Reading(_), WorkerError::Failed(failure)) = (worker.phase(), &error)
            && failure.code.disposition != Disposition::Retry
        {
            return opening::fail(worker, failure.clone());
        }
        worker.set_lead(Lead::Elsewhere(error));
        worker.stopping.wait(backoff.next_delay());
    }
}

enum Refusal {
    /// This client has no right to the group.
    NotAllowed(AdminError),
    /// Everything else.
    Failed(WorkerError),
}

/// Joins, and takes and gives back the lead as the group says, until the worker has ended. `was_member`: set when the group
/// was seen.
fn be_member(worker: &Handle, group: &str, backoff: &mut Backoff, was_member: &mut bool) -> Result<(), Refusal> {
    let out = |reason: String| WorkerError::OutOfGroup { group: group.to_owned(), reason, passes: false };
    let failed = |error: AdminError| match error.may_not_join() {
        true => Refusal::NotAllowed(error),
        false => Refusal::Failed(out(error.to_string())),
    };
    opening::wait_for_nobody(worker, group).map_err(Refusal::Failed)?;
    opening::prepare(worker).map_err(|failure| Refusal::Failed(WorkerError::Failed(failure)))?;
    let clients = worker.config.client_properties();
    let clients = properties::translate(Role::Consumer, &properties::known(Role::Consumer, clients.as_map()));
    let clients = clients.map_err(|error| Refusal::Failed(out(error.to_string())))?;
    let joining = Joining {
        group: group.to_owned(),
        topic: worker.config.config_storage.topic.clone(),
        client_id: worker.url().to_owned(),
        session_timeout: worker.config.session_timeout,
        heartbeat_interval: worker.config.heartbeat_interval,
    };
    let membership = Membership::join(clients, &joining).map_err(failed)?;
    let mut looked: Option<Instant> = None;
    while !(worker.stopping.is_set() && worker.connectors_have_ended()) {
        let owns = membership.owns(POLL).map_err(failed).inspect_err(|refusal| {
            // Before the group is left, which may take a while.
            if let Refusal::Failed(error) = refusal {
                worker.set_lead(Lead::Elsewhere(error.clone()));
            }
        })?;
        if owns {
            *was_member = true;
            backoff.reset();
            worker.set_lead(Lead::Here);
        } else if worker.barred().is_none() {
            // Before anybody is asked who has it now.
            let reason = "its coordinator does not answer, or has not heard of this worker for session.timeout.ms";
            worker.set_lead(Lead::Elsewhere(out(reason.to_owned())));
        } else if looked.is_none_or(|looked| looked.elapsed() >= LOOK_INTERVAL) {
            let owner = admin(worker).and_then(|admin| admin.owner(group, &joining.topic).ok());
            looked = Some(clock::moment());
            if let Some(owner) = owner {
                *was_member |= owner.is_some();
                worker.set_lead(Lead::Elsewhere(without_lead(worker, group.to_owned(), owner)));
            }
        }
    }
    // While nobody else can have begun to say something.
    worker.last_words();
    Ok(())
}

/// Why a member has not the lead. `owner`: where the one listens that has it.
fn without_lead(worker: &Worker, group: String, owner: Option<String>) -> WorkerError {
    let (reason, passes) = match owner {
        // Nobody else listens there.
        Some(leader) if leader == worker.url() => {
            ("the group still waits for this worker's predecessor, for session.timeout.ms", true)
        }
        Some(leader) if leader.starts_with("http") => return WorkerError::Standby { group, leader },
        Some(_) => ("a member that is no worker of Headwater has the topic of configurations", false),
        None => ("its workers are being put in order", true),
    };
    WorkerError::OutOfGroup { group, reason: reason.to_owned(), passes }
}

impl Worker {
    /// Where other workers find this one. Asked first on the thread of the group: a name may have to be looked up.
    pub fn url(&self) -> &str {
        self.url.get_or_init(|| self.config.url(&self.host_name))
    }

    /// The group that this worker shares its topic of configurations with; `None` where it shares none.
    fn shared_group(&self) -> Option<&str> {
        let keeps = self.place.is_some() && self.in_topic();
        self.config.group_id.as_deref().filter(|_| keeps)
    }

    /// Why stored connectors may not run here; `None` where they may.
    pub(super) fn barred(&self) -> Option<WorkerError> {
        match &*self.lead.lock().unwrap_or_else(PoisonError::into_inner) {
            Lead::Here => None,
            Lead::Elsewhere(reason) => Some(reason.clone()),
        }
    }

    /// Whether another worker of the group runs the stored connectors; in words.
    pub fn standby(&self) -> Option<String> {
        let is_standby = |reason: &WorkerError| matches!(reason, WorkerError::Standby { .. });
        self.barred().filter(is_standby).map(|reason| reason.to_string())
    }

    /// Where the worker listens that runs the stored connectors, when it is another one: `http://host:port`.
    pub fn leader(&self) -> Option<String> {
        match self.barred() {
            Some(WorkerError::Standby { leader, .. }) => Some(leader),
            Some(_) | None => None,
        }
    }

    /// An error where a connector may not run here.
    pub(super) fn may_run(&self, connector: &Connector) -> Result<(), WorkerError> {
        self.barred().filter(|_| !connector.is_of_file()).map_or(Ok(()), Err)
    }

    /// Waits for the lead, or the end.
    pub(super) fn wait_for_lead(&self) {
        let mut lead = self.lead.lock().unwrap_or_else(PoisonError::into_inner);
        while matches!(*lead, Lead::Elsewhere(_)) && !self.stopping.is_set() {
            lead = self.lead_moved.wait_timeout(lead, WAIT).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Takes or gives back the lead: what is stored ends or is read again and begins.
    fn set_lead(self: &Handle, now: Lead) {
        let mut lead = self.lead.lock().unwrap_or_else(PoisonError::into_inner);
        let before = std::mem::replace(&mut *lead, now.clone());
        match (&before, &now) {
            (Lead::Here, Lead::Here) => return,
            (Lead::Elsewhere(before), Lead::Elsewhere(now)) if before.to_string() == now.to_string() => return,
            (
                Lead::Elsewhere(_),
                Lead::Elsewhere(reason @ (WorkerError::Standby { .. } | WorkerError::OutOfGroup { passes: true, .. })),
            ) => tracing::info!("{reason}"),
            (Lead::Elsewhere(_), Lead::Elsewhere(reason)) => {
                let failure = Failure::from(reason.clone());
                tracing::warn!(code = %failure.code, reason = %failure.message, hint = failure.code.hint, "the stored connectors cannot be run yet");
            }
            (Lead::Here, Lead::Elsewhere(reason)) => {
                tracing::warn!(code = %Failure::from(reason.clone()).code, %reason, "the stored connectors end here")
            }
            (Lead::Elsewhere(_), Lead::Here) => {
                tracing::info!(place = self.place, "this worker runs the stored connectors")
            }
        }
        drop(lead);
        self.lead_moved.notify_all();
        match now {
            Lead::Elsewhere(reason) => {
                // Under its lock: who reads the store may be through with it now, and says so once.
                let mut phase = self.phase.lock().unwrap_or_else(PoisonError::into_inner);
                if let Phase::Reading(_) = *phase {
                    *phase = Phase::Reading(Some(reason.into()));
                }
                drop(phase);
                self.obey_lead();
            }
            Lead::Here => {
                // Another may have changed what is stored.
                if let Phase::Ready = self.phase() {
                    opening::doubt(self);
                }
            }
        }
    }

    /// Lets the stored connectors run, or ends them, as the lead is now.
    pub(super) fn obey_lead(&self) {
        let lead = self.lead.lock().unwrap_or_else(PoisonError::into_inner);
        let barred = match &*lead {
            Lead::Here => None,
            Lead::Elsewhere(reason) => Some(Failure::from(reason.clone())),
        };
        for connector in self.connectors().iter().filter(|connector| !connector.is_of_file()) {
            connector.bar(barred.clone());
        }
    }
}
