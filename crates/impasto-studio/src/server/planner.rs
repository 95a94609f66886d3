//! What jobs will take, before they are made.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use impasto_job::checkpoint::CheckpointPlan;
use impasto_job::events::Unwatched;
use impasto_job::job::Job;
use impasto_job::machine::Machine;
use impasto_job::resolve;
use impasto_job::runner::Runner;
use serde_json::Value;
use tokio::sync::Mutex;

use crate::error::Error;
use crate::server::compute::computed;
use crate::server::error::{ApiError, ApiResult};
use crate::store::Store;
use crate::workplace;

/// Plans that are remembered. A page asks for the same ones again.
const REMEMBERED: usize = 64;

/// Makes plans, one at a time.
pub struct Planner {
    machine: Machine,
    work: PathBuf,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Keeps the network between two plans.
    runner: Arc<std::sync::Mutex<Runner>>,
    known: HashMap<String, Value>,
}

impl Planner {
    /// A planner for runs on this machine. `work`: folder for files meanwhile.
    pub fn new(machine: Machine, work: PathBuf) -> Planner {
        Planner { machine, work, state: Mutex::default() }
    }

    /// What a job takes.
    ///
    /// Errors: the job cannot be made; the store or the disk.
    pub async fn plan(&self, store: &Store, job: Job) -> ApiResult<Value> {
        let mut state = self.state.lock().await;
        let key = job.to_json();
        if let Some(plan) = state.known.get(&key) {
            return Ok(plan.clone());
        }
        let folder = tempfile::Builder::new().prefix("plan-").tempdir_in(&self.work).map_err(ApiError::internal)?;
        let job = workplace::fetch(store, &job, folder.path()).await.map_err(|error| match error {
            // The sweep has removed it since the job was checked.
            Error::Text(words) => ApiError::conflict(words),
            error => error.into(),
        })?;
        let (machine, runner) = (self.machine.clone(), Arc::clone(&state.runner));
        let inside = format!("{}/", folder.path().display());
        let planned = computed(move || {
            let resolved = resolve::resolve_within(&job, machine.measure(), CheckpointPlan::none())?;
            let mut runner = runner.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            runner.plan(&resolved, &mut Unwatched)
        });
        let planned = planned.await?.map_err(|error| ApiError::from(error).without(&inside))?;
        let mut plan = serde_json::to_value(&planned).map_err(ApiError::internal)?;
        // The folder is gone when somebody reads this.
        plan["output"] = Value::Null;
        if state.known.len() >= REMEMBERED {
            state.known.clear();
        }
        state.known.insert(key, plan.clone());
        Ok(plan)
    }
}
