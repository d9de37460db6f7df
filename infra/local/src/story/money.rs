//! Customers pay by bank transfer: the bookkeeper reconciles the transfers in Xero, the poll reads
//! them, and the CRM receives the events.

use rust_decimal::Decimal;
use serde::Deserialize;
use uuid::Uuid;
use xero_sim::{Receipt, Simulator};

use super::Story;
use super::material::{Material, decimal};
use super::payment_poll::PaymentPoll;
use crate::clock;
use crate::failure::Failure;
use crate::simulator::{CLIENT_ID, Xero};
use crate::wait::{self, Look, PATIENCE, digest};

/// The prefix of the references of the customers' transfers.
const REFERENCE: &str = "BACS";

/// A bank transfer that was matched with an invoice in Xero.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Transfer {
    /// The invoice's number.
    pub(super) number: String,
    /// Its amount.
    pub(super) amount: Decimal,
    /// Its reference.
    pub(super) reference: String,
}

/// An event about money, with the fields that the story uses.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct ReceivedEvent {
    /// `payment.imported` or `invoice.payment_status`.
    #[serde(rename = "type")]
    pub(super) kind: String,
    /// The invoice's id in the CRM.
    #[serde(default)]
    pub(super) invoice_id: String,
    /// The amount that was paid.
    #[serde(default)]
    pub(super) amount: Option<Sum>,
    /// The amount that is still due.
    #[serde(default)]
    pub(super) amount_due: Option<Sum>,
    /// The payment method.
    #[serde(default)]
    pub(super) method: Option<String>,
    /// The account it was paid into.
    #[serde(default)]
    pub(super) account: Option<String>,
    /// The reference of the transfer.
    #[serde(default)]
    pub(super) reference: Option<String>,
    /// `paid`, `part_paid` or `unpaid`.
    #[serde(default)]
    pub(super) status: Option<String>,
}

/// An amount with its currency.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct Sum {
    /// A decimal number.
    #[serde(deserialize_with = "decimal")]
    pub(super) amount: Decimal,
    /// Three letters.
    pub(super) currency: String,
}

impl Story<'_> {
    /// Runs the poll until the CRM has received the transfers and the product knows that the draft
    /// was approved. Returns the events that the CRM received, and how they differ from the
    /// expectation.
    pub(super) async fn receive_money(
        &self,
        transfers: &[Transfer],
    ) -> Result<(Vec<ReceivedEvent>, Vec<String>), Failure> {
        let console = self.console;
        let mut poll = PaymentPoll::new(self.stack);
        let mut events = Vec::new();
        let waited = wait::while_moving(PATIENCE, async || {
            self.watch.check().await?;
            poll.call_if_due().await?;
            receive_events(&poll, &mut events).await?;
            let is_received = is_everything_received(&events, transfers);
            if is_received && self.is_draft_approved().await? {
                return Ok(Look::Done(()));
            }
            console.progress(&format!("the CRM received {} events", events.len()));
            Ok::<_, Failure>(Look::Pending {
                state: digest(&(events.len(), is_received)),
                quiet: None,
            })
        });
        // Missing events are reported below.
        let outcome: Option<()> = waited.await?;
        console.progress_over();
        let mut problems = find_wrong_events(&events, transfers);
        if outcome.is_none() {
            console.done("no further events arrive");
            if !self.is_draft_approved().await? {
                problems.push("the poll has not noticed that the draft was approved".to_owned());
            }
        }
        console.done(&format!("the CRM received {} events about payments", events.len()));
        Ok((events, problems))
    }
}

/// Matches a transfer with each of two invoices that this product created: all of the first, half
/// of the second. Invoices whose totals differ on purpose are left out: the due date of the second
/// one is moved later, and nothing else about it may differ.
pub(super) fn reconcile(xero: &Xero, material: &Material) -> Result<Vec<Transfer>, Failure> {
    let (tenant, now) = (xero.tenant(), xero.now());
    let mut simulator = xero.lock();
    let mut transfers = Vec::new();
    let is_plain = |number: &str| {
        material.newest(number).is_some_and(|entry| entry.expect.difference.is_none())
    };
    let payable = payable(&simulator, tenant).into_iter();
    for (id, number, due) in payable.filter(|(_, number, _)| is_plain(number)).take(2) {
        let amount = if transfers.is_empty() { due } else { (due / Decimal::TWO).round_dp(2) };
        let reference = format!("{REFERENCE} {number}");
        let receipt = Receipt {
            reference: Some(reference.clone()),
            is_reconciled: true,
            ..Receipt::on(clock::now().to_zoned(jiff::tz::TimeZone::UTC).date())
        };
        let refused = |why: String| {
            Failure::new(format!("Xero refused the transfer for {number}")).because(why)
        };
        simulator
            .bookkeeper(now, tenant)
            .ok_or_else(|| refused("The organisation has no books".to_owned()))?
            .pay(id, amount, &receipt)
            .map_err(|error| refused(format!("{error:?}")))?;
        transfers.push(Transfer { number, amount, reference });
    }
    Ok(transfers)
}

