//! The organisation's settings, changed by hand: its subscription, users, lock dates, chart of
//! accounts.

use super::{Bookkeeper, Refused};
use crate::organisation::RowStatus;
use crate::subscription::Subscription;
use jiff::civil::Date;
use uuid::Uuid;

impl Bookkeeper<'_> {
    /// Locks everything dated on this day or before.
    pub fn lock_period(&mut self, through: Option<Date>) {
        self.books.organisation.period_lock_date = through;
    }

    /// Closes the books of a year: locks everything dated on this day or before.
    pub fn lock_year(&mut self, through: Option<Date>) {
        self.books.organisation.end_of_year_lock_date = through;
    }

    /// Ends the trial or the subscription: the organisation stays connected and refuses every call
    /// of the Accounting API.
    pub fn close_organisation(&mut self) {
        self.books.organisation.is_closed = true;
    }

    /// Subscribes again.
    pub fn reopen_organisation(&mut self) {
        self.books.organisation.is_closed = false;
    }

    /// Changes the subscription of the organisation.
    pub fn set_subscription(&mut self, subscription: Subscription) {
        self.books.organisation.subscription = subscription;
    }

    /// Makes a user read-only.
    pub fn restrict_user(&mut self, user: Uuid) {
        self.books.organisation.viewers.insert(user);
    }

    /// Allows a user to write again.
    pub fn unrestrict_user(&mut self, user: Uuid) {
        self.books.organisation.viewers.remove(&user);
    }

    /// Limits how many more invoices can be approved, as Xero's smallest plans do; `None` removes
    /// the limit.
    pub fn limit_approvals(&mut self, left: Option<u32>) {
        self.books.organisation.approvals_left = left;
    }

    /// Archives an account.
    pub fn archive_account(&mut self, code: &str) -> Result<(), Refused> {
        self.set_account_status(code, RowStatus::Archived)
    }

    /// Makes an archived account active again.
    pub fn restore_account(&mut self, code: &str) -> Result<(), Refused> {
        self.set_account_status(code, RowStatus::Active)
    }

    fn set_account_status(&mut self, code: &str, status: RowStatus) -> Result<(), Refused> {
        let now = self.now;
        let accounts = &mut self.books.organisation.accounts;
        let account = accounts.iter_mut().find(|account| account.code.as_deref() == Some(code));
        let account = account.ok_or_else(|| Refused("There is no such account".to_owned()))?;
        account.status = status;
        account.updated_at = now;
        Ok(())
    }

    /// Changes an account's code; customers do renumber their charts.
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
