//! What bookkeepers do in Xero.

use engine::ports::Clock;
use jiff::SignedDuration;
use jiff::civil::Date;
use uuid::Uuid;
use xero_sim::Bookkeeper;

use super::World;

const MINUTE: SignedDuration = SignedDuration::from_mins(1);

impl World {
    /// A bookkeeper works in the books of the first organisation.
    pub fn by_hand<T>(&self, work: impl FnOnce(&mut Bookkeeper<'_>) -> T) -> T {
        let (tenant, now) = (self.tenant(), self.clock.now());
        let mut xero = self.xero();
        let mut bookkeeper = xero.bookkeeper(now, tenant).expect("the organisation has books");
        work(&mut bookkeeper)
    }

    /// The same, a minute after everything before it and a minute before everything after it, so
    /// that Xero dates no other change like this one.
    pub fn by_hand_apart<T>(&self, work: impl FnOnce(&mut Bookkeeper<'_>) -> T) -> T {
        self.clock.advance(MINUTE);
        let worked = self.by_hand(work);
        self.clock.advance(MINUTE);
        worked
    }

    /// A bookkeeper enters a contact. Returns the contact's id.
    pub fn add_contact(&self, name: &str) -> Uuid {
        self.by_hand(|bookkeeper| {
            bookkeeper.add_contact(name).expect("a contact that Xero accepts")
        })
    }

    /// A bookkeeper locks the books up to the end of that day, or opens them.
    pub fn lock_books(&self, through: Option<&str>) {
        let through = through.map(|day| day.parse::<Date>().expect("a day"));
        self.by_hand(|bookkeeper| bookkeeper.lock_period(through));
    }
}
