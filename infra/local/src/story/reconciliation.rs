//! Reconciliation: recorded clients are compared with the contacts that were in Xero before.
//! Certain matches are linked, the owner decides about the rest, and nothing is created.

use http::Method;
use uuid::Uuid;
use xero_sim::Call;

use super::Story;
use super::older_clients::{self, OlderClient, PUT_AWAY, RENAMED, TWICE, UNHEARD_OF};
use super::post::Post;
use super::views::{Finding, Reconciliation, Verdict};
use crate::failure::Failure;
use crate::wait::{self, Look, PATIENCE, digest};

/// All contacts of the story are on one page; the queue may deliver the wake-up twice.
const LISTS_MAX: usize = 2;

/// The results of the comparison.
#[derive(Debug, Clone)]
pub(super) struct Compared {
    /// The progress that the API reports.
    pub(super) progress: Reconciliation,
    /// The findings, client by client.
    pub(super) findings: Vec<Finding>,
    /// How often it listed the contacts.
    pub(super) lists: usize,
    /// How many contacts the books had before.
    contacts_before: usize,
    /// How many contacts they have now.
    contacts_after: usize,
}

impl Story<'_> {
    /// The CRM records four clients of an older system, and the owner starts the comparison.
    /// Returns the findings, and how they differ from the expectation.
    pub(super) async fn compare_clients(
        &self,
        post: &mut Post<'_>,
    ) -> Result<(Option<Compared>, Vec<String>), Failure> {
        let console = self.console;
        console.step(
            "Four clients of an older system are compared with the contacts that were in Xero before",
        );
        let contact = older_clients::enter_their_contacts(self.stack.xero())?;
        for client in older_clients::ALL {
            post.older_client(&client).await?;
        }
        let known = wait::while_moving(PATIENCE, async || self.look_for_known().await);
        if known.await?.is_none() {
            return Ok((None, vec!["the four older clients were not recorded".to_owned()]));
        }
        console.done("recorded, and not sent to Xero; the owner starts the comparison");
        let Some(compared) = self.reconcile().await? else {
            return Ok((None, vec!["the comparison did not finish".to_owned()]));
        };
        console.done(&format!("compared; {} was linked", compared.progress.linked));
        let problems = misjudged(&compared, contact);
        Ok((Some(compared), problems))
    }

    /// Whether all four are recorded.
    async fn look_for_known(&self) -> Result<Look<()>, Failure> {
        self.watch.check().await?;
        let queued = self.watch.queued().await?;
        let mut known = 0_usize;
        for client in older_clients::ALL {
            known = known.saturating_add(usize::from(self.api.client(client.id).await?.is_some()));
        }
        if known == older_clients::ALL.len() {
            return Ok(Look::Done(()));
        }
        Ok(Look::Pending { state: digest(&(&queued, known)), quiet: None })
    }

    /// Runs the comparison, from its start to the last page of findings.
    async fn reconcile(&self) -> Result<Option<Compared>, Failure> {
        let contacts_before = self.books(|books| books.contacts().count())?;
        let calls_before = self.stack.xero().lock().calls().len();
        self.api.start_reconciliation().await?;
        let ended = wait::while_moving(PATIENCE, async || self.look_for_end().await);
        let Some(progress) = ended.await? else { return Ok(None) };
        let lists = lists(self.stack.xero().lock().calls().iter().skip(calls_before));
        let mut findings = Vec::new();
        for page in 0..progress.pages {
            findings.extend(self.api.findings(page).await?.findings);
        }
        let contacts_after = self.books(|books| books.contacts().count())?;
        Ok(Some(Compared { progress, findings, lists, contacts_before, contacts_after }))
    }

    /// The comparison once it has finished or was given up.
    async fn look_for_end(&self) -> Result<Look<Reconciliation>, Failure> {
        self.watch.check().await?;
        let progress = self.api.reconciliation().await?;
        let is_over = |progress: &Reconciliation| {
            progress.finished_at.is_some() || progress.stopped.is_some()
        };
        match progress {
            Some(progress) if is_over(&progress) => Ok(Look::Done(progress)),
            unfinished => {
                let calls = self.stack.xero().lock().calls().len();
                Ok(Look::Pending { state: digest(&(&unfinished, calls)), quiet: None })
            }
        }
    }
}

/// How many of the calls listed contacts.
fn lists<'a>(calls: impl Iterator<Item = &'a Call>) -> usize {
    calls.filter(|call| call.method == Method::GET && call.path.ends_with("/Contacts")).count()
}

/// The differences from the expectation. `contact` is the one that has [`RENAMED`]'s e-mail
/// address.
fn misjudged(compared: &Compared, contact: Uuid) -> Vec<String> {
    let Compared { progress, findings, lists, contacts_before, contacts_after } = compared;
    let is_linked = |found: &Finding| {
        found.outcome == Verdict::Linked
            && found.contact_id == Some(contact)
            && found.by.as_deref() == Some("email")
    };
    let is_twice =
        |found: &Finding| found.outcome == Verdict::Ambiguous && found.candidates.len() == 2;
    let is_missing = |found: &Finding| found.outcome == Verdict::Missing;
    let is_archived = |found: &Finding| {
        found.outcome == Verdict::Ambiguous && found.candidates.iter().all(|one| one.is_archived)
    };
    let judged = [
        unlike(findings, RENAMED, "linked by its e-mail address", is_linked),
        unlike(findings, TWICE, "left to the user, with two candidates", is_twice),
        unlike(findings, UNHEARD_OF, "missing", is_missing),
        unlike(
            findings,
            PUT_AWAY,
            "left to the user, because its contact is archived",
            is_archived,
        ),
    ];
    let mut problems: Vec<String> = judged.into_iter().flatten().collect();
    if let Some(why) = &progress.stopped {
        problems.push(format!("the comparison was given up: {why}"));
    }
    // All clients of `clients.json` must be synced, or the story fails for each that is not: they
    // have their contacts, and only the four are left to be linked.
    if progress.linked != 1 {
        problems.push(format!("{} clients were linked instead of one", progress.linked));
    }
    if contacts_before != contacts_after {
        let change = format!("from {contacts_before} to {contacts_after}");
        problems.push(format!("the comparison changed the number of contacts in Xero {change}"));
    }
    if *lists > LISTS_MAX {
        problems.push(format!("the comparison listed Xero's contacts {lists} times"));
    }
    problems
}

