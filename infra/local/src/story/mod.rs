//! The product's story, played against the running stack: connect, push, edit, pay, credit, compare, jobs, show.
//! It checks itself: what should have come out otherwise is listed, and makes it fail.

mod api;
pub mod browser;
mod check;
mod clients;
mod credit;
mod credit_note;
mod earlier;
mod jobs;
mod material;
mod money;
mod older_clients;
pub mod other_app;
pub mod places;
mod post;
mod reconciliation;
mod report;
mod secrecy;
mod settle;
mod sums;
mod table;

use crate::aws::sqs::Found;
use crate::console::{Console, Tone};
use crate::failure::Failure;
use crate::stack::Stack;
use crate::wait;
use crate::workplace::Workplace;
use api::Api;
use material::{Malformed, Material, QueueName};
use post::Post;
use settle::{Records, Subject};
use std::time::Duration;
use xero_sim::Books;

/// How much of the sync log is printed.
const LOG_ENTRIES_SHOWN: u16 = 6;

/// How long a message that cannot be read may take to be put aside.
const ASIDE_WITHIN: Duration = Duration::from_mins(1);

/// Plays the story from the first click to the last table. Fails if anything came out otherwise than
/// the story's data says it must.
pub async fn play(stack: &Stack, workplace: &Workplace) -> Result<(), Failure> {
    let console = &workplace.console;
    let material = Material::read(&workplace.project)?;
    let story = Story { stack, console, material: &material, api: Api::of_the_owner(stack)? };
    let mut post = Post::new(stack);
    console.title("The story: Ridgeway Property Services connects its books");
    story.connect().await?;
    story.push(&mut post).await?;
    let records = story.edit(&mut post).await?;
    let (letters, mut problems) = story.confuse(&mut post).await?;
    let (heard, unheard) = story.receive_money().await?;
    let (applied, astray) = story.credit_a_visit(&mut post).await?;
    let (compared, misjudged) = story.compare_clients(&mut post).await?;
    let log = story.api.sync_log(LOG_ENTRIES_SHOWN).await?;
    let rows = story.books(|books| check::invoices(&material, &records, books))?;
    let (jobs, undone) = story.jobs(&mut post).await?;
    let given_away = story.given_away().await?;
    problems.extend(story.tell(rows, &records, &letters, post.sent())?);
    report::money(console, &heard);
    problems.extend(unheard);
    if let Some(applied) = &applied {
        report::credit(console, applied);
    }
    problems.extend(astray);
    if let Some(compared) = &compared {
        report::reconciliation(console, compared);
    }
    problems.extend(misjudged);
    report::jobs(console, &jobs);
    problems.extend(undone.into_iter().chain(given_away));
    report::sync_log(console, &log.entries);
    if problems.is_empty() {
        console.title(&console.paint(Tone::Good, "Everything came out as it had to."));
        return Ok(());
    }
    Err(Failure::new(format!(
        "The story did not come out as it had to:\n  - {}",
        problems.join("\n  - ")
    )))
}

struct Story<'a> {
    stack: &'a Stack,
    console: &'a Console,
    material: &'a Material,
    api: Api<'a>,
}

