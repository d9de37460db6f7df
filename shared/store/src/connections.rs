//! Connections, the claims on organisations and grants, and the authorisations that create
//! connections.

use std::num::NonZeroU16;

use domain::activity::{AccountActivity, KeptRecords};
use domain::connection::{Connection, ConsentAttempt, GrantUse, OAuthAttempt, TenantClaim};
use domain::grant::Grant;
use domain::ids::{AccountId, GrantId, TenantId};
use domain::outbound::EventMessage;
use domain::people::KnownPeople;
use domain::poll::PollProgress;
use jiff::Timestamp;

use crate::keys;
use crate::records::StoredRecord;
use crate::results::{GrantUsers, StoreError, VersionedRecord};
use crate::store::{Store, decode_all, encode_item, new_event};
use crate::table::{
    ItemKey, ItemVersion, ItemWrite, MAX_WRITES, SortOrder, SortRange, TableQuery, WriteExpectation,
};

/// Accounts of a grant per page, and maximum pages that are read: 500 accounts. An accountant
/// connects the accounts of many customers with one login.
const GRANT_USERS_PER_PAGE: NonZeroU16 = NonZeroU16::new(100).expect("not zero");
const GRANT_USER_PAGES_MAX: usize = 5;

/// Maximum number of claims and uses of grants that change together with a connection. With the
/// connection, the event and the poll progress they fit into one transaction.
pub const CLAIM_CHANGES_MAX: usize = MAX_WRITES - 3;

