//! The document that would be sent for a record: the translation of its newest snapshot under the
//! settings in use. Nothing is read from Xero, and nothing is written.

mod contact;
mod payment;

use domain::account_codes::AccountCodes;
use domain::chart::Chart;
use domain::crm::lines::DocumentLine;
use domain::document::credit_note::CreditNoteDocument;
use domain::document::invoice::InvoiceDocument;
use domain::document::sales::{LineAmountTypes, LineItem};
use domain::entity::EntityKind;
use domain::failure::{Failure, FailureClass};
use domain::ids::{AccountId, ClientId, CrmId, Ledger, TenantId, XeroContactId};
use domain::line_values::{LineValueNeeds, LineValues};
use domain::mapping::MappingKey;
use domain::money::Currency;
use domain::translate::TranslatedDocument;
use domain::translate::credit_note::translate_credit_note;
use domain::translate::invoice::translate_invoice;
use domain::translate::lines::TranslationContext;
use jiff::civil::Date;
use store::StoreError;
use uuid::Uuid;

use crate::Engine;
use crate::commands::links::find_stored_chart;
use crate::commands::records::find_named_mapping;
use crate::connection::connection_failures::not_connected_failure;
use crate::connection::ledgers::find_records_ledger;
use crate::connection::line_values::find_line_values;
use crate::sync::push::parse_snapshot;

pub use self::contact::{ClientPreviewOutcome, preview_client};
pub use self::payment::{PartAccounts, PartPreview, preview_payment};

/// A kind of record that has a preview.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PreviewKind {
    /// An invoice.
    Invoice,
    /// A credit note.
    CreditNote,
}

/// The document that would be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preview {
    /// The client.
    pub client_id: ClientId,
    /// The contact of the client; `None` if the document would create one.
    pub contact_id: Option<XeroContactId>,
    /// The number.
    pub number: String,
    /// The date.
    pub date: Date,
    /// When payment is due, for an invoice.
    pub due_date: Option<Date>,
    /// The reference that the customer sees.
    pub reference: Option<String>,
    /// The currency of the amounts.
    pub currency: Currency,
    /// Whether the amounts of the lines contain tax.
    pub is_tax_included: bool,
    /// The lines.
    pub lines: Vec<LineItem>,
    /// Sentences about what Xero would reject and is therefore left out.
    pub warnings: Vec<String>,
}

/// The result of a preview.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PreviewOutcome {
    /// The document that would be sent.
    Document(Box<Preview>),
    /// The reason why none can be sent.
    Refused(Failure),
    /// The record is unknown.
    Unknown,
}

/// Translates the newest snapshot of an invoice or a credit note. An invoice with a negative total is
/// the credit note that it is in Xero.
pub async fn preview_document(
    engine: &Engine,
    account: &AccountId,
    kind: PreviewKind,
    crm_id: CrmId,
) -> Result<PreviewOutcome, StoreError> {
    let ledger = find_records_ledger(engine, account).await?;
    let entity = match kind {
        PreviewKind::Invoice => EntityKind::Invoice,
        PreviewKind::CreditNote => EntityKind::CreditNote,
    };
    let key = MappingKey::new(ledger.clone(), entity, crm_id);
    let Some(mapping) = find_named_mapping(engine, &key).await? else {
        return Ok(PreviewOutcome::Unknown);
    };
    let Some(chart) = find_stored_chart(engine, &ledger).await? else {
        return Ok(PreviewOutcome::Refused(chart_unknown_failure(&ledger)));
    };
    let snapshot = &mapping.snapshot.json;
    let made = if mapping.key.kind == EntityKind::CreditNote {
        preview_credit_note(engine, &ledger, &chart, snapshot).await?
    } else {
        preview_invoice(engine, &ledger, &chart, snapshot).await?
    };
    Ok(match made {
        Ok(preview) => PreviewOutcome::Document(Box::new(preview)),
        Err(failure) => PreviewOutcome::Refused(failure),
    })
}

/// What a translation needs besides the document and the chart.
#[derive(Debug)]
struct PreviewSettings {
    contact_id: Option<XeroContactId>,
    codes: AccountCodes,
    line_values: LineValues,
}

