//! The jobs over 10,000 accounts, on a generated table, with delays of Xero and AWS in virtual
//! time, so that the test measures order and concurrency.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use domain::connection::{Connection, ConnectionState, PinnedOrganisation};
use domain::entity::EntityKind;
use domain::failure::{Failure, FailureCause, FailureClass};
use domain::grant::Grant;
use domain::ids::{AccountId, CrmId, GrantId, Ledger, TenantId, XeroConnectionId};
use domain::mapping::{KeptSnapshot, Mapping, MappingKey, SnapshotAcceptance};
use domain::operation::OperationState;
use domain::poll::PollProgress;
use domain::sync_log::{LogEntry, LogStatus, LoggedOperation};
use engine::jobs::cleanup;
use engine::jobs::health::check_health;
use engine::jobs::keep_alive::{KeepAliveSummary, renew_unused_tokens};
use engine::ports::{Clock, GivenUp, PortError, SecretStore};
use engine::{Engine, Invocation};
use http::{Request, Response};
use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;
use store::memory::MemoryTable;
use store::table::{
    IndexPage, IndexQuery, ItemKey, ItemPage, ItemTable, ItemWrite, StoredItem, TableError,
    TableQuery, WriteExpectation,
};
use store::{ConnectionChange, Store};
use tests::World;
use tests::simulation::executor::{Due, Ended, Processes, Timeline, after};
use uuid::Uuid;
use xero::{Transport, TransportError};

const ACCOUNTS: usize = 10_000;
/// The response time of each service, generously estimated.
const TABLE_TAKES: SignedDuration = SignedDuration::from_millis(10);
const SECRET_TAKES: SignedDuration = SignedDuration::from_millis(50);
const XERO_TAKES: SignedDuration = SignedDuration::from_millis(500);
/// The memory and time that the template gives the jobs.
const TIMEOUT: SignedDuration = SignedDuration::from_secs(900);

/// The claim of an access token that identifies its user.
const CLAIMS: &str = "eyJ4ZXJvX3VzZXJpZCI6IjAwMDAwMDAwLTAwMDAtNDAwMC04MDAwLTAwMDAwMDAwMDAwMSJ9";

type Line = Timeline<()>;

#[derive(Debug, Clone)]
struct SlowClock(Line);

#[async_trait]
impl Clock for SlowClock {
    fn now(&self) -> Timestamp {
        self.0.now()
    }

    async fn sleep_for(&self, moment: Duration) {
        self.0.sleep(SignedDuration::try_from(moment).unwrap()).await;
    }
}

#[derive(Debug, Clone)]
struct SlowTable {
    table: MemoryTable,
    line: Line,
}

#[async_trait]
impl ItemTable for SlowTable {
    async fn get(&self, key: &ItemKey) -> Result<Option<StoredItem>, TableError> {
        self.line.sleep(TABLE_TAKES).await;
        self.table.get(key).await
    }

    async fn write_items(&self, writes: Vec<ItemWrite>) -> Result<(), TableError> {
        self.line.sleep(TABLE_TAKES).await;
        self.table.write_items(writes).await
    }

    async fn query_items(&self, query: TableQuery) -> Result<ItemPage, TableError> {
        self.line.sleep(TABLE_TAKES).await;
        self.table.query_items(query).await
    }

    async fn query_index(&self, query: IndexQuery) -> Result<IndexPage, TableError> {
        self.line.sleep(TABLE_TAKES).await;
        self.table.query_index(query).await
    }
}

#[derive(Debug, Clone)]
struct SlowSecrets {
    kept: Arc<Mutex<BTreeMap<String, SecretString>>>,
    line: Line,
}

#[async_trait]
impl SecretStore for SlowSecrets {
    async fn get_secret(&self, name: &str) -> Result<Option<SecretString>, PortError> {
        self.line.sleep(SECRET_TAKES).await;
        Ok(self.kept.lock().unwrap().get(name).cloned())
    }

    async fn get_version(
        &self,
        name: &str,
        _version: Uuid,
    ) -> Result<Option<SecretString>, PortError> {
        self.get_secret(name).await
    }

    async fn put_secret(
        &self,
        name: &str,
        value: &SecretString,
        _version: Uuid,
    ) -> Result<(), PortError> {
        self.line.sleep(SECRET_TAKES).await;
        self.kept.lock().unwrap().insert(name.to_owned(), value.clone());
        Ok(())
    }

    async fn replace_secret(
        &self,
        name: &str,
        value: &SecretString,
        version: Uuid,
    ) -> Result<(), PortError> {
        self.put_secret(name, value, version).await
    }