/// What changes together with a connection, in one transaction. With more than
/// [`CLAIM_CHANGES_MAX`] claims and uses, the write is a [`StoreError::TooLarge`].
#[derive(Debug, Default)]
pub struct ConnectionChange<'a> {
    /// The event for the CRM.
    pub event: Option<&'a EventMessage>,
    /// The poll progress of the ledger that is polled from now on.
    pub polled: Option<(&'a PollProgress, WriteExpectation)>,
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
    pub async fn find_connection(
        &self,
        account: &AccountId,
    ) -> Result<Option<VersionedRecord<Connection>>, StoreError> {
        self.read_record("read the connection", &keys::connection_key(account)).await
    }

    /// Writes a connection together with `change`, in one transaction.
    pub async fn put_connection(
        &self,
        connection: &Connection,
        expect: WriteExpectation,
        change: ConnectionChange<'_>,
    ) -> Result<ItemVersion, StoreError> {
        let ConnectionChange { event, polled, claimed, unclaimed, used, unused } = change;
        let connection = &connection.clone().within_limits();
        let mut writes = vec![ItemWrite::Put { item: encode_item(connection), expect }];
        writes.extend(event.map(new_event));
        writes.extend(
            polled.map(|(progress, expect)| ItemWrite::Put { item: encode_item(progress), expect }),
        );
        let account = &connection.account;
        let claim = |tenant: &TenantId| TenantClaim { tenant: *tenant, account: account.clone() };
        let usage = |grant: &GrantId| GrantUse { grant: *grant, account: account.clone() };
        writes.extend(claimed.iter().map(|tenant| create_write(&claim(tenant))));
        writes.extend(used.iter().map(|grant| create_write(&usage(grant))));
        // Claims and uses are written once, so they still have their first versions.
        writes.extend(unclaimed.iter().map(|tenant| delete_write(keys::tenant_claim_key(*tenant))));
        writes
            .extend(unused.iter().map(|grant| delete_write(keys::grant_use_key(*grant, account))));
        self.write_all("write the connection", writes).await?;
        Ok(expect.next_version())
    }

    /// Returns the account to which an organisation belongs.
    pub async fn find_organisation_owner(
        &self,
        tenant: TenantId,
    ) -> Result<Option<AccountId>, StoreError> {
        let found: Option<VersionedRecord<TenantClaim>> = self
            .read_record("read the owner of the organisation", &keys::tenant_claim_key(tenant))
            .await?;
        Ok(found.map(|found| found.record.account))
    }

    /// Returns whether an account uses a grant.
    pub async fn is_grant_used(
        &self,
        grant: GrantId,
        account: &AccountId,
    ) -> Result<bool, StoreError> {
        let found: Option<VersionedRecord<GrantUse>> = self
            .read_record("read the use of the grant", &keys::grant_use_key(grant, account))
            .await?;
        Ok(found.is_some())
    }

    /// Returns the accounts that use a grant: all if there are fewer than 500, otherwise the first
    /// 500.
    pub async fn list_grant_users(&self, grant: GrantId) -> Result<GrantUsers, StoreError> {
        const OPERATION: &str = "find the users of the grant";
        let mut users = GrantUsers { accounts: Vec::new(), unreadable: Vec::new(), is_all: false };
        let mut after = None;
        for _ in 0..GRANT_USER_PAGES_MAX {
            let query = TableQuery {
                pk: keys::grant_partition(grant),
                range: SortRange::Prefix(keys::USES.to_owned()),
                order: SortOrder::Ascending,
                limit: GRANT_USERS_PER_PAGE,
                after,
            };
            let page = self.table.query_items(query).await;
            let page = page.map_err(|source| StoreError::Table { operation: OPERATION, source })?;
            let (rows, unreadable) = decode_all::<GrantUse>(OPERATION, page.items, page.corrupt);
            users.accounts.extend(rows.into_iter().map(|row| row.record.account));
            users.unreadable.extend(unreadable);
            after = page.next;
            if after.is_none() {
                users.is_all = true;
                break;
            }
        }
        Ok(users)
    }

    /// Reads a grant's row.
    pub async fn find_grant(
        &self,
        id: GrantId,
    ) -> Result<Option<VersionedRecord<Grant>>, StoreError> {
        self.read_record("read the grant", &keys::grant_key(id)).await
    }

    /// Writes a grant's row.
    pub async fn put_grant(
        &self,
        grant: &Grant,
        expect: WriteExpectation,
    ) -> Result<ItemVersion, StoreError> {
        self.put_record("write the grant", grant, expect).await
    }

    /// Stores an authorisation in progress.
    pub async fn put_oauth_attempt(&self, attempt: &OAuthAttempt) -> Result<(), StoreError> {
        self.put_record("write the OAuth attempt", attempt, WriteExpectation::Absent)
            .await
            .map(drop)
    }

    /// Takes an authorisation in progress. At most one caller receives it, and none after it has
    /// expired.
    pub async fn take_oauth_attempt(
        &self,
        state_hash: &str,
        now: Timestamp,
    ) -> Result<Option<OAuthAttempt>, StoreError> {
        const OPERATION: &str = "take the OAuth attempt";
        let key = keys::oauth_attempt_key(state_hash);
        let found: Option<VersionedRecord<OAuthAttempt>> =
            self.read_record(OPERATION, &key).await?;
        let Some(VersionedRecord { record, version }) = found else { return Ok(None) };
        match self.write_all(OPERATION, vec![ItemWrite::Delete { key, expect: version }]).await {
            Ok(()) => Ok((record.expires_at > now).then_some(record)),
            Err(StoreError::Conflict) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Reads a consent that is to be completed.
    pub async fn find_consent(
        &self,
        ticket_hash: &str,
    ) -> Result<Option<VersionedRecord<ConsentAttempt>>, StoreError> {
        self.read_record("read the consent", &keys::consent_key(ticket_hash)).await
    }

    /// Writes a consent that is to be completed.
    pub async fn put_consent(
        &self,
        consent: &ConsentAttempt,
        expect: WriteExpectation,
    ) -> Result<ItemVersion, StoreError> {
        self.put_record("write the consent", consent, expect).await
    }

    /// Removes a consent, so that it can no longer be completed.
    pub async fn remove_consent(
        &self,
        ticket_hash: &str,
        expect: ItemVersion,
    ) -> Result<(), StoreError> {
        let key = keys::consent_key(ticket_hash);
        self.write_all("remove the consent", vec![ItemWrite::Delete { key, expect }]).await
    }

    /// Reads when an account's records were last attempted.
    pub async fn find_activity(
        &self,
        account: &AccountId,
    ) -> Result<Option<VersionedRecord<AccountActivity>>, StoreError> {
        self.read_record("read the last attempts", &keys::activity_key(account)).await
    }

    /// Reads the names of an account's users.
    pub async fn find_people(
        &self,
        account: &AccountId,
    ) -> Result<Option<VersionedRecord<KnownPeople>>, StoreError> {
        self.read_record("read the names of users", &keys::people_key(account)).await
    }

    /// Writes the names of an account's users.
    pub async fn put_people(
        &self,
        people: &KnownPeople,
        expect: WriteExpectation,
    ) -> Result<ItemVersion, StoreError> {
        self.put_record("write the names of users", people, expect).await
    }

    /// Reads how many records of an account are stored without a connection.
    pub async fn find_kept_records(
        &self,
        account: &AccountId,
    ) -> Result<Option<VersionedRecord<KeptRecords>>, StoreError> {
        self.read_record("read the count of stored records", &keys::kept_records_key(account)).await
    }

    /// Writes how many records of an account are stored without a connection.
    pub async fn put_kept_records(
        &self,
        kept: &KeptRecords,
        expect: WriteExpectation,
    ) -> Result<ItemVersion, StoreError> {
        self.put_record("write the count of stored records", kept, expect).await
    }
}

fn create_write<T: StoredRecord>(record: &T) -> ItemWrite {
    ItemWrite::Put { item: encode_item(record), expect: WriteExpectation::Absent }
}

fn delete_write(key: ItemKey) -> ItemWrite {
    ItemWrite::Delete { key, expect: ItemVersion::FIRST }
}

#[cfg(test)]
mod tests;