/// Why the finding of a client is wrong, if it is.
fn unlike(
    findings: &[Finding],
    client: OlderClient,
    must: &str,
    is_right: impl Fn(&Finding) -> bool,
) -> Option<String> {
    let OlderClient { id, name, .. } = client;
    let mut found = findings.iter().filter(|found| found.client_id == id);
    match (found.next(), found.next()) {
        (Some(only), None) if is_right(only) => None,
        (Some(only), None) => {
            Some(format!("{name} ({id}) should be {must}, but is {}", only.outcome.word()))
        }
        (Some(_), Some(_)) => Some(format!("{name} ({id}) has more than one finding")),
        (None, _) => Some(format!("{name} ({id}) has no finding: it should be {must}")),
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::{Compared, misjudged};
    use crate::story::views::{Findings, Verdict};

    const CONTACT: Uuid = Uuid::from_u128(7);

    const FINDINGS: &str = r#"{"page":0,"findings":[
        {"client_id":"cli_9001","name":"Fairweather Upholstery","outcome":"linked","by":"email",
         "contact_id":"00000000-0000-0000-0000-000000000007","message":"Linked.","remedy":"None."},
        {"client_id":"cli_9002","name":"Cowley Road Launderette","outcome":"ambiguous",
         "candidates":[{"id":"1","name":"One","by":["name"],"is_archived":false},
                       {"id":"2","name":"Two","by":["name"],"is_archived":false}],
         "message":"Several.","remedy":"Link it."},
        {"client_id":"cli_9003","name":"Tobias Marlowe","outcome":"missing","message":"None.",
         "remedy":"Nothing."},
        {"client_id":"cli_9004","name":"Wytham Sawmill","outcome":"ambiguous",
         "candidates":[{"id":"3","name":"Wytham Sawmill","by":["name"],"is_archived":true}],
         "message":"Archived.","remedy":"Restore it."}]}"#;

    const PROGRESS: &str = r#"{"started_by":"usr_owner","started_at":"2026-11-02T09:00:00Z",
        "finished_at":"2026-11-02T09:00:05Z","pages":1,"clients":56,"contacts":57,
        "linked_before":52,"linked":1,"ambiguous":2,"missing":1,"left_alone":0}"#;

    fn compared() -> Compared {
        let found: Findings = serde_json::from_str(FINDINGS).unwrap();
        Compared {
            progress: serde_json::from_str(PROGRESS).unwrap(),
            findings: found.findings,
            lists: 1,
            contacts_before: 57,
            contacts_after: 57,
        }
    }

    fn problems(change: impl FnOnce(&mut Compared)) -> Vec<String> {
        let mut compared = compared();
        change(&mut compared);
        misjudged(&compared, CONTACT)
    }

    #[test]
    fn one_client_is_linked_two_are_left_to_the_user_and_one_is_missing() {
        assert_eq!(problems(|_| {}), Vec::<String>::new());
    }

    #[test]
    fn a_client_with_a_wrong_finding_is_named() {
        assert_eq!(
            misjudged(&compared(), Uuid::from_u128(8)),
            [
                "Fairweather Upholstery (cli_9001) should be linked by its e-mail address, but is linked"
            ]
        );
        let by_name = problems(|all| all.findings[0].by = Some("name".to_owned()));
        assert_eq!(by_name.len(), 1);
        let one_candidate = problems(|all| all.findings[1].candidates.truncate(1));
        assert_eq!(
            one_candidate,
            [
                "Cowley Road Launderette (cli_9002) should be left to the user, with two candidates, \
              but is ambiguous"
            ]
        );
        let found = problems(|all| all.findings[2].outcome = Verdict::Linked);
        assert_eq!(found, ["Tobias Marlowe (cli_9003) should be missing, but is linked"]);
        let in_use = problems(|all| all.findings[3].candidates[0].is_archived = false);
        assert_eq!(in_use.len(), 1);
    }

    #[test]
    fn each_client_has_exactly_one_finding() {
        let gone = problems(|all| drop(all.findings.remove(2)));
        assert_eq!(gone, ["Tobias Marlowe (cli_9003) has no finding: it should be missing"]);
        let twice = problems(|all| all.findings.extend_from_within(2..3));
        assert_eq!(twice, ["Tobias Marlowe (cli_9003) has more than one finding"]);
    }

    #[test]
    fn further_links_contacts_and_calls_are_reported() {
        let linked = problems(|all| all.progress.linked = 2);
        assert_eq!(linked, ["2 clients were linked instead of one"]);
        let created = problems(|all| all.contacts_after = 58);
        assert_eq!(
            created,
            ["the comparison changed the number of contacts in Xero from 57 to 58"]
        );
        let asked = problems(|all| all.lists = 56);
        assert_eq!(asked, ["the comparison listed Xero's contacts 56 times"]);
        let stopped = problems(|all| all.progress.stopped = Some("Connect again.".to_owned()));
        assert_eq!(stopped, ["the comparison was given up: Connect again."]);
    }
}
