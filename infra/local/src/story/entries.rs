//! Further messages about invoices, derived from those of the story's data.

use jiff::SignedDuration;
use jiff::civil::Date;
use serde_json::Value;

use super::material::{Entry, Invoice, Material};

/// By how much a due date is moved.
const LATER: SignedDuration = SignedDuration::from_hours(24 * 30);

impl Entry {
    /// The same invoice under another id and number.
    pub(super) fn renumbered(&self, id: &str, number: &str) -> Self {
        let invoice =
            Invoice { id: id.to_owned(), number: number.to_owned(), ..self.invoice.clone() };
        let fields = [("id", Value::from(id)), ("number", Value::from(number))];
        Self { invoice, ..self.with_fields(&self.kind, fields) }
    }

    /// The next revision of the invoice, whose payment is due 30 days later, and that day. `None`
    /// if the invoice has no date.
    pub(super) fn due_later(&self) -> Option<(Self, Date)> {
        let day = |name: &str| self.snapshot.get(name)?.as_str()?.parse::<Date>().ok();
        let due = day("due_date").or_else(|| day("issue_date"))?.saturating_add(LATER);
        let fields = [
            ("revision", Value::from(self.revision().saturating_add(1))),
            ("due_date", Value::from(due.to_string())),
        ];
        Some((self.with_fields("invoice.updated", fields), due))
    }

    /// The revision of the snapshot.
    fn revision(&self) -> u64 {
        self.snapshot.get("revision").and_then(Value::as_u64).unwrap_or_default()
    }

    fn with_fields(&self, kind: &str, fields: [(&str, Value); 2]) -> Self {
        let mut snapshot = self.snapshot.clone();
        if let Some(all) = snapshot.as_object_mut() {
            all.extend(fields.map(|(name, value)| (name.to_owned(), value)));
        }
        Self {
            kind: kind.to_owned(),
            client_id: self.client_id.clone(),
            invoice: self.invoice.clone(),
            snapshot,
            expect: self.expect.clone(),
        }
    }
}

impl Material {
    /// The newest revision of the invoice with this number: a stale edit does not count.
    pub(super) fn newest(&self, number: &str) -> Option<&Entry> {
        let all = self.invoices.iter().chain(&self.edits);
        all.filter(|entry| entry.invoice.number == number).max_by_key(|entry| entry.revision())
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use crate::story::material::tests::material;

    #[test]
    fn a_copy_differs_only_in_its_id_and_number() {
        let material = material();
        let copy = material.invoices[0].renumbered("inv_1", "#INV-1");
        assert_eq!((copy.invoice.id.as_str(), copy.invoice.number.as_str()), ("inv_1", "#INV-1"));
        assert_eq!(
            (&copy.snapshot["id"], &copy.snapshot["number"]),
            (&"inv_1".into(), &"#INV-1".into())
        );
        assert_eq!(copy.snapshot["lines"], material.invoices[0].snapshot["lines"]);
        assert_eq!(copy.kind, "invoice.sent");
    }

    #[test]
    fn a_moved_due_date_is_a_newer_revision_of_the_newest_snapshot() {
        let material = material();
        let (moved, due) = material.newest("#INV-2001").unwrap().due_later().unwrap();
        assert_eq!(due, date(2026, 7, 15));
        assert_eq!(moved.snapshot["due_date"], "2026-07-15");
        assert_eq!(moved.kind, "invoice.updated");
        let edit = material.edits.iter().find(|edit| edit.invoice.number == "#INV-2001").unwrap();
        let revision = edit.snapshot["revision"].as_u64().unwrap();
        assert_eq!(moved.snapshot["revision"], revision + 1);
        assert_eq!(moved.snapshot["lines"], edit.snapshot["lines"]);
    }

    #[test]
    fn every_invoice_has_a_day_from_which_its_due_date_moves() {
        for entry in material().invoices {
            assert!(entry.due_later().is_some(), "{}", entry.invoice.id);
        }
    }
}
