//! Connections, the claims on organisations and grants, and the authorisations that create
//! connections.

use std::num::NonZeroU16;

use domain::activity::{Activity, KeptRecords};
use domain::connection::{Connection, ConsentAttempt, GrantUse, OAuthAttempt, TenantClaim};
use domain::grant::Grant;
use domain::ids::{AccountId, GrantId, TenantId};
use domain::outbound::Event;
use domain::poll::Progress;
use jiff::Timestamp;

use crate::answers::{GrantUsers, StoreError, Versioned};
use crate::keys;
use crate::records::Record;
use crate::store::{Store, decode_all, encode, new_event};
use crate::table::{Expect, ItemKey, MAX_WRITES, Order, Query, SortRange, Version, Write};

/// Maximum number of accounts of a grant that are read.
pub const GRANT_USERS_READ: u16 = 20;

/// Maximum number of claims and uses of grants that change together with a connection. With the
/// connection, the event and the poll progress they fit into one transaction.
pub const CLAIM_CHANGES_MAX: usize = MAX_WRITES - 3;

/// What changes together with a connection, in one transaction. With more than
/// [`CLAIM_CHANGES_MAX`] claims and uses, the write is a [`StoreError::TooLarge`].
#[derive(Debug, Default)]
pub struct ConnectionChange<'a> {
    /// The event for the CRM.
    pub event: Option<&'a Event>,
    /// The poll progress of the ledger that is polled from now on.
    pub polled: Option<(&'a Progress, Expect)>,
    /// Organisations that this account claims. If one belongs to another account, the write is a
    /// [`StoreError::Conflict`].
    pub claimed: &'a [TenantId],
    /// Organisations that this account releases.
    pub unclaimed: &'a [TenantId],
    /// Grants that this account uses from now on.
    pub used: &'a [GrantId],
    /// Grants that this account no longer uses.
    pub unused: &'a [GrantId],
}

impl Store {
    /// Reads an account's connection.
    pub async fn connection(
        &self,
        account: &AccountId,
    ) -> Result<Option<Versioned<Connection>>, StoreError> {
        self.read("read the connection", &keys::connection(account)).await
    }

    /// Writes a connection together with `change`, in one transaction.
    pub async fn put_connection(
        &self,
        connection: &Connection,
        expect: Expect,
        change: ConnectionChange<'_>,
    ) -> Result<Version, StoreError> {
        let ConnectionChange { event, polled, claimed, unclaimed, used, unused } = change;
        let connection = &connection.clone().bounded();
        let mut writes = vec![Write::Put { item: encode(connection), expect }];
        writes.extend(event.map(new_event));
        writes
            .extend(polled.map(|(progress, expect)| Write::Put { item: encode(progress), expect }));
        let account = &connection.account;
        let claim = |tenant: &TenantId| TenantClaim { tenant: *tenant, account: account.clone() };
        let usage = |grant: &GrantId| GrantUse { grant: *grant, account: account.clone() };
        writes.extend(claimed.iter().map(|tenant| create(&claim(tenant))));
        writes.extend(used.iter().map(|grant| create(&usage(grant))));
        // Claims and uses are written once, so they still have their first versions.
        writes.extend(unclaimed.iter().map(|tenant| remove(keys::claim(*tenant))));
        writes.extend(unused.iter().map(|grant| remove(keys::grant_use(*grant, account))));
        self.write("write the connection", writes).await?;
        Ok(expect.next_version())
    }

    /// Returns the account to which an organisation belongs.
    pub async fn claim(&self, tenant: TenantId) -> Result<Option<AccountId>, StoreError> {
        let found: Option<Versioned<TenantClaim>> =
            self.read("read the owner of the organisation", &keys::claim(tenant)).await?;
        Ok(found.map(|found| found.record.account))
    }

    /// Returns whether an account uses a grant.
    pub async fn is_grant_used(
        &self,
        grant: GrantId,
        account: &AccountId,
    ) -> Result<bool, StoreError> {
        let found: Option<Versioned<GrantUse>> =
            self.read("read the use of the grant", &keys::grant_use(grant, account)).await?;
        Ok(found.is_some())
    }

