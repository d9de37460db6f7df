//! The responses of the API. Each has a type of its own, so that a change of how something is
//! stored does not change the contract.

mod accounts;
mod attention;
mod connection;
mod contacts;
mod log;
mod payments;
mod preview;
mod records;
mod words;

pub(super) use self::accounts::{AccountChoicesView, AccountCodesView};
pub(super) use self::attention::{AttentionView, BulkOutcomeView};
pub(super) use self::connection::{CompletionView, ConnectView, OrganisationView, StatusView};
pub(super) use self::contacts::{ContactsView, FindingWord, FindingsView, ReconciliationView};
pub(super) use self::log::{ActivityView, LogPageView, SyncAllView};
pub(super) use self::payments::InvoicePaymentsView;
pub(super) use self::preview::PreviewView;
pub(super) use self::records::{PaymentView, RecordView};
pub(super) use self::words::{AttentionWord, LogOutcome, RecordKind};
