//! The organisation's own settings by hand: lock dates and the chart of accounts.

use super::{Bookkeeper, Refused};
use crate::organisation::Standing;
use jiff::civil::Date;

impl Bookkeeper<'_> {
    /// Locks everything dated on this day or before.
    pub fn lock_period(&mut self, through: Option<Date>) {
        self.books.organisation.period_lock_date = through;
    }

    /// Archives an account.
    pub fn archive_account(&mut self, code: &str) -> Result<(), Refused> {
        let now = self.now;
        let accounts = &mut self.books.organisation.accounts;
        let account = accounts.iter_mut().find(|account| account.code.as_deref() == Some(code));
        let account = account.ok_or_else(|| Refused("There is no such account".to_owned()))?;
        account.status = Standing::Archived;
        account.updated_at = now;
        Ok(())
    }

    /// Changes an account's code; people renumber their charts.
    pub fn renumber_account(&mut self, from: &str, to: &str) -> Result<(), Refused> {
        let now = self.now;
        if self.books.organisation.account(to).is_some() {
            return Err(Refused("The code is in use".to_owned()));
        }
        let accounts = &mut self.books.organisation.accounts;
        let account = accounts.iter_mut().find(|account| account.code.as_deref() == Some(from));
        let account = account.ok_or_else(|| Refused("There is no such account".to_owned()))?;
        account.code = Some(to.to_owned());
        account.updated_at = now;
        Ok(())
    }
}
