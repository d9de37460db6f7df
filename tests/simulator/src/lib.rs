//! Xero as a pure state machine: a request in, a response out, at an instant that the caller names.
//!
//! It reads no clock, draws no randomness and does no IO, so that a run can be repeated byte for
//! byte. Two hosts drive it: tests call [`Simulator::handle`] directly, and [`host::serve`] puts it
//! on a socket. It shares no code with the product's own Xero client, and it computes responses
//! from its rules and its books, never from prepared ones.
//!
//! It is *not* Xero's whole API: it has the identity service, connections, and of the Accounting
//! API the organisation, accounts, tax rates, items, tracking categories, currencies, branding
//! themes, contacts, invoices, credit notes, payments, batch payments, bank transactions,
//! overpayments and prepayments, and the history of invoices, credit notes and payments. The README
//! of this crate lists what it lacks. Behaviour that no public source documents is a switch in
//! [`Unconfirmed`], which can be set by name: on the command line, over the control surface, or at
//! random.
//!
//! Reading order: [`Settings`], `simulator`, `gateway`, `accounting`, `books`, `identity`.
//!
//! # The rules
//!
//! Tests name the rule they verify. The right column is the module that enforces it.
//!
//! | Rule | | Module |
//! | --- | --- | --- |
//! | 1 | An authorize request with an unknown client, redirect URI or scope shows Xero's error page | `identity::authorize` |
//! | 2 | A cancelled consent returns with `access_denied` and the state | `identity::authorize` |
//! | 3 | A code works once, for five minutes, with the same redirect URI | `identity::token` |
//! | 4 | Wrong client credentials are `invalid_client` | `identity::token` |
//! | 5 | A PKCE verifier must match its challenge | `identity::token` |
//! | 6 | No refresh token without `offline_access`, no identity token without `openid` | `identity::token` |
//! | 7 | A refresh rotates; the old token works for 30 minutes after its first use | `identity::token` |
//! | 8 | A refresh token expires 60 days after its issue | `identity::token` |
//! | 9 | Revocation ends the token and all its user's connections | `identity::token` |
//! | 10 | Connections are listed per user and app, filtered by consent, without offsets in times | `identity::connections` |
//! | 11 | A connection is deleted by its own id only | `identity::connections` |
//! | 12 | A missing or unknown bearer is 401 | `identity`, `gateway` |
//! | 13 | An expired bearer is 401, with the time of its expiry | `identity`, `gateway` |
//! | 14 | A tenant that is missing or not connected is 403 | `gateway` |
//! | 15 | Each resource needs its scope; `.read` refuses writes | `gateway`, `identity::scopes` |
//! | 16 | Fixed windows of a minute and a day, five concurrent calls, an app-wide minute | `gateway::limits` |
//! | 17 | Every response has the remaining calls and a correlation id; replays count | `gateway` |
//! | 18 | Without `Accept: application/json` the response is XML; a body may be XML, too | `gateway`, `xml` |
//! | 19 | Unreadable bodies, missing collections and bad filters have their own error numbers | `accounting::saving`, `listing` |
//! | 20 | A query of more than 2,048 characters is not found | `gateway` |
//! | 21 | Unknown paths and ids are not found, in plain text | `accounting`, `answer` |
//! | 22 | Injected faults: 500, 503, lost before, lost after, truncated, throttled | `faults`, `simulator` |
//! | 23 | An idempotency key has at most 128 characters | `gateway::idempotency` |
//! | 24 | The same key and request within six minutes replays the first response | `gateway::idempotency` |
//! | 25 | The same key with another request is refused | `gateway::idempotency` |
//! | 26 | An internal error is also kept under its key, and dropped after six minutes | `gateway::idempotency` |
//! | 27 | Lists without paging have no lines; pages have lines and `pagination` | `accounting::invoices` |
//! | 28 | Pages have 1 to 1,000 rows, 100 by default; `Statuses` and `summaryOnly` page | `listing` |
//! | 29 | `If-Modified-Since` is UTC to the second; an invalid value is ignored | `listing` |
//! | 30 | The default order is time of change, then id; some edits do not change the time | `accounting::invoices::change`, `bookkeeper` |
//! | 31 | Archived contacts are hidden unless requested; searches and names ignore case | `accounting::contacts`, `filter` |
//! | 32 | Creating a contact with a taken name or number fails | `accounting::contacts::write` |
//! | 33 | Posting a contact matches id, number, name, and keeps omitted members | `accounting::contacts` |
//! | 34 | A contact needs a name without angle brackets; lengths and e-mail addresses are checked | `accounting::contacts::apply` |
//! | 35 | The name of an archived contact is free again, and documents refuse the contact | `accounting::contacts::write`, `accounting::documents::contact` |
//! | 36 | One invalid element fails alone, or the whole request, depending on `summarizeErrors` | `accounting::saving` |
//! | 37 | Creating a taken invoice number fails; posting it updates | `accounting::invoices::write` |
//! | 38 | Deleted and voided invoices allow no updates, a paid one those of a part-paid one, and none is created with these statuses | `accounting::invoices::approval` |
//! | 39 | An approved invoice needs lines and a contact | `accounting::invoices::approval` |
//! | 40 | Lines need an active account that accepts lines | `accounting::documents::lines` |
//! | 41 | A tax rate must match its account; the default is the account's | `accounting::documents::lines` |
//! | 42 | Only enabled currencies | `accounting::documents::currency` |
//! | 43 | No changes on or before a lock date | `accounting::invoices::approval` |
//! | 44 | Tax per line, unit amounts to two places or four, consistent line totals | `money`, `accounting::documents::pricing` |
//! | 45 | Sent lines replace; a line sent with its id is changed | `accounting::documents::lines` |
//! | 46 | A part-paid invoice allows only limited edits | `accounting::invoices::approval` |
//! | 47 | No void of a draft or with payments or credit, and no deletion of an approved invoice | `accounting::invoices::approval` |
//! | 48 | A payment is for one approved document, at most what is outstanding, into an account that accepts payments | `accounting::payments::rules` |
//! | 49 | A full payment closes its document, its deletion reopens it, and the row is kept | `books::settling` |
//! | 50 | A payment is never changed, only deleted, and not when it is reconciled or in a batch | `accounting::payments` |
//! | 51 | A credit goes to an approved invoice of its contact, type and currency, at most the remaining and the due amount | `accounting::allocations::rules` |
//! | 52 | An allocation pays an invoice without a payment; a used-up credit is PAID | `books::settling` |
//! | 53 | A removed allocation reopens both documents | `accounting::allocations` |
//! | 54 | Allocations inside a credit note are ignored; a used note can be neither edited nor voided | `accounting::credit_notes` |
//! | 57 | A bank transaction needs a contact, lines, a positive total, and an active bank account in the same currency | `accounting::bank_transactions` |
//! | 58 | A bank transaction that is reconciled, deleted or locked cannot be changed; a deleted one is still listed | `accounting::bank_transactions::rules` |
//! | 59 | An account's balance is its receipts less its payments, without deleted rows | `books::balance` |
//! | 60 | Overpayments and prepayments are used up by allocations and refunds | `books::allocation`, `accounting::deposits` |
//! | 61 | A merged contact is archived permanently and refers to the one that has its documents | `bookkeeper::contacts`, `accounting::contacts::write` |
//! | 62 | An organisation whose subscription has ended stays connected and refuses every accounting call | `gateway` |
//! | 63 | Codes and tokens expire by the identity service's clock, independently of the books' clock | `instants`, `identity` |
//! | 64 | Tokens are signed with RS256, and the discovery document refers to the key | `identity::key` |
//! | 65 | A quotation mark inside a text of `where` is a syntax error, however it is escaped | `filter` |
//! | 66 | A text with a control character makes the body unreadable | `json`, `accounting::saving` |
//! | 67 | The network in front of Xero answers instead of it, with a page or an empty body | `simulator` |
//! | 68 | An element of a batch may be returned without its id and without a reason, and rows in another order | `accounting::saving` |
//! | 69 | An approved invoice with nothing due is paid | `accounting::invoices::write` |
//! | 70 | A discount is at most as large as its line | `accounting::documents::pricing` |
//! | 71 | A batch payment is created completely or not at all | `accounting::batch_payments::create` |
//! | 72 | Odd rows of other apps are returned unchanged | `bookkeeper::oddities`, `bookkeeper::imports`, `books` |
//! | 73 | Each region has its own tax rates | `demo` |
//! | 74 | A small plan limits the number of approved invoices | `accounting::invoices::approval`, `bookkeeper` |
//! | 75 | An invoice that is not a draft can be e-mailed to its contact: 1,000 a day, 20 in a trial, none in the demo company | `accounting::invoices::email`, `subscription` |
//! | 76 | On the socket a response is compressed for a caller that accepts gzip | `host::gzip` |
//! | 77 | A read-only user reads everything and changes nothing | `gateway`, `accounting::organisation` |
//! | 78 | A line under the domestic reverse charge has no tax, whatever rate is listed | `demo::reverse_charge` |
//! | 79 | A line names a known item, and at most two tracking options; unknown and archived ones are dropped | `accounting::documents::catalogue` |

