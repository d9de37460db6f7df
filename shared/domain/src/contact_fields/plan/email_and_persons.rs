//! The e-mail address and the further persons of a contact. Xero accepts persons only beside an
//! address.

use super::{ContactPlanner, DesiredContact, FieldChange, FieldPlan};
use crate::contact_fields::WrittenContact;
use crate::contact_fields::field::ContactField;
use crate::contact_fields::persons::{
    EmailOutcome, PersonsPlan, has_persons_of_others, plan_persons,
};

/// Whether the address that was written may have to be cleared. Then the persons that the contact has
/// decide.
pub(super) fn may_clear_email(desired: &DesiredContact, written: &WrittenContact) -> bool {
    desired.fields.email_address.is_none()
        && written.values.email_address.is_some()
        && !desired.omitted.contains(&ContactField::Email)
}

impl ContactPlanner<'_> {
    /// The address stays beside persons whom other people entered.
    pub(super) fn plan_email(&mut self) -> FieldPlan<String> {
        let email = self.plan_field(
            ContactField::Email,
            |all| all.email_address.clone(),
            |one, other| one.trim().eq_ignore_ascii_case(other.trim()),
        );
        if !matches!(email.change, FieldChange::Clear) || !self.has_persons_of_others() {
            return email;
        }
        self.kept.push(ContactField::Email);
        FieldPlan { change: FieldChange::Keep, known: email.known }
    }

    fn has_persons_of_others(&self) -> bool {
        let desired = &self.desired.fields.details.persons;
        let written = &self.state.written.values.details.persons;
        let remote = self.state.remote.as_ref();
        remote
            .is_some_and(|remote| has_persons_of_others(desired, written, &remote.details.persons))
    }

    /// `email` is the e-mail address that is sent.
    pub(super) fn plan_persons(&mut self, email: Option<&str>) -> PersonsPlan {
        let desired = &self.desired.fields.details.persons;
        let written = &self.state.written.values.details.persons;
        let Some(remote) = &self.state.remote else {
            let known = written.clone();
            let (is_kept, is_crowded, lacks_email) = (false, false, false);
            return PersonsPlan { persons: None, known, is_kept, is_crowded, lacks_email };
        };
        let email = EmailOutcome::of_write(email, remote.email_address.as_deref());
        let remote = &remote.details.persons;
        let plan = plan_persons(desired, written, remote, self.leads, email);
        if plan.is_kept {
            self.kept.push(ContactField::Persons);
        }
        plan
    }
}
