//! Builds and writes sales documents. They are built with the account's codes and the stored chart;
//! if the stored chart does not allow it, the chart is read from Xero again.

use domain::account_codes::AccountCodes;
use domain::chart::Chart;
use domain::failure::Failure;
use domain::ids::{XeroContactId, XeroId};
use domain::sync_log::LoggedOperation;
use domain::translate::Translated;
use domain::translate::lines::Context;

use super::{Addressed, Planned, Sales, Target, brought, is_taken};
use crate::chart;
use crate::desk::{Desk, Trouble};
use crate::entity::write::{Draft, Sent, write};
use crate::entity::{Entity, fail};

/// A document to write.
type SalesDraft<'a, T> = Draft<Addressed<'a, <T as Entity>::Snapshot>, <T as Sales>::Document>;

/// Documents to write.
type Drafts<'a, T> = Vec<SalesDraft<'a, T>>;

/// Tasks whose documents could not be built, and why.
type Refused<'a, T> = Vec<(Planned<'a, T>, Failure)>;

/// The codes and the chart with which documents are built.
pub(super) struct Bench<'a> {
    desk: &'a Desk<'a>,
    /// Maximum number of documents per call.
    batch: usize,
    codes: AccountCodes,
    chart: Chart,
}

impl<'a> Bench<'a> {
    /// Reads the codes and the chart.
    pub(super) async fn open(desk: &'a Desk<'a>, batch: usize) -> Result<Self, Trouble> {
        let codes = desk.engine.store.account_codes(&desk.ledger.account).await?;
        let chart = chart::known(desk).await?;
        Ok(Self { desk, batch, codes, chart })
    }

    /// Creates and updates documents. Returns the tasks whose documents Xero refused because their
    /// number is taken; the refusal is their outcome for now.
    pub(super) async fn write<'t, T: Sales>(
        &mut self,
        targets: Vec<Planned<'t, T>>,
    ) -> Vec<Addressed<'t, T::Snapshot>> {
        let (creates, updates) = self.drafts::<T>(targets).await;
        let (session, batch) = (&self.desk.session, self.batch);
        let mut sent = write(session, updates, &T::updating(batch)).await;
        sent.extend(write(session, creates, &T::creating(batch)).await);
        let mut clashing = Vec::new();
        for Sent { item, document: _, operation, remarks, result } in sent {
            let is_clash = operation == LoggedOperation::Create
                && result.as_ref().is_err_and(|error| is_taken(error));
            if is_clash {
                clashing.push(item);
            }
            let outcome = result.map(|remote| brought::<T>(item.task, &remote, operation, remarks));
            item.task.finish(outcome.map_err(Trouble::Xero));
        }
        clashing
    }

    /// Builds the documents to create and to update. A failure is final only if the chart as Xero
    /// has it now confirms it, because a person may just have added the account or the tax rate.
    async fn drafts<'t, T: Sales>(
        &mut self,
        targets: Vec<Planned<'t, T>>,
    ) -> (Drafts<'t, T>, Drafts<'t, T>) {
        let (mut drafts, mut refused) = self.translated::<T>(targets);
        let stale = self.chart.read_at < self.desk.engine.clock.now();
        if !refused.is_empty() && stale {
            match chart::current(self.desk).await {
                Ok(chart) => {
                    self.chart = chart;
                    let again = refused.into_iter().map(|(planned, _)| planned).collect();
                    let (more, still) = self.translated::<T>(again);
                    drafts.extend(more);
                    refused = still;
                }
                Err(trouble) => {
                    fail(refused.into_iter().map(|((one, _), _)| one.task), &trouble);
                    refused = Vec::new();
                }
            }
        }
        for ((one, _), failure) in refused {
            one.task.finish(Err(failure.into()));
        }
        drafts.into_iter().partition(|draft| draft.operation == LoggedOperation::Create)
    }

    fn translated<'t, T: Sales>(
        &self,
        targets: Vec<Planned<'t, T>>,
    ) -> (Drafts<'t, T>, Refused<'t, T>) {
        let (mut drafts, mut refused) = (Vec::new(), Vec::new());
        for (one, target) in targets {
            match self.draft::<T>(one, target.clone()) {
                Ok(draft) => drafts.push(draft),
                Err(failure) => refused.push(((one, target), failure)),
            }
        }
        (drafts, refused)
    }

    fn draft<'t, T: Sales>(
        &self,
        item: Addressed<'t, T::Snapshot>,
        target: Target,
    ) -> Result<SalesDraft<'t, T>, Failure> {
        let (task, mapping) = (item.task, item.task.mapping);
        Ok(match target {
            Target::New | Target::Renumbered => {
                let Translated { document, warnings: mut remarks } =
                    self.document::<T>(&task.snapshot, item.contact, None)?;
                let operation = LoggedOperation::Create;
                let document = if matches!(target, Target::Renumbered) {
                    let number = mapping.copy_number();
                    remarks.push(format!(
                        "Its number in Xero is {number}, because the voided document keeps the original number."
                    ));
                    T::numbered(document, number)
                } else {
                    document
                };
                Draft { item, document, operation, remarks }
            }
            Target::Existing { id, number, status, operation } => {
                let Translated { document, warnings: remarks } =
                    self.document::<T>(&task.snapshot, item.contact, Some(id))?;
                let document = T::giving(document, status);
                // A copy keeps the number that it was assigned.
                let document = match number.filter(|number| mapping.is_copy_number(number)) {
                    Some(copy) => T::numbered(document, copy),
                    None => document,
                };
                Draft { item, document, operation, remarks }
            }
        })
    }

    fn document<T: Sales>(
        &self,
        snapshot: &T::Snapshot,
        contact: XeroContactId,
        existing: Option<XeroId>,
    ) -> Result<Translated<T::Document>, Failure> {
        let crm_url = self.desk.engine.places.crm.as_str();
        let context = Context { contact, codes: &self.codes, chart: &self.chart, crm_url };
        T::translate(snapshot, existing.map(T::typed), context)
    }
}