    async fn delete_secret(&self, name: &str) -> Result<(), PortError> {
        self.line.sleep(SECRET_TAKES).await;
        self.kept.lock().unwrap().remove(name);
        Ok(())
    }
}

/// A Xero that knows only tokens and links: an access token names the organisation it is for.
#[derive(Debug, Clone)]
struct SlowXero {
    line: Line,
    refreshes: Arc<AtomicUsize>,
    lists: Arc<AtomicUsize>,
    at_once: Arc<AtomicUsize>,
    most_at_once: Arc<AtomicUsize>,
}

#[async_trait]
impl Transport for SlowXero {
    async fn send_request(
        &self,
        request: Request<Bytes>,
    ) -> Result<Response<Bytes>, TransportError> {
        let now = self.at_once.fetch_add(1, Ordering::SeqCst) + 1;
        self.most_at_once.fetch_max(now, Ordering::SeqCst);
        self.line.sleep(XERO_TAKES).await;
        self.at_once.fetch_sub(1, Ordering::SeqCst);
        let answer = match request.uri().path() {
            "/connect/token" => {
                self.refreshes.fetch_add(1, Ordering::SeqCst);
                let body = String::from_utf8(request.body().to_vec()).unwrap();
                let pairs = url::form_urlencoded::parse(body.as_bytes());
                let (_, token) = pairs.into_iter().find(|(key, _)| key == "refresh_token").unwrap();
                format!(
                    r#"{{"access_token":"e30.{CLAIMS}.{token}","refresh_token":"{token}","expires_in":1800,"token_type":"Bearer"}}"#
                )
            }
            "/connections" => {
                self.lists.fetch_add(1, Ordering::SeqCst);
                let bearer = request.headers()["authorization"].to_str().unwrap();
                let (_, tenant) = bearer.rsplit_once('.').unwrap();
                format!(
                    r#"[{{"id":"{tenant}","tenantId":"{tenant}","tenantType":"ORGANISATION","tenantName":"Org"}}]"#
                )
            }
            path => panic!("unexpected request for {path}"),
        };
        let response = Response::builder().status(200).header("content-type", "application/json");
        Ok(response.body(Bytes::from(answer)).unwrap())
    }
}

/// A complete world with its accounts already in the table.
struct Crowd {
    engine: Engine,
    line: Line,
    xero: SlowXero,
    table: MemoryTable,
}

fn uuid(number: usize) -> Uuid {
    let number = u64::try_from(number).unwrap();
    Uuid::from_u64_pair(0x5e47_0000_0000_4000, 0x8000_0000_0000_0000 | number)
}

fn account(number: usize) -> AccountId {
    AccountId::new(format!("acc_{number:05}")).unwrap()
}

fn ledger(number: usize) -> Ledger {
    Ledger { account: account(number), tenant: TenantId(uuid(number)) }
}

impl Crowd {
    fn new() -> Self {
        let start: Timestamp = "2026-11-02T09:00:00Z".parse().unwrap();
        let line = Timeline::new(start);
        let table = MemoryTable::new();
        let kept = (0..ACCOUNTS).map(|number| {
            let tenant = uuid(number);
            let name = format!("servicecortex-xero/test/grant/{tenant}");
            let tokens = format!(
                r#"{{"access_token":"{tenant}","refresh_token":"{tenant}","access_expires_at":"{start}"}}"#
            );
            (name, SecretString::from(tokens))
        });
        let secrets =
            SlowSecrets { kept: Arc::new(Mutex::new(kept.collect())), line: line.clone() };
        let xero = SlowXero {
            line: line.clone(),
            refreshes: Arc::default(),
            lists: Arc::default(),
            at_once: Arc::default(),
            most_at_once: Arc::default(),
        };
        let engine = Engine {
            store: Store::new(Arc::new(SlowTable { table: table.clone(), line: line.clone() })),
            transport: Arc::new(xero.clone()),
            clock: Arc::new(SlowClock(line.clone())),
            secrets: Arc::new(secrets),
            ..World::new().engine
        };
        let crowd = Self { engine, line, xero, table };
        let rows = Store::new(Arc::new(crowd.table.clone()));
        crowd.does(async move {
            for number in 0..ACCOUNTS {
                connect(&rows, number, start).await;
            }
        });
        crowd
    }

    /// Runs to completion in virtual time. Returns how long it took.
    fn does(&self, work: impl Future<Output = ()> + Send + 'static) -> SignedDuration {
        let begun = self.line.now();
        let mut processes = Processes::new(self.line.clone());
        processes.start(work);
        loop {
            while let Some((_, ended)) = processes.poll_one() {
                assert!(!matches!(ended, Some(Ended::Died)));
            }
            if processes.is_idle() {
                return self.line.now().duration_since(begun);
            }
            match self.line.next() {
                Some(Due::Waker(waker)) => waker.wake(),
                Some(Due::Occurrence(())) => {}
                None => panic!("it waits without a timer"),
            }
        }
    }

