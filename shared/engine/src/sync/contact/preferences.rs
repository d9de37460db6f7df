//! The account's choices for the contacts of a batch.

use domain::sync_preferences::SyncPreferences;
use store::StoreError;

use crate::connection::tenant_session::TenantSession;

/// The account's choices, which the first contact of a batch that needs them reads for all.
#[derive(Debug, Default)]
pub(super) struct BatchPreferences(Option<SyncPreferences>);

impl BatchPreferences {
    /// Returns the choices. After an error the next contact reads them again.
    pub(super) async fn read_once(
        &mut self,
        tenant_session: &TenantSession<'_>,
    ) -> Result<SyncPreferences, StoreError> {
        if let Some(known) = self.0 {
            return Ok(known);
        }
        let store = &tenant_session.engine.store;
        let read = store.read_sync_preferences(&tenant_session.ledger.account).await?;
        self.0 = Some(read);
        Ok(read)
    }
}
