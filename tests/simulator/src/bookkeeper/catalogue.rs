//! The organisation's items and tracking options, changed by hand.

use super::{Bookkeeper, Refused};
use crate::catalogue::Item;
use crate::organisation::RowStatus;

impl Bookkeeper<'_> {
    /// Adds an item that is sold.
    pub fn add_item(&mut self, code: &str, name: &str) -> Result<(), Refused> {
        if self.books.organisation.items.iter().any(|item| item.code == code) {
            return Err(Refused("The code is in use".to_owned()));
        }
        let item = Item {
            id: self.ids.next(),
            code: code.to_owned(),
            name: name.to_owned(),
            is_sold: true,
        };
        self.books.organisation.items.push(item);
        Ok(())
    }

    /// Archives an option of a tracking category.
    pub fn archive_tracking_option(&mut self, category: &str, option: &str) -> Result<(), Refused> {
        let categories = &mut self.books.organisation.tracking;
        let category = categories.iter_mut().find(|one| one.name == category);
        let options = category.map(|category| category.options.iter_mut());
        let option = options.and_then(|mut options| options.find(|one| one.name == option));
        let option = option.ok_or_else(|| Refused("There is no such option".to_owned()))?;
        option.status = RowStatus::Archived;
        Ok(())
    }
}
