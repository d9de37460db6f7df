//! The responses of the API. Each has a type of its own, so that a change of how something is
//! stored does not change the contract.

mod accounts;
mod attention;
mod books;
mod connection;
mod contacts;
mod log;
mod matching;
mod payments;
mod people;
mod preview;
mod preview_people;
mod reconciliation;
mod records;
mod setup;
mod surpluses;
mod words;

pub(super) use self::accounts::AccountChoicesView;
pub(super) use self::attention::{AttentionView, BulkOutcomeView};
pub(super) use self::books::BooksView;
pub(super) use self::connection::{CompletionView, ConnectView, OrganisationView, StatusView};
pub(super) use self::contacts::ContactsView;
pub(super) use self::log::{ActivityView, LogPageView, SyncAllView};
pub(super) use self::matching::MatchingView;
pub(super) use self::payments::InvoicePaymentsView;
pub(super) use self::people::PeopleView;
pub(super) use self::preview::PreviewView;
pub(super) use self::preview_people::{ClientPreviewView, PaymentPreviewView};
pub(super) use self::reconciliation::{FindingWord, FindingsView, ReconciliationView};
pub(super) use self::records::{PaymentView, RecordView};
pub(super) use self::setup::SetupView;
pub(super) use self::surpluses::SurplusView;
pub(super) use self::words::{AttentionWord, LogOutcome};