/// The invoices in pounds that this product created and that are not paid yet.
fn payable(simulator: &Simulator, tenant: Uuid) -> Vec<(Uuid, String, Decimal)> {
    let Some(books) = simulator.books(tenant) else { return Vec::new() };
    let due = |invoice: &xero_sim::Invoice| {
        let ours = invoice.created_by.as_deref() == Some(CLIENT_ID);
        let payable = invoice.status.as_str() == "AUTHORISED" && invoice.currency == "GBP";
        let number = invoice.number.clone()?;
        (ours && payable).then_some((invoice.id, number, invoice.total))
    };
    books.invoices().filter_map(due).collect()
}

/// Receives the queued events, and keeps those about money.
async fn receive_events(
    poll: &PaymentPoll<'_>,
    events: &mut Vec<ReceivedEvent>,
) -> Result<(), Failure> {
    for body in poll.take_events().await? {
        let event: ReceivedEvent = serde_json::from_str(&body)
            .map_err(|error| Failure::new("An event cannot be read").because(error))?;
        if event.kind.contains("payment") {
            events.push(event);
        }
    }
    Ok(())
}

/// The events of one transfer: the payment itself.
fn imports<'a>(events: &'a [ReceivedEvent], transfer: &Transfer) -> Vec<&'a ReceivedEvent> {
    let is_it = |event: &&ReceivedEvent| {
        event.kind == "payment.imported"
            && event.reference.as_deref() == Some(&transfer.reference)
            && event.amount.as_ref().is_some_and(|sum| sum.amount == transfer.amount)
    };
    events.iter().filter(is_it).collect()
}

/// Whether the CRM has received each transfer, and with it what is still due on its invoice. Other
/// changes of invoices are reported, too, and are not about the transfers.
fn is_everything_received(events: &[ReceivedEvent], transfers: &[Transfer]) -> bool {
    find_wrong_events(events, transfers).is_empty()
        && transfers.iter().all(|transfer| is_status_received(events, transfer))
}

/// Whether the CRM has received the state of the invoice that a transfer paid.
fn is_status_received(events: &[ReceivedEvent], transfer: &Transfer) -> bool {
    let paid = imports(events, transfer);
    events.iter().any(|event| {
        event.kind == "invoice.payment_status"
            && matches!(event.status.as_deref(), Some("paid" | "part_paid"))
            && paid.iter().any(|import| import.invoice_id == event.invoice_id)
    })
}

/// The transfers that the CRM did not receive exactly once, and unexpected events.
fn find_wrong_events(events: &[ReceivedEvent], transfers: &[Transfer]) -> Vec<String> {
    let mut problems = Vec::new();
    if transfers.len() < 2 {
        problems.push("there were no two invoices to pay".to_owned());
    }
    for transfer in transfers {
        let times = imports(events, transfer).len();
        if times != 1 {
            let Transfer { number, amount, reference: _ } = transfer;
            problems
                .push(format!("the CRM received {times} events about {amount} paid on {number}"));
        }
    }
    let imported = events.iter().filter(|event| event.kind == "payment.imported").count();
    if imported > transfers.len() {
        problems.push(format!("the CRM received events about {imported} payments"));
    }
    problems
}

#[cfg(test)]
mod tests {
    use rust_decimal::Decimal;

    use super::{ReceivedEvent, Transfer, find_wrong_events, is_everything_received};

    fn transfer(number: &str) -> Transfer {
        Transfer {
            number: number.to_owned(),
            amount: Decimal::new(11_400, 2),
            reference: format!("BACS {number}"),
        }
    }

    fn imported(number: &str, amount: &str) -> ReceivedEvent {
        let json = format!(
            r#"{{"type":"payment.imported","invoice_id":"inv_{number}","reference":"BACS {number}",
                "amount":{{"amount":"{amount}","currency":"GBP"}}}}"#
        );
        serde_json::from_str(&json).unwrap()
    }

    fn payment_status(number: &str, status: &str) -> ReceivedEvent {
        let json = format!(
            r#"{{"type":"invoice.payment_status","invoice_id":"inv_{number}","status":"{status}"}}"#
        );
        serde_json::from_str(&json).unwrap()
    }

    #[test]
    fn a_transfer_is_reported_once_with_its_amount() {
        let transfers = [transfer("1"), transfer("2")];
        let good = [imported("1", "114.00"), imported("2", "114.00")];
        assert_eq!(find_wrong_events(&good, &transfers), Vec::<String>::new());
        let twice = [imported("1", "114.00"), imported("2", "114.00"), imported("2", "114.00")];
        assert_eq!(find_wrong_events(&twice, &transfers).len(), 2);
        let other = [imported("1", "114.00"), imported("2", "14.00")];
        assert_eq!(
            find_wrong_events(&other, &transfers),
            ["the CRM received 0 events about 114.00 paid on 2"]
        );
    }

    #[test]
    fn all_is_received_once_the_state_of_each_paid_invoice_is() {
        let transfers = [transfer("1"), transfer("2")];
        let mut events = vec![
            imported("1", "114.00"),
            payment_status("1", "paid"),
            imported("2", "114.00"),
            // Not about a transfer: a state before it, another invoice.
            payment_status("2", "unpaid"),
            payment_status("3", "paid"),
        ];
        assert!(!is_everything_received(&events, &transfers));
        events.push(payment_status("2", "part_paid"));
        assert!(is_everything_received(&events, &transfers));
        events.push(imported("2", "114.00"));
        assert!(!is_everything_received(&events, &transfers), "a payment is reported once");
    }
}