mod accounting;
mod answer;
mod bookkeeper;
mod books;
mod calls;
mod catalogue;
mod demo;
mod faults;
mod filter;
mod fold;
mod gateway;
pub mod host;
mod identity;
mod ids;
mod incoming;
mod instants;
mod json;
mod listing;
mod money;
mod organisation;
mod settings;
mod simulator;
mod subscription;
mod variants;
mod xml;

pub use bookkeeper::{Bookkeeper, InvoiceEdit, OddRow, Receipt, Refused};
pub use books::Books;
pub use books::allocation::{Allocation, Credit};
pub use books::batch::BatchPayment;
pub use books::contact::{Address, Contact, ContactPerson, ContactStatus, PaymentTerms, Phone};
pub use books::credit_note::{CreditNote, CreditNoteKind};
pub use books::deposit::{Deposit, DepositKind, DepositStatus};
pub use books::invoice::{HistoryNote, Invoice, InvoiceKind, InvoiceStatus};
pub use books::line::{Line, LineFigures, LineTracking};
pub use books::payment::{Payment, PaymentStatus, PaymentTarget};
pub use books::transaction::{BankTransaction, TransactionKind, TransactionStatus};
pub use calls::{Call, Delivery, Violations};
pub use catalogue::{Item, TrackingCategory, TrackingOption};
pub use demo::Region;
pub use faults::{Fault, FaultKind, Match};
pub use instants::{Instants, Pace};
pub use money::{Discount, LineAmounts, Rounding};
pub use organisation::{
    Account, AccountClass, AccountKind, BrandingTheme, Currency, Organisation, RowStatus, TaxRate,
    Tier,
};
pub use settings::{App, NotAnAnswer, ScopeSet, Settings, Texts, Unconfirmed, XeroUser};
pub use simulator::{Consent, InFlight, Reply, Simulator};
pub use subscription::Subscription;
