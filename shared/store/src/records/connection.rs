//! The rows of an account's connection.

use domain::connection::{Connection, ConsentAttempt, GrantUse, OAuthAttempt, TenantClaim};
use domain::grant::{Grant, SealedTokens};

use super::StoredRecord;
use crate::keys;
use crate::table::{ItemKey, NewItem};

impl StoredRecord for Connection {
    fn item_key(&self) -> ItemKey {
        keys::connection_key(&self.account)
    }

    fn with_index_keys(&self, item: NewItem) -> NewItem {
        NewItem { due: keys::due_connection_key(self), ..item }
    }
}

impl StoredRecord for TenantClaim {
    fn item_key(&self) -> ItemKey {
        keys::tenant_claim_key(self.tenant)
    }
}

impl StoredRecord for GrantUse {
    fn item_key(&self) -> ItemKey {
        keys::grant_use_key(self.grant, &self.account)
    }
}

impl StoredRecord for ConsentAttempt {
    fn item_key(&self) -> ItemKey {
        keys::consent_key(&self.ticket_hash)
    }

    fn with_index_keys(&self, item: NewItem) -> NewItem {
        let due = Some(keys::due_consent_key(self));
        NewItem { expires_at: Some(self.expires_at), due, ..item }
    }
}

impl StoredRecord for Grant {
    fn item_key(&self) -> ItemKey {
        keys::grant_key(self.id)
    }

    fn with_index_keys(&self, item: NewItem) -> NewItem {
        NewItem { due: keys::due_grant_key(self), ..item }
    }
}

impl StoredRecord for SealedTokens {
    fn item_key(&self) -> ItemKey {
        keys::sealed_tokens_key(&self.name)
    }
}

impl StoredRecord for OAuthAttempt {
    fn item_key(&self) -> ItemKey {
        keys::oauth_attempt_key(&self.state_hash)
    }

    fn with_index_keys(&self, item: NewItem) -> NewItem {
        let due = Some(keys::due_oauth_attempt_key(self));
        NewItem { expires_at: Some(self.expires_at), due, ..item }
    }
}
