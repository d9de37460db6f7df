//! Builds and writes sales documents. They are built with the account's codes and the stored chart,
//! items and tracking categories; if these do not allow it, they are read from Xero again.

use domain::account_codes::AccountCodes;
use domain::chart::Chart;
use domain::failure::Failure;
use domain::ids::{XeroContactId, XeroId};
use domain::line_values::{LineValueNeeds, LineValues};
use domain::list_age::may_reread;
use domain::sync_log::LoggedOperation;
use domain::sync_preferences::SyncPreferences;
use domain::translate::TranslatedDocument;
use domain::translate::lines::TranslationContext;
use xero::XeroError;

use super::lost_tracking::find_lost_tracking;
use super::{DocumentTarget, PlannedDocument, SalesEntity, TaskWithContact, synced_document};
use crate::connection::chart;
use crate::connection::line_values::{load_line_values, mark_tracking_stale, refresh_line_values};
use crate::connection::tenant_session::{AttemptError, TenantSession};
use crate::sync::write::{DocumentDraft, DraftResult, write_drafts};
use crate::sync::{SyncEntity, fail_tasks};

/// A document to write.
type SalesDraft<'a, T> =
    DocumentDraft<TaskWithContact<'a, <T as SyncEntity>::Snapshot>, <T as SalesEntity>::Document>;

/// Documents to write.
type Drafts<'a, T> = Vec<SalesDraft<'a, T>>;

/// Tasks whose documents could not be built, and why.
type UntranslatedTargets<'a, T> = Vec<(PlannedDocument<'a, T>, Failure)>;

/// Tasks whose documents Xero refused because their number is taken.
pub(super) struct NumberConflicts<'a, S> {
    /// Those that were to be created.
    pub(super) creates: Vec<TaskWithContact<'a, S>>,
    /// Those that were to be updated.
    pub(super) updates: Vec<TaskWithContact<'a, S>>,
}

/// The codes, the account's other choices and the chart with which documents are built.
pub(super) struct DocumentWriter<'a> {
    tenant_session: &'a TenantSession<'a>,
    /// Maximum number of documents per call.
    batch: usize,
    codes: AccountCodes,
    preferences: SyncPreferences,
    chart: Chart,
    line_values: LineValues,
}

impl<'a> DocumentWriter<'a> {
    /// Reads the chart, for an account whose settings were read.
    pub(super) async fn with_chart(
        tenant_session: &'a TenantSession<'a>,
        batch: usize,
        (codes, preferences): (AccountCodes, SyncPreferences),
    ) -> Result<Self, AttemptError> {
        let chart = chart::load_chart(tenant_session).await?;
        let line_values = LineValues::default();
        Ok(Self { tenant_session, batch, codes, preferences, chart, line_values })
    }

