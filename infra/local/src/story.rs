//! The product's story, played against the running stack: connect, push, edit, pay, refund, credit,
//! approve, compare clients, jobs, compare the books, report. It checks itself: each difference from
//! the expectation is listed, and makes it fail.

mod aging;
mod api;
mod bookkeeping;
mod books;
pub mod browser;
mod check;
mod clients;
mod connect;
mod correction;
mod credit;
mod credit_note;
mod draft;
mod earlier;
mod entries;
mod jobs;
mod material;
mod money;
mod older_clients;
pub mod other_app;
mod payment_poll;
mod payments;
pub mod places;
mod post;
mod reconciliation;
mod report;
mod secrecy;
mod settings;
mod settle;
mod stripe;
mod summary;
mod sums;
mod table;
mod unreadable;
mod views;
mod watch;

use std::cell::RefCell;

use xero_sim::Books;

use crate::console::Console;
use crate::failure::Failure;
use crate::stack::Stack;
use crate::workplace::Workplace;
use api::Api;
use material::{Entry, Material};
use post::Post;
use settle::{Records, Subject};
use summary::Summary;
use watch::Watch;

/// How many entries of the sync log are printed.
const LOG_ENTRIES_SHOWN: u16 = 6;

/// How many steps the story has.
pub const STEPS: usize = 14;

/// Plays the story from the first click to the last table. Fails if any result differs from the
/// expectation in the story's data, and at once if the expectation can no longer be met.
pub async fn play(stack: &Stack, workplace: &Workplace) -> Result<(), Failure> {
    let material = Material::read(&workplace.project)?;
    let api = Api::of_the_owner(stack)?;
    let story = Story {
        stack,
        console: &workplace.console,
        material: &material,
        watch: Watch::new(stack, api.clone()),
        api,
        ticket: RefCell::default(),
    };
    match Box::pin(story.play()).await {
        Ok(()) => Ok(()),
        Err(failure) => {
            workplace.console.progress_over();
            Err(stack.explain(failure).await)
        }
    }
}

struct Story<'a> {
    stack: &'a Stack,
    console: &'a Console,
    material: &'a Material,
    api: Api<'a>,
    watch: Watch<'a>,
    /// The ticket that completed the connection: it must not be in any log.
    ticket: RefCell<Option<String>>,
}