impl Story<'_> {
    /// An owner connects the account as one does in a browser.
    async fn connect(&self) -> Result<(), Failure> {
        let (http, xero) = (&self.stack.http, self.stack.xero());
        self.console.step("Another app has entered invoice #INV-9001 in Xero before");
        earlier::enter_the_other_invoice(http, &self.stack.addresses().simulator, xero).await?;

        self.console.step("The owner presses Connect and allows access on Xero's page");
        let started = self.api.start_connecting().await?;
        let callback = browser::press(http, &started.authorize_url, "allow").await?;
        let landed = browser::follow(http, &callback).await?;
        let connected = ("xero".into(), "connected".into());
        if !landed.query_pairs().any(|pair| pair == connected) {
            return Err(Failure::new(format!("The browser landed on {landed}")));
        }
        let status = self.api.connection().await?.status;
        if status != "active" {
            return Err(Failure::new(format!("After connecting, the connection is {status}")));
        }
        self.console.done(&format!("back in the CRM; {} is connected", xero.tenant_name()));
        Ok(())
    }

    /// The CRM sends half of its clients, then all of its invoices.
    async fn push(&self, post: &mut Post<'_>) -> Result<(), Failure> {
        let own = self.material.clients_of_their_own();
        let invoices = &self.material.invoices;
        self.console.step(&format!(
            "The CRM sends {} clients and {} invoices",
            own.len(),
            invoices.len()
        ));
        for client in own {
            post.client(client).await?;
        }
        for entry in invoices {
            post.invoice(entry, self.material.client(&entry.client_id)?).await?;
        }
        self.console.done("sent; waiting until everything has settled");
        self.settled().await.map(|_| ())
    }

    /// People edit and void, the outbox repeats itself, an old message arrives late.
    async fn edit(&self, post: &mut Post<'_>) -> Result<Records, Failure> {
        let edits = &self.material.edits;
        self.console.step(&format!(
            "The CRM sends {} edits; one message arrives three times, an old one arrives late",
            edits.len()
        ));
        for (place, entry) in edits.iter().enumerate() {
            let client = self.material.client(&entry.client_id)?;
            if place == 0 {
                post.invoice_three_times(entry, client).await?;
                let original =
                    self.material.invoices.iter().find(|sent| sent.invoice.id == entry.invoice.id);
                if let Some(original) = original {
                    post.invoice(original, client).await?;
                }
            } else {
                post.invoice(entry, client).await?;
            }
        }
        self.console.done("sent; waiting until everything has settled");
        self.settled().await
    }

    /// Messages arrive that nobody can read.
    async fn confuse(&self, post: &mut Post<'_>) -> Result<(Vec<Found>, Vec<String>), Failure> {
        let malformed = &self.material.malformed;
        self.console.step(&format!("{} messages arrive that nobody can read", malformed.len()));
        for message in malformed {
            post.malformed(message).await?;
        }
        let mut letters = Vec::new();
        let mut problems = Vec::new();
        let queues = [
            (QueueName::Contacts, "ContactDeadLetterQueueUrl"),
            (QueueName::Invoices, "InvoiceDeadLetterQueueUrl"),
            (QueueName::CreditNotes, "CreditNoteDeadLetterQueueUrl"),
        ];
        for (name, output) in queues {
            let expected: Vec<&Malformed> =
                malformed.iter().filter(|message| message.queue == name).collect();
            let found = self.put_aside(self.stack.outputs.get(output)?, expected.len()).await?;
            problems.extend(unexplained(&expected, &found));
            letters.extend(found);
        }
        self.console.done(&format!("{} put aside", letters.len()));
        Ok((letters, problems))
    }

    async fn put_aside(&self, queue_url: &str, expected: usize) -> Result<Vec<Found>, Failure> {
        wait::until(ASIDE_WITHIN, async || {
            let left = self.stack.aws.messages_left(queue_url).await.ok()?;
            (usize::try_from(left).ok()? >= expected).then_some(())
        })
        .await;
        self.stack.aws.peek(queue_url).await
    }

    async fn settled(&self) -> Result<Records, Failure> {
        let clients = self.material.clients.iter().map(|client| Subject::Client(client.id.clone()));
        let invoices = self.material.invoices.iter().map(Subject::of);
        let subjects: Vec<Subject> = clients.chain(invoices).collect();
        settle::settled(self.stack, &self.api, self.console, &subjects).await
    }

    /// Looks into Xero's books. Nobody is answered meanwhile.
    fn books<T>(&self, look: impl FnOnce(&Books) -> T) -> Result<T, Failure> {
        let xero = self.stack.xero();
        let simulator = xero.lock();
        let books = simulator
            .books(xero.tenant())
            .ok_or_else(|| Failure::new("The simulator has lost the organisation's books"))?;
        Ok(look(books))
    }

    /// Prints the tables and gives what should have been otherwise.
    fn tell(
        &self,
        rows: Vec<check::Row>,
        records: &Records,
        letters: &[Found],
        messages: u32,
    ) -> Result<Vec<String>, Failure> {
        let clients = self.books(|books| clients::clients(self.material, records, books))?;
        report::clients(self.console, &clients, self.material.clients_of_their_own().len());
        report::invoices(self.console, &rows);
        report::totals(self.console, &rows);
        report::dead_letters(self.console, letters);
        report::effort(self.console, messages, &self.stack.xero().lock());
        let invoices = rows
            .into_iter()
            .filter_map(|row| row.problem.map(|problem| format!("{} {problem}", row.number)));
        Ok(invoices.chain(clients.problems).collect())
    }
}

/// The messages that were not put aside with the reason they had to be.
fn unexplained(expected: &[&Malformed], found: &[Found]) -> Vec<String> {
    let reason_of = |message: &Malformed| {
        let body = message.body();
        found
            .iter()
            .find(|letter| letter.body == body)
            .and_then(|letter| letter.attribute("reason"))
    };
    expected
        .iter()
        .filter_map(|message| {
            let words = &message.reason_contains;
            match reason_of(message) {
                Some(reason) if reason.contains(words) => None,
                Some(reason) => Some(format!("A dead letter's reason lacks \"{words}\": {reason}")),
                None => Some(format!("A message to be put aside for its \"{words}\" was not")),
            }
        })
        .collect()
}
