//! Builds and writes sales documents. They are built with the account's codes and the stored chart;
//! if the stored chart does not allow it, the chart is read from Xero again.

use domain::account_codes::AccountCodes;
use domain::chart::Chart;
use domain::failure::Failure;
use domain::ids::{XeroContactId, XeroId};
use domain::sync_log::LoggedOperation;
use domain::translate::Translated;
use domain::translate::lines::Context;

use super::{Contacts, Sales, Target, Tasks, brought, is_taken};
use crate::chart;
use crate::desk::{Desk, Trouble};
use crate::entity::write::{Draft, Sent, write};
use crate::entity::{Outcomes, batch_size};

/// The tasks, contacts, codes and chart from which documents are built.
pub(super) struct Bench<'a, T: Sales> {
    pub(super) desk: &'a Desk<'a>,
    pub(super) tasks: &'a Tasks<'a, T>,
    pub(super) contacts: Contacts,
    codes: AccountCodes,
    chart: Chart,
}

impl<'a, T: Sales> Bench<'a, T> {
    /// Reads the codes and the chart.
    pub(super) async fn open(
        desk: &'a Desk<'a>,
        tasks: &'a Tasks<'a, T>,
        contacts: Contacts,
    ) -> Result<Self, Trouble> {
        let codes = desk.engine.store.account_codes(&desk.ledger.account).await?;
        let chart = chart::known(desk).await?;
        Ok(Self { desk, tasks, contacts, codes, chart })
    }

    /// Creates and updates documents. Returns those that Xero refused because their number is
    /// taken.
    pub(super) async fn write(
        &mut self,
        targets: Vec<(usize, Target)>,
        outcomes: &mut Outcomes,
    ) -> Vec<Sent<T::Remote>> {
        let (creates, updates) = self.drafts(targets, outcomes).await;
        let (session, batch) = (&self.desk.session, batch_size(self.tasks));
        let mut sent = write(session, self.tasks, updates, &T::updating(batch)).await;
        sent.extend(write(session, self.tasks, creates, &T::creating(batch)).await);
        let (clashing, told): (Vec<_>, Vec<_>) = sent.into_iter().partition(|sent| {
            sent.operation == LoggedOperation::Create
                && sent.result.as_ref().is_err_and(|error| is_taken(error))
        });
        for Sent { task: index, operation, remarks, result } in told {
            let Some(task) = self.tasks.get(index) else { continue };
            let outcome = result.map(|remote| brought::<T>(task, &remote, operation, remarks));
            outcomes.set(index, outcome.map_err(Trouble::Xero));
        }
        clashing
    }

    /// Builds the documents to create and to update. A failure is final only if the chart as Xero
    /// has it now confirms it, because a person may just have added the account or the tax rate.
    async fn drafts(
        &mut self,
        targets: Vec<(usize, Target)>,
        outcomes: &mut Outcomes,
    ) -> (Vec<Draft<T::Document>>, Vec<Draft<T::Document>>) {
        let (mut drafts, mut refused) = self.translated(targets);
        let stale = self.chart.read_at < self.desk.engine.clock.now();
        if !refused.is_empty() && stale {
            match chart::current(self.desk).await {
                Ok(chart) => {
                    self.chart = chart;
                    let again = refused.into_iter().map(|(task, target, _)| (task, target));
                    let (more, still) = self.translated(again.collect());
                    drafts.extend(more);
                    refused = still;
                }
                Err(trouble) => {
                    outcomes.fail(refused.into_iter().map(|(task, ..)| task), &trouble);
                    refused = Vec::new();
                }
            }
        }
        for (task, _, failure) in refused {
            outcomes.set(task, Err(failure.into()));
        }
        drafts.into_iter().partition(|draft| draft.operation == LoggedOperation::Create)
    }

    #[expect(clippy::type_complexity, reason = "what worked, and what did not with its reason")]
    fn translated(
        &self,
        targets: Vec<(usize, Target)>,
    ) -> (Vec<Draft<T::Document>>, Vec<(usize, Target, Failure)>) {
        let (mut drafts, mut refused) = (Vec::new(), Vec::new());
        for (task, target) in targets {
            let (Some(snapshot), Some(contact)) = (self.snapshot(task), self.contacts.get(&task))
            else {
                continue;
            };
            match self.draft(task, snapshot, *contact, &target) {
                Ok(draft) => drafts.push(draft),
                Err(failure) => refused.push((task, target, failure)),
            }
        }
        (drafts, refused)
    }

    fn draft(
        &self,
        task: usize,
        snapshot: &T::Snapshot,
        contact: XeroContactId,
        target: &Target,
    ) -> Result<Draft<T::Document>, Failure> {
        Ok(match target {
            Target::New | Target::Renumbered => {
                let Translated { document, mut warnings } =
                    self.document(snapshot, contact, None)?;
                let operation = LoggedOperation::Create;
                let copy = self.copy_number(task);
                let document = match (target, copy) {
                    (Target::Renumbered, Some(number)) => {
                        warnings.push(format!(
                            "Its number in Xero is {number}, because the voided document keeps the original number."
                        ));
                        T::numbered(document, number)
                    }
                    (Target::Renumbered, None)
                    | (Target::New | Target::Existing { .. }, Some(_) | None) => document,
                };
                Draft { task, document, operation, remarks: warnings }
            }
            Target::Existing { id, number, status, operation } => {
                let Translated { document, warnings } =
                    self.document(snapshot, contact, Some(*id))?;
                // A copy keeps the number that it was assigned.
                let mapping = self.tasks.get(task).map(|one| &one.mapping);
                let is_copy =
                    |number: &&String| mapping.is_some_and(|one| one.is_copy_number(number));
                let copy = number.as_ref().filter(is_copy).cloned();
                let document = T::giving(document, *status);
                let document = match copy {
                    Some(copy) => T::numbered(document, copy),
                    None => document,
                };
                let operation = *operation;
                Draft { task, document, operation, remarks: warnings }
            }
        })
    }

    fn document(
        &self,
        snapshot: &T::Snapshot,
        contact: XeroContactId,
        existing: Option<XeroId>,
    ) -> Result<Translated<T::Document>, Failure> {
        let crm_url = self.desk.engine.places.crm.as_str();
        let context = Context { contact, codes: &self.codes, chart: &self.chart, crm_url };
        T::translate(snapshot, existing.map(T::typed), context)
    }

    fn copy_number(&self, task: usize) -> Option<String> {
        self.tasks.get(task).map(|task| task.mapping.copy_number())
    }

    fn snapshot(&self, task: usize) -> Option<&'a T::Snapshot> {
        self.tasks.get(task).map(|task| &task.snapshot)
    }
}