    fn pass(&self, time: SignedDuration) {
        let line = self.line.clone();
        self.does(async move { line.sleep(time).await });
    }

    fn invocation(&self) -> Invocation {
        Invocation::with_deadline(after(self.line.now(), TIMEOUT))
    }
}

/// A connection as an earlier release left it: without a claim on its organisation.
async fn connect(rows: &Store, number: usize, now: Timestamp) {
    let tenant = uuid(number);
    let organisation = PinnedOrganisation {
        tenant: TenantId(tenant),
        name: "Org".to_owned(),
        xero_connection: XeroConnectionId(tenant),
        grant: GrantId(tenant),
        serial: 0,
    };
    let connection = Connection {
        state: ConnectionState::Active,
        organisation: Some(organisation),
        connected_at: Some(now),
        ..Connection::never_connected(account(number))
    };
    let progress = PollProgress::new(ledger(number), now);
    let polled = Some((&progress, WriteExpectation::Absent));
    let change = ConnectionChange { polled, ..ConnectionChange::default() };
    rows.put_connection(&connection, WriteExpectation::Absent, change).await.unwrap();
    rows.put_grant(&Grant::new(GrantId(tenant), now), WriteExpectation::Absent).await.unwrap();
}

async fn give_up(rows: &Store, number: usize, record: usize, now: Timestamp) {
    let crm_id = CrmId::new(format!("inv_{record}")).unwrap();
    let key = MappingKey::new(ledger(number), EntityKind::Invoice, crm_id);
    let snapshot = KeptSnapshot::new(1, "#1".to_owned(), "{}".to_owned());
    let SnapshotAcceptance::Newer(mapping) = Mapping::accept_snapshot(None, &key, snapshot, now)
    else {
        panic!()
    };
    let mut mapping = *mapping;
    mapping.operation.state = OperationState::Skipped;
    let failure =
        Failure::new(FailureClass::Untranslatable, FailureCause::TaxRateUnknown, "No.", "");
    mapping.operation.failure = Some(failure);
    rows.put_mapping(&mapping, WriteExpectation::Absent, None).await.unwrap();
}

async fn log(rows: &Store, number: usize, entry: usize, now: Timestamp) {
    let entry = LogEntry {
        id: format!("{}-{entry:06}", store::keys::format_instant(now)),
        at: now,
        account: account(number),
        operation: LoggedOperation::Create,
        entity: EntityKind::Invoice,
        crm_id: CrmId::new("inv_1").unwrap(),
        number: None,
        xero_id: None,
        status: LogStatus::Synced,
        attempt: 1,
        duration_ms: 1,
        message: "Created in Xero.".to_owned(),
        code: None,
    };
    rows.append_log(&entry).await.unwrap();
}

/// Peak memory of this process so far, in KiB; `None` if the system does not report it.
fn peak_kib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

/// Prints what a job took, and asserts that a third of the template's limits is left.
fn told(job: &str, took: SignedDuration, before: Option<u64>) {
    let grew = peak_kib().zip(before).map(|(now, before)| now.saturating_sub(before) / 1_024);
    // The template gives 256 MB, of which a new process takes some 20.
    assert!(grew.is_none_or(|grew| grew < 128), "{job} took {grew:?} MiB");
    println!("{job} over {ACCOUNTS} accounts: {took:#}, memory grew by {grew:?} MiB");
    assert!(took * 3 < TIMEOUT * 2, "{job} took {took:#}");
}

#[test]
fn ten_thousand_idle_connections_are_renewed_in_one_run() {
    let crowd = Crowd::new();
    crowd.pass(SignedDuration::from_hours(24 * 21));
    let (engine, invocation, before) = (crowd.engine.clone(), crowd.invocation(), peak_kib());
    let took = crowd.does(async move {
        let kept = renew_unused_tokens(&engine, invocation).await.unwrap();
        assert_eq!((kept.renewed, kept.failed, kept.is_cut_short), (ACCOUNTS, 0, false));
    });
    assert_eq!(crowd.xero.refreshes.load(Ordering::SeqCst), ACCOUNTS);
    assert!(crowd.xero.most_at_once.load(Ordering::SeqCst) <= 16);
    told("keep-alive", took, before);
    // The next day there is nothing to do.
    crowd.pass(SignedDuration::from_hours(24));
    let (engine, invocation) = (crowd.engine.clone(), crowd.invocation());
    crowd.does(async move {
        let kept = renew_unused_tokens(&engine, invocation).await.unwrap();
        assert_eq!((kept.renewed, kept.in_use), (0, ACCOUNTS));
    });
}

