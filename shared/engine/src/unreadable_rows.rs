//! Reports unreadable rows among others. Each is counted and logged, and does not stop the others.

use domain::ids::AccountId;
use store::StoreError;

use crate::Engine;
use crate::chain::Chain;
use crate::ports::Measure;

impl Engine {
    /// Counts and logs rows of an account that can never be read or written as they are.
    pub(crate) fn report_unreadable<'e>(
        &self,
        account: &AccountId,
        errors: impl IntoIterator<Item = &'e StoreError>,
    ) {
        for error in errors {
            self.metrics.record(Measure::Defect);
            tracing::error!(
                error = %Chain(error),
                account.id = %account,
                "skipped a row that cannot be read or written"
            );
        }
    }
}