    /// Returns accounts that use a grant: at most [`GRANT_USERS_READ`].
    pub async fn grant_users(&self, grant: GrantId) -> Result<GrantUsers, StoreError> {
        const OPERATION: &str = "find the users of the grant";
        let query = Query {
            pk: keys::grant_partition(grant),
            range: SortRange::Prefix(keys::USES.to_owned()),
            order: Order::Ascending,
            limit: NonZeroU16::new(GRANT_USERS_READ).expect("not zero"),
            after: None,
        };
        let page = self.table.query(query).await;
        let page = page.map_err(|source| StoreError::Table { operation: OPERATION, source })?;
        let (rows, unreadable) = decode_all::<GrantUse>(OPERATION, page.items, page.corrupt);
        let accounts = rows.into_iter().map(|row| row.record.account).collect();
        Ok(GrantUsers { accounts, unreadable, is_all: page.next.is_none() })
    }

    /// Reads a grant's row.
    pub async fn grant(&self, id: GrantId) -> Result<Option<Versioned<Grant>>, StoreError> {
        self.read("read the grant", &keys::grant(id)).await
    }

    /// Writes a grant's row.
    pub async fn put_grant(&self, grant: &Grant, expect: Expect) -> Result<Version, StoreError> {
        self.put("write the grant", grant, expect).await
    }

    /// Stores an authorisation in progress.
    pub async fn put_oauth_attempt(&self, attempt: &OAuthAttempt) -> Result<(), StoreError> {
        self.put("write the OAuth attempt", attempt, Expect::Absent).await.map(drop)
    }

    /// Takes an authorisation in progress. At most one caller receives it, and none after it has
    /// expired.
    pub async fn take_oauth_attempt(
        &self,
        state_hash: &str,
        now: Timestamp,
    ) -> Result<Option<OAuthAttempt>, StoreError> {
        const OPERATION: &str = "take the OAuth attempt";
        let key = keys::oauth_attempt(state_hash);
        let found: Option<Versioned<OAuthAttempt>> = self.read(OPERATION, &key).await?;
        let Some(Versioned { record, version }) = found else { return Ok(None) };
        match self.write(OPERATION, vec![Write::Delete { key, expect: version }]).await {
            Ok(()) => Ok((record.expires_at > now).then_some(record)),
            Err(StoreError::Conflict) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Reads a consent that is to be completed.
    pub async fn consent(
        &self,
        ticket_hash: &str,
    ) -> Result<Option<Versioned<ConsentAttempt>>, StoreError> {
        self.read("read the consent", &keys::consent(ticket_hash)).await
    }

    /// Writes a consent that is to be completed.
    pub async fn put_consent(
        &self,
        consent: &ConsentAttempt,
        expect: Expect,
    ) -> Result<Version, StoreError> {
        self.put("write the consent", consent, expect).await
    }

    /// Removes a consent, so that it can no longer be completed.
    pub async fn remove_consent(
        &self,
        ticket_hash: &str,
        expect: Version,
    ) -> Result<(), StoreError> {
        let key = keys::consent(ticket_hash);
        self.write("remove the consent", vec![Write::Delete { key, expect }]).await
    }

    /// Reads when an account's records were last attempted.
    pub async fn activity(
        &self,
        account: &AccountId,
    ) -> Result<Option<Versioned<Activity>>, StoreError> {
        self.read("read the last attempts", &keys::activity(account)).await
    }

    /// Reads how many records of an account are stored without a connection.
    pub async fn kept_records(
        &self,
        account: &AccountId,
    ) -> Result<Option<Versioned<KeptRecords>>, StoreError> {
        self.read("read the count of stored records", &keys::kept(account)).await
    }

    /// Writes how many records of an account are stored without a connection.
    pub async fn put_kept_records(
        &self,
        kept: &KeptRecords,
        expect: Expect,
    ) -> Result<Version, StoreError> {
        self.put("write the count of stored records", kept, expect).await
    }
}

fn create<T: Record>(record: &T) -> Write {
    Write::Put { item: encode(record), expect: Expect::Absent }
}

fn remove(key: ItemKey) -> Write {
    Write::Delete { key, expect: Version::FIRST }
}