#[test]
fn a_keep_alive_that_runs_out_of_time_is_continued_by_the_next_run() {
    const RUN_TAKES_MAX: SignedDuration = SignedDuration::from_secs(180);
    let crowd = Crowd::new();
    crowd.pass(SignedDuration::from_hours(24 * 21));
    let (mut runs, mut renewed, mut is_cut_short) = (0, 0, true);
    while is_cut_short {
        let invocation = Invocation::with_deadline(after(crowd.line.now(), RUN_TAKES_MAX));
        let ended = Arc::new(Mutex::new(KeepAliveSummary::default()));
        let (engine, result) = (crowd.engine.clone(), ended.clone());
        let took = crowd.does(async move {
            let kept = renew_unused_tokens(&engine, invocation).await.unwrap();
            *result.lock().unwrap() = kept;
        });
        assert!(took < RUN_TAKES_MAX, "{took:#}");
        let kept = *ended.lock().unwrap();
        assert!(kept.renewed > 0 && kept.failed == 0, "{kept:?}");
        (runs, renewed, is_cut_short) = (runs + 1, renewed + kept.renewed, kept.is_cut_short);
    }
    assert!((2..=5).contains(&runs), "{runs} runs");
    assert_eq!(renewed, ACCOUNTS);
    assert_eq!(crowd.xero.refreshes.load(Ordering::SeqCst), ACCOUNTS, "each renewed once");
}

#[test]
fn a_health_check_covers_ten_thousand_accounts_with_six_given_up_records_each() {
    let crowd = Crowd::new();
    let rows = Store::new(Arc::new(crowd.table.clone()));
    let now = crowd.line.now();
    crowd.does(async move {
        for number in 0..ACCOUNTS {
            for record in 0..6 {
                give_up(&rows, number, record, now).await;
            }
        }
    });
    for visit in 0..2 {
        let (engine, invocation, before) = (crowd.engine.clone(), crowd.invocation(), peak_kib());
        let took = crowd.does(async move {
            let checked = check_health(&engine, invocation).await.unwrap();
            let counted = checked.counted;
            let given_up = GivenUp { records: ACCOUNTS * 6, accounts: ACCOUNTS, warned: ACCOUNTS };
            assert_eq!((counted.connections, counted.given_up), (ACCOUNTS, Some(given_up)));
            assert_eq!(checked.failed, 0);
            assert_eq!(checked.raised, if visit == 0 { ACCOUNTS } else { 0 });
            assert!(!checked.is_cut_short);
        });
        told("health-check", took, before);
    }
    // The first one also upgraded every row of the earlier release.
    let items = crowd.table.all_items();
    let claims = items.iter().filter(|item| item.key.sk == "CLAIM").count();
    let uses = items.iter().filter(|item| item.key.sk.starts_with("USE#")).count();
    let indexed = items.iter().filter(|item| item.attention.is_some()).count();
    assert_eq!((claims, uses, indexed), (ACCOUNTS, ACCOUNTS, ACCOUNTS * 6));
    // One account in 24 was checked at Xero in this hour, twice over.
    let lists = crowd.xero.lists.load(Ordering::SeqCst);
    assert!((700..1_000).contains(&lists), "{lists}");
}

#[test]
fn a_cleanup_completes_for_the_logs_of_ten_thousand_accounts() {
    let crowd = Crowd::new();
    let rows = Store::new(Arc::new(crowd.table.clone()));
    let now = crowd.line.now();
    crowd.does(async move {
        for number in 0..ACCOUNTS {
            rows.mark_account_logged(&account(number)).await.unwrap();
            for entry in 0..5 {
                log(&rows, number, entry, now).await;
            }
        }
    });
    crowd.pass(SignedDuration::from_hours(24 * 31));
    let (engine, invocation, before) = (crowd.engine.clone(), crowd.invocation(), peak_kib());
    let took = crowd.does(async move {
        let cleaned =
            cleanup::remove_expired_rows(&engine.store, &*engine.clock, invocation).await.unwrap();
        assert_eq!((cleaned.accounts, cleaned.entries), (ACCOUNTS, ACCOUNTS * 5));
        assert!(!cleaned.is_cut_short && cleaned.failed == 0);
    });
    told("log-cleanup", took, before);
    assert!(!crowd.table.all_items().iter().any(|item| item.key.pk.starts_with("LOG#")));
}