    /// Creates and updates documents. Returns the tasks whose documents Xero refused because their
    /// number is taken; the refusal is their outcome for now.
    pub(super) async fn write_documents<'t, T: SalesEntity>(
        &mut self,
        targets: Vec<PlannedDocument<'t, T>>,
    ) -> NumberConflicts<'t, T::Snapshot> {
        let targets = self.read_line_values::<T>(targets).await;
        let (creates, updates) = self.build_drafts::<T>(targets).await;
        let (session, batch) = (&self.tenant_session.api, self.batch);
        let mut sent = write_drafts(session, updates, &T::update_endpoint(batch)).await;
        sent.extend(write_drafts(session, creates, &T::create_endpoint(batch)).await);
        let mut conflicts = NumberConflicts { creates: Vec::new(), updates: Vec::new() };
        let mut has_lost_tracking = false;
        for DraftResult { item, document, operation, mut remarks, result } in sent {
            let is_taken = result.as_ref().is_err_and(|error| is_number_taken(error));
            if is_taken && operation == LoggedOperation::Create {
                conflicts.creates.push(item);
            } else if is_taken && operation == LoggedOperation::Update {
                conflicts.updates.push(item);
            }
            let lost =
                result.as_ref().ok().and_then(|remote| find_lost_tracking::<T>(&document, remote));
            has_lost_tracking |= lost.is_some();
            remarks.extend(lost);
            let outcome =
                result.map(|remote| synced_document::<T>(item.task, &remote, operation, remarks));
            item.task.set_outcome(outcome.map_err(AttemptError::Xero));
        }
        if has_lost_tracking {
            mark_tracking_stale(self.tenant_session).await;
        }
        conflicts
    }

    /// Reads the items and tracking categories that the documents' lines name. If one of the lists
    /// cannot be read, only the documents that need it fail. Returns the others.
    async fn read_line_values<'t, T: SalesEntity>(
        &mut self,
        targets: Vec<PlannedDocument<'t, T>>,
    ) -> Vec<PlannedDocument<'t, T>> {
        let default_tracking = self.codes.tracking.clone();
        let list_needs = |planned: &PlannedDocument<'t, T>| {
            let lines = T::sales_outline(&planned.0.task.snapshot).lines;
            LineValueNeeds::of_lines(lines, &default_tracking)
        };
        let needs = targets.iter().map(list_needs).fold(LineValueNeeds::default(), |all, one| {
            LineValueNeeds { items: all.items || one.items, tracking: all.tracking || one.tracking }
        });
        if needs.is_empty() {
            return targets;
        }
        let loaded = load_line_values(self.tenant_session, needs).await;
        let mut buildable = Vec::new();
        for planned in targets {
            match loaded.find_error(list_needs(&planned)) {
                Some(error) => fail_tasks([planned.0.task], error),
                None => buildable.push(planned),
            }
        }
        self.line_values = loaded.values;
        buildable
    }

    /// Builds the documents to create and to update. A failure is final only if the chart, the items
    /// and the tracking categories as Xero had them a short time ago confirm it, because a person
    /// may have added the account, the tax rate, the item or the option since they were read.
    async fn build_drafts<'t, T: SalesEntity>(
        &mut self,
        targets: Vec<PlannedDocument<'t, T>>,
    ) -> (Drafts<'t, T>, Drafts<'t, T>) {
        let (mut drafts, mut refused) = self.translate_targets::<T>(targets);
        if !refused.is_empty() {
            let (is_refreshed, failed) = self.refresh_facts().await;
            if is_refreshed {
                let again = refused.into_iter().map(|(planned, _)| planned).collect();
                let (more, still) = self.translate_targets::<T>(again);
                drafts.extend(more);
                refused = still;
            }
            if let Some(error) = failed {
                fail_tasks(refused.into_iter().map(|((one, _), _)| one.task), &error);
                refused = Vec::new();
            }
        }
        for ((one, _), failure) in refused {
            one.task.set_outcome(Err(failure.into()));
        }
        drafts.into_iter().partition(|draft| draft.operation == LoggedOperation::Create)
    }

    /// Reads the chart and the known items and tracking categories again if they may be read again
    /// now. What cannot be read stays as it was. Returns whether any was read, and the first error.
    async fn refresh_facts(&mut self) -> (bool, Option<AttemptError>) {
        let (now, trigger) = (self.tenant_session.engine.clock.now(), self.tenant_session.trigger);
        let (mut is_chart_new, mut failed) = (false, None);
        if may_reread(self.chart.read_at, now, trigger) {
            match chart::fetch_chart(self.tenant_session).await {
                Ok(chart) => {
                    self.chart = chart;
                    is_chart_new = true;
                }
                Err(error) => failed = Some(error),
            }
        }
        let (is_refreshed, lists_failed) =
            refresh_line_values(self.tenant_session, &mut self.line_values).await;
        (is_chart_new || is_refreshed, failed.or(lists_failed))
    }

    fn translate_targets<'t, T: SalesEntity>(
        &self,
        targets: Vec<PlannedDocument<'t, T>>,
    ) -> (Drafts<'t, T>, UntranslatedTargets<'t, T>) {
        let (mut drafts, mut refused) = (Vec::new(), Vec::new());
        for (one, target) in targets {
            match self.draft_document::<T>(one, target.clone()) {
                Ok(draft) => drafts.push(draft),
                Err(failure) => refused.push(((one, target), failure)),
            }
        }
        (drafts, refused)
    }

    fn draft_document<'t, T: SalesEntity>(
        &self,
        item: TaskWithContact<'t, T::Snapshot>,
        target: DocumentTarget,
    ) -> Result<SalesDraft<'t, T>, Failure> {
        let (task, mapping) = (item.task, item.task.mapping);
        Ok(match target {
            DocumentTarget::New | DocumentTarget::Renumbered => {
                let TranslatedDocument { document, warnings: mut remarks } =
                    self.translate_document::<T>(&task.snapshot, item.contact, None)?;
                let operation = LoggedOperation::Create;
                let document = T::with_preferences(document, self.preferences);
                let document = if matches!(target, DocumentTarget::Renumbered) {
                    let number = mapping.copy_number();
                    remarks.push(format!(
                        "Its number in Xero is {number}, because the voided document keeps the original number."
                    ));
                    T::with_number(document, number)
                } else {
                    document
                };
                DocumentDraft { item, document, operation, remarks }
            }
            DocumentTarget::Existing { id, number, status, operation } => {
                let TranslatedDocument { document, warnings: remarks } =
                    self.translate_document::<T>(&task.snapshot, item.contact, Some(id))?;
                let document = T::with_status(document, status);
                // A copy keeps the number that it was assigned.
                let document = match number.filter(|number| mapping.is_copy_number(number)) {
                    Some(copy) => T::with_number(document, copy),
                    None => document,
                };
                DocumentDraft { item, document, operation, remarks }
            }
            DocumentTarget::Renamed { id, number } => {
                let TranslatedDocument { document, warnings: remarks } =
                    self.translate_document::<T>(&task.snapshot, item.contact, Some(id))?;
                let document = match number {
                    Some(number) => T::with_number(document, number),
                    None => document,
                };
                DocumentDraft { item, document, operation: LoggedOperation::Update, remarks }
            }
        })
    }

    fn translate_document<T: SalesEntity>(
        &self,
        snapshot: &T::Snapshot,
        contact: XeroContactId,
        existing: Option<XeroId>,
    ) -> Result<TranslatedDocument<T::Document>, Failure> {
        let crm_url = self.tenant_session.engine.endpoints.crm.as_str();
        let context = TranslationContext {
            contact,
            codes: &self.codes,
            chart: &self.chart,
            line_values: &self.line_values,
            crm_url,
        };
        T::translate_snapshot(snapshot, existing.map(T::typed_id), context)
    }
}

fn is_number_taken(error: &XeroError) -> bool {
    matches!(error, XeroError::NotUnique { .. })
}