impl Story<'_> {
    async fn play(&self) -> Result<(), Failure> {
        let console = self.console;
        let start = console.elapsed();
        let mut post = Post::new(self.stack);
        console.title("The story: Ridgeway Property Services connects its books");
        self.connect().await?;
        self.push(&mut post).await?;
        let records = self.edit(&mut post).await?;
        let (letters, misplaced) = self.send_unreadable(&mut post).await?;
        let kept = Box::pin(self.keep_books(&mut post)).await?;
        let (reconciled, misjudged) = Box::pin(self.compare_clients(&mut post)).await?;
        let unpaid = self.finish_draft().await?;
        let log = self.api.sync_log(LOG_ENTRIES_SHOWN).await?;
        let rows = self.books(|books| check::invoices(self.material, &records, books))?;
        let clients = self.books(|books| clients::clients(self.material, &records, books))?;
        let (jobs, undone) = self.jobs(&mut post).await?;
        let (compared, apart) = self.compare_books().await?;
        let given_away = self.given_away().await?;
        self.watch.check().await?;

        let mut problems = clients.problems.clone();
        problems.extend(unlike_expected(&rows));
        let others = [misplaced, kept.problems, misjudged, unpaid, undone, apart, given_away];
        problems.extend(others.into_iter().flatten());
        let summary = Summary {
            messages: post.sent(),
            clients_known: self.material.clients.len(),
            clients: &clients,
            rows: &rows,
            events: &kept.events,
            compared: compared.as_ref(),
            story: console.elapsed().saturating_sub(start),
            start,
        };
        summary::print(console, &summary, &problems);
        report::clients(console, &clients, self.material.clients_of_their_own().len());
        report::invoices(console, &rows);
        report::totals(console, &rows);
        report::dead_letters(console, &letters);
        report::effort(console, post.sent(), &self.stack.xero().lock());
        report::money(console, &kept.events);
        if let Some(applied) = &kept.applied {
            report::credit(console, applied);
        }
        if let Some(reconciled) = &reconciled {
            report::reconciliation(console, reconciled);
        }
        report::jobs(console, &jobs);
        report::sync_log(console, &log.entries);
        if let Some(compared) = &compared {
            books::report(console, compared);
        }
        failed_for(&problems)
    }

    /// The CRM sends half of its clients, then all of its invoices. Meanwhile the owner chooses the
    /// accounts of payments.
    async fn push(&self, post: &mut Post<'_>) -> Result<(), Failure> {
        let own = self.material.clients_of_their_own();
        let invoices = &self.material.invoices;
        self.console.step(&format!(
            "The CRM sends {} clients and {} invoices",
            own.len(),
            invoices.len()
        ));
        let ((), ()) = tokio::try_join!(
            Box::pin(self.choose_accounts()),
            Box::pin(async {
                for client in own {
                    post.client(client).await?;
                }
                for entry in invoices {
                    post.invoice(entry, self.material.client(&entry.client_id)?).await?;
                }
                Ok::<_, Failure>(())
            }),
        )?;
        self.console.done(
            "sent, and the owner has chosen the accounts; waiting until everything is processed",
        );
        // All records are read after the edits; here, those that the edits change.
        let subjects = self.edited_subjects();
        settle::settled(&self.watch, self.console, &subjects).await.map(|_| ())
    }

    /// Users edit and void invoices, the outbox sends duplicates, an old message arrives late.
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
        self.console.done("sent; waiting until everything is processed");
        self.settled().await
    }

    /// The invoices that are edited later, as they were before, and their clients.
    fn edited_subjects(&self) -> Vec<Subject> {
        let is_edited = |sent: &&Entry| {
            self.material.edits.iter().any(|edit| edit.invoice.id == sent.invoice.id)
        };
        let edited = self.material.invoices.iter().filter(is_edited);
        let both = |sent: &Entry| [Subject::Client(sent.client_id.clone()), Subject::of(sent)];
        edited.flat_map(both).collect()
    }

    async fn settled(&self) -> Result<Records, Failure> {
        let clients = self.material.clients.iter().map(|client| Subject::Client(client.id.clone()));
        let invoices = self.material.invoices.iter().map(Subject::of);
        let subjects: Vec<Subject> = clients.chain(invoices).collect();
        settle::settled(&self.watch, self.console, &subjects).await
    }

    /// Reads Xero's books. The simulator answers no requests meanwhile.
    fn books<T>(&self, look: impl FnOnce(&Books) -> T) -> Result<T, Failure> {
        let xero = self.stack.xero();
        let simulator = xero.lock();
        let books = simulator
            .books(xero.tenant())
            .ok_or_else(|| Failure::new("The simulator has lost the organisation's books"))?;
        Ok(look(books))
    }
}

/// The invoices that differ from their expectation.
fn unlike_expected(rows: &[check::Row]) -> Vec<String> {
    let problems = rows.iter().filter_map(|row| {
        let problem = row.problem.as_ref()?;
        Some(format!("{} {problem}", row.number))
    });
    problems.collect()
}

/// The failure of a story with problems. It repeats the first one; the report lists all.
fn failed_for(problems: &[String]) -> Result<(), Failure> {
    let Some(first) = problems.first() else { return Ok(()) };
    let others = match problems.len() {
        1 => String::new(),
        all => format!(" (and {} more)", all.saturating_sub(1)),
    };
    Err(Failure::new(format!("The story failed: {first}{others}"))
        .remedy("The report above begins with all problems."))
}

#[cfg(test)]
mod tests {
    use super::{STEPS, failed_for};

    #[test]
    fn the_number_of_steps_equals_the_constant() {
        let sources = [
            include_str!("story.rs").split("#[cfg(test)]").next().unwrap_or_default(),
            include_str!("story/bookkeeping.rs"),
            include_str!("story/books.rs"),
            include_str!("story/connect.rs"),
            include_str!("story/draft.rs"),
            include_str!("story/jobs.rs"),
            include_str!("story/reconciliation.rs"),
            include_str!("story/secrecy.rs"),
            include_str!("story/unreadable.rs"),
        ];
        let taken: usize = sources.iter().map(|source| source.matches(".step(").count()).sum();
        assert_eq!(taken, STEPS);
    }

    #[test]
    fn a_failed_story_names_the_first_problem() {
        assert!(failed_for(&[]).is_ok());
        let problems = ["#INV-1 is not in Xero".to_owned(), "another".to_owned()];
        let lines = failed_for(&problems).unwrap_err().lines();
        assert_eq!(lines[0], "The story failed: #INV-1 is not in Xero (and 1 more)");
    }
}
