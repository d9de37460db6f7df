//! The set-up in responses.

use engine::commands::setup::{SetupState, SetupStep};
use serde::Serialize;
use utoipa::ToSchema;

use super::words::{SetupStateWord, SetupTaskWord};

/// The tasks of the set-up.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SetupView {
    /// Whether nothing is left to do.
    pub(crate) is_complete: bool,
    /// The tasks, in their usual order.
    pub(crate) tasks: Vec<SetupTaskView>,
}

/// A task of the set-up.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SetupTaskView {
    /// The task.
    pub(crate) task: SetupTaskWord,
    /// Its state.
    pub(crate) state: SetupStateWord,
    /// The number of decisions that are left: codes that cannot be used, rates without a tax type,
    /// or clients with several candidates when they were last compared.
    pub(crate) open: u64,
}

impl SetupView {
    /// The set-up with these steps.
    pub(crate) fn of_steps(steps: Vec<SetupStep>) -> Self {
        Self {
            is_complete: steps.iter().all(|step| step.state == SetupState::Done),
            tasks: steps.into_iter().map(SetupTaskView::from).collect(),
        }
    }
}

impl From<SetupStep> for SetupTaskView {
    fn from(step: SetupStep) -> Self {
        Self { task: step.task.into(), state: step.state.into(), open: step.open }
    }
}
