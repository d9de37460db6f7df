//! Many accounts on a generated table, with delays of Xero and AWS in virtual time, so that a test
//! measures order and concurrency.

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
use engine::ports::{Clock, IfMissing, PortError, SecretStore};
use engine::{Engine, Invocation};
use http::{Request, Response};
use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;
use store::memory::MemoryTable;
use store::table::{TableError, WriteExpectation};
use store::{ConnectionChange, Store};
use tests::World;
use tests::ports::{InterceptedTable, TableInterception, TableRequest};
use tests::simulation::executor::{Due, Ended, Processes, Timeline, after};
use uuid::Uuid;
use xero::{Transport, TransportError};

/// The response time of each service, generously estimated.
const TABLE_TAKES: SignedDuration = SignedDuration::from_millis(10);
const SECRET_TAKES: SignedDuration = SignedDuration::from_millis(50);
const XERO_TAKES: SignedDuration = SignedDuration::from_millis(500);
/// The memory and time that the template gives the jobs.
pub(super) const TIMEOUT: SignedDuration = SignedDuration::from_secs(900);

/// The claim of an access token that identifies its user.
const CLAIMS: &str = "eyJ4ZXJvX3VzZXJpZCI6IjAwMDAwMDAwLTAwMDAtNDAwMC04MDAwLTAwMDAwMDAwMDAwMSJ9";

pub(super) type Line = Timeline<()>;

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

#[derive(Debug)]
struct SlowTable(Line);

#[async_trait]
impl TableInterception for SlowTable {
    async fn intercept_request(&self, _: TableRequest<'_>) -> Result<(), TableError> {
        self.0.sleep(TABLE_TAKES).await;
        Ok(())
    }
}

#[derive(Debug, Clone)]
pub(super) struct SlowSecrets {
    kept: Arc<Mutex<BTreeMap<String, SecretString>>>,
    line: Line,
    /// Calls that read a secret.
    pub(super) reads: Arc<AtomicUsize>,
    /// Calls that write a secret.
    pub(super) writes: Arc<AtomicUsize>,
}

#[async_trait]
impl SecretStore for SlowSecrets {
    async fn get_secret(&self, name: &str) -> Result<Option<SecretString>, PortError> {
        self.reads.fetch_add(1, Ordering::SeqCst);
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

    async fn write_secret(
        &self,
        name: &str,
        value: &SecretString,
        _version: Uuid,
        _if_missing: IfMissing,
    ) -> Result<(), PortError> {
        self.writes.fetch_add(1, Ordering::SeqCst);
        self.line.sleep(SECRET_TAKES).await;
        self.kept.lock().unwrap().insert(name.to_owned(), value.clone());
        Ok(())
    }

    async fn delete_secret(&self, name: &str) -> Result<(), PortError> {
        self.line.sleep(SECRET_TAKES).await;
        self.kept.lock().unwrap().remove(name);
        Ok(())
    }
}

/// A Xero that knows only tokens and links: an access token names the organisation it is for.
#[derive(Debug, Clone)]
pub(super) struct SlowXero {
    line: Line,
    /// How long an answer takes.
    takes: Arc<Mutex<SignedDuration>>,
    pub(super) refreshes: Arc<AtomicUsize>,
    pub(super) lists: Arc<AtomicUsize>,
    at_once: Arc<AtomicUsize>,
    pub(super) most_at_once: Arc<AtomicUsize>,
}

#[async_trait]
impl Transport for SlowXero {
    async fn send_request(
        &self,
        request: Request<Bytes>,
    ) -> Result<Response<Bytes>, TransportError> {
        let now = self.at_once.fetch_add(1, Ordering::SeqCst) + 1;
        self.most_at_once.fetch_max(now, Ordering::SeqCst);
        let takes = *self.takes.lock().unwrap();
        self.line.sleep(takes).await;
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
pub(super) struct LargeWorld {
    pub(super) engine: Engine,
    pub(super) line: Line,
    pub(super) xero: SlowXero,
    pub(super) secrets: SlowSecrets,
    pub(super) table: MemoryTable,
}

fn uuid(number: usize) -> Uuid {
    let number = u64::try_from(number).unwrap();
    Uuid::from_u64_pair(0x5e47_0000_0000_4000, 0x8000_0000_0000_0000 | number)
}

pub(super) fn account(number: usize) -> AccountId {
    AccountId::new(format!("acc_{number:05}")).unwrap()
}

pub(super) fn ledger(number: usize) -> Ledger {
    Ledger { account: account(number), tenant: TenantId(uuid(number)) }
}

impl LargeWorld {
    /// This many connected accounts, each with its own organisation and Xero user.
    pub(super) fn new(accounts: usize) -> Self {
        let start: Timestamp = "2026-11-02T09:00:00Z".parse().unwrap();
        let line = Timeline::new(start);
        let table = MemoryTable::new();
        let kept = (0..accounts).map(|number| {
            let tenant = uuid(number);
            let name = format!("servicecortex-xero/test/grant/{tenant}");
            let tokens = format!(
                r#"{{"access_token":"{tenant}","refresh_token":"{tenant}","access_expires_at":"{start}"}}"#
            );
            (name, SecretString::from(tokens))
        });
        let secrets = SlowSecrets {
            kept: Arc::new(Mutex::new(kept.collect())),
            line: line.clone(),
            reads: Arc::default(),
            writes: Arc::default(),
        };
        let xero = SlowXero {
            line: line.clone(),
            takes: Arc::new(Mutex::new(XERO_TAKES)),
            refreshes: Arc::default(),
            lists: Arc::default(),
            at_once: Arc::default(),
            most_at_once: Arc::default(),
        };
        let engine = Engine {
            store: InterceptedTable::store_on(table.clone(), SlowTable(line.clone())),
            transport: Arc::new(xero.clone()),
            clock: Arc::new(SlowClock(line.clone())),
            secrets: Arc::new(secrets.clone()),
            ..World::new().engine
        };
        let world = Self { engine, line, xero, secrets, table };
        let rows = Store::new(Arc::new(world.table.clone()));
        world.run_to_end(async move {
            for number in 0..accounts {
                connect(&rows, number, start).await;
            }
        });
        world
    }

    /// Runs to completion in virtual time. Returns how long it took.
    pub(super) fn run_to_end(
        &self,
        work: impl Future<Output = ()> + Send + 'static,
    ) -> SignedDuration {
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

    /// From now on, each answer of Xero takes this long.
    pub(super) fn slow_xero_down(&self, takes: SignedDuration) {
        *self.xero.takes.lock().unwrap() = takes;
    }

    pub(super) fn pass_time(&self, time: SignedDuration) {
        let line = self.line.clone();
        self.run_to_end(async move { line.sleep(time).await });
    }

    pub(super) fn invocation(&self) -> Invocation {
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

pub(super) async fn store_given_up_record(
    rows: &Store,
    number: usize,
    record: usize,
    now: Timestamp,
) {
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

pub(super) async fn append_log_entry(rows: &Store, number: usize, entry: usize, now: Timestamp) {
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
        remedy: None,
        next_attempt_at: None,
        by: None,
        code: None,
    };
    rows.append_log(&entry).await.unwrap();
}
