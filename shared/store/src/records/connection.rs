//! The rows of an account's connection.

use domain::connection::{Connection, ConsentAttempt, GrantUse, OAuthAttempt, TenantClaim};
use domain::grant::Grant;

use super::Record;
use crate::keys;
use crate::table::{ItemKey, NewItem};

impl Record for Connection {
    fn key(&self) -> ItemKey {
        keys::connection(&self.account)
    }

    fn indexed(&self, item: NewItem) -> NewItem {
        NewItem { due: keys::due_connection(self), ..item }
    }
}

impl Record for TenantClaim {
    fn key(&self) -> ItemKey {
        keys::claim(self.tenant)
    }
}

impl Record for GrantUse {
    fn key(&self) -> ItemKey {
        keys::grant_use(self.grant, &self.account)
    }
}

impl Record for ConsentAttempt {
    fn key(&self) -> ItemKey {
        keys::consent(&self.ticket_hash)
    }

    fn indexed(&self, item: NewItem) -> NewItem {
        let due = Some(keys::consented_place(self));
        NewItem { expires_at: Some(self.expires_at), due, ..item }
    }
}

impl Record for Grant {
    fn key(&self) -> ItemKey {
        keys::grant(self.id)
    }

    fn indexed(&self, item: NewItem) -> NewItem {
        NewItem { due: keys::due_grant(self), ..item }
    }
}

impl Record for OAuthAttempt {
    fn key(&self) -> ItemKey {
        keys::oauth_attempt(&self.state_hash)
    }

    fn indexed(&self, item: NewItem) -> NewItem {
        let due = Some(keys::begun_place(self));
        NewItem { expires_at: Some(self.expires_at), due, ..item }
    }
}
