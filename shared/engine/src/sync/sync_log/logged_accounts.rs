//! The registration of accounts that have a sync log, so that the cleanup finds their entries.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use domain::ids::AccountId;
use jiff::{SignedDuration, Timestamp};
use store::StoreError;

use crate::Engine;
use crate::error_chain::ErrorChain;

/// Accounts that this process has recently registered as having a sync log.
#[derive(Debug, Default)]
pub struct LoggedAccounts(Mutex<HashMap<AccountId, Timestamp>>);

/// Maximum number of remembered accounts. A process serves many accounts.
const LOGGED_ACCOUNTS_MAX: usize = 4_096;
/// How long a process remembers an account. Erasing an account removes its registration, and other
/// processes do not notice; they forget the account before its erasure is complete.
const LOGGED_ACCOUNTS_FOR: SignedDuration = SignedDuration::from_mins(10);

impl LoggedAccounts {
    /// Remembers an account. Returns whether it was not remembered, so that its registration is due.
    fn remember_account(&self, account: &AccountId, now: Timestamp) -> bool {
        let mut accounts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_recent = |at: &Timestamp| now.duration_since(*at) < LOGGED_ACCOUNTS_FOR;
        if accounts.get(account).is_some_and(is_recent) {
            return false;
        }
        if accounts.len() >= LOGGED_ACCOUNTS_MAX {
            accounts.clear();
        }
        accounts.insert(account.clone(), now);
        true
    }

    /// Forgets an account that is erased or was not registered.
    pub(crate) fn forget_account(&self, account: &AccountId) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(account);
    }
}

impl Engine {
    /// Registers that the account has a log, so that the cleanup finds it. Each process does so at
    /// most once every ten minutes per account, also if it processes many records at the same time.
    pub(crate) async fn mark_account_logged(&self, account: &AccountId) {
        if !self.logged_accounts.remember_account(account, self.clock.now()) {
            return;
        }
        // The table removes expired entries by itself even without a registration.
        if let Err(error) = self.store.mark_account_logged(account).await {
            self.logged_accounts.forget_account(account);
            tracing::warn!(
                error = %ErrorChain(&error),
                account.id = %account,
                "the log was not registered"
            );
        }
    }

    /// Registers the account in the table, whatever this process remembers: another process may
    /// have erased the account since. If this succeeds, walks over all accounts find it.
    pub(crate) async fn require_account_logged(
        &self,
        account: &AccountId,
    ) -> Result<(), StoreError> {
        self.store.mark_account_logged(account).await?;
        self.logged_accounts.remember_account(account, self.clock.now());
        Ok(())
    }
}