impl PreviewSettings {
    fn build_context<'a>(&'a self, engine: &'a Engine, chart: &'a Chart) -> TranslationContext<'a> {
        TranslationContext {
            contact: self.contact_id.unwrap_or(NO_CONTACT),
            codes: &self.codes,
            chart,
            line_values: &self.line_values,
            crm_url: engine.endpoints.crm.as_str(),
        }
    }
}

async fn read_settings(
    engine: &Engine,
    ledger: &Ledger,
    client: &ClientId,
    lines: &[DocumentLine],
) -> Result<PreviewSettings, StoreError> {
    let contact_id = find_contact(engine, ledger, client).await?;
    let codes = engine.store.read_account_codes(&ledger.account).await?;
    let needs = LineValueNeeds::of_lines(lines, &codes.tracking);
    let line_values = find_line_values(engine, ledger, needs).await?;
    Ok(PreviewSettings { contact_id, codes, line_values })
}

async fn preview_invoice(
    engine: &Engine,
    ledger: &Ledger,
    chart: &Chart,
    snapshot: &str,
) -> Result<Result<Preview, Failure>, StoreError> {
    let invoice = match parse_snapshot::<domain::crm::invoice::Invoice>(snapshot) {
        Ok(invoice) => invoice,
        Err(failure) => return Ok(Err(failure)),
    };
    let settings = read_settings(engine, ledger, &invoice.client_id, &invoice.lines).await?;
    let context = settings.build_context(engine, chart);
    let contact_id = settings.contact_id;
    let client_id = invoice.client_id.clone();
    Ok(translate_invoice(&invoice, None, context).map(|translated| {
        let TranslatedDocument { document, warnings } = translated;
        let InvoiceDocument { date, due_date, invoice_number, reference, .. } = document;
        Preview {
            client_id,
            contact_id,
            number: invoice_number,
            date,
            due_date: Some(due_date),
            reference,
            currency: document.currency_code,
            is_tax_included: document.line_amount_types == LineAmountTypes::Inclusive,
            lines: document.line_items,
            warnings,
        }
    }))
}

async fn preview_credit_note(
    engine: &Engine,
    ledger: &Ledger,
    chart: &Chart,
    snapshot: &str,
) -> Result<Result<Preview, Failure>, StoreError> {
    let note = match parse_snapshot::<domain::crm::credit_note::CreditNote>(snapshot) {
        Ok(note) => note,
        Err(failure) => return Ok(Err(failure)),
    };
    let settings = read_settings(engine, ledger, &note.client_id, &note.lines).await?;
    let context = settings.build_context(engine, chart);
    let contact_id = settings.contact_id;
    let client_id = note.client_id.clone();
    Ok(translate_credit_note(&note, None, context).map(|translated| {
        let TranslatedDocument { document, warnings } = translated;
        let CreditNoteDocument { date, credit_note_number, reference, .. } = document;
        Preview {
            client_id,
            contact_id,
            number: credit_note_number,
            date,
            due_date: None,
            reference: Some(reference),
            currency: document.currency_code,
            is_tax_included: document.line_amount_types == LineAmountTypes::Inclusive,
            lines: document.line_items,
            warnings,
        }
    }))
}

/// Takes the place of a contact that does not exist yet. It is part of no response.
const NO_CONTACT: XeroContactId = XeroContactId(Uuid::nil());

async fn find_contact(
    engine: &Engine,
    ledger: &Ledger,
    client: &ClientId,
) -> Result<Option<XeroContactId>, StoreError> {
    let client = CrmId::from(client.clone());
    let key = MappingKey::new(ledger.clone(), EntityKind::Contact, client);
    let row = engine.store.find_mapping(&key).await?;
    let link = row.and_then(|row| row.record.link);
    Ok(link.map(|link| XeroContactId(link.xero_id.0)))
}

fn chart_unknown_failure(ledger: &Ledger) -> Failure {
    if ledger.tenant == TenantId::NONE {
        return not_connected_failure();
    }
    Failure::new(
        FailureClass::Blocked,
        "chart_unknown",
        "The accounts and tax rates have not been read from Xero yet.",
        "Open the account mapping, or try again after the first sync.",
    )
}
