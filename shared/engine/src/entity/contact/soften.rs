//! Drops single fields that Xero refuses of a contact: a name or number that another contact has,
//! or an e-mail address that Xero considers invalid. The rest is written, with a warning.

use std::collections::BTreeMap;

use domain::document::contact::{ContactDocument, RemoteContact};
use domain::rejection;
use xero::XeroError;

use crate::entity::write::{Draft, Sent};

/// Returns the drafts to send again without their refused fields, and the results that cannot be
/// resolved this way.
pub(super) fn soften(
    sent: Vec<Sent<RemoteContact>>,
    mut documents: BTreeMap<usize, ContactDocument>,
) -> (Vec<Draft<ContactDocument>>, Vec<Sent<RemoteContact>>) {
    let (mut again, mut told) = (Vec::new(), Vec::new());
    for one in sent {
        let softened = match &one.result {
            Err(error) => documents.remove(&one.task).and_then(|document| without(document, error)),
            Ok(_) => None,
        };
        match softened {
            Some((document, warning)) => {
                let Sent { task, operation, mut remarks, result: _ } = one;
                remarks.push(warning);
                again.push(Draft { task, document, operation, remarks });
            }
            None => told.push(one),
        }
    }
    (again, told)
}

/// Returns the document without its refused field, and a warning for people. A new contact needs
/// its name and its number, so these are never dropped from one.
fn without(document: ContactDocument, error: &XeroError) -> Option<(ContactDocument, String)> {
    let (XeroError::Rejected { messages } | XeroError::NotUnique { messages }) = error else {
        return None;
    };
    let exists = document.contact_id.is_some();
    let refused = rejection::explain(messages);
    let (softened, warning) = match &*refused.code {
        "contact_name_taken" if exists => (
            ContactDocument { name: None, ..document },
            "The name stays as it is in Xero, because another contact has the new one. Rename one of the two.",
        ),
        "contact_number_taken" if exists => (
            ContactDocument { contact_number: None, ..document },
            "The contact number stays as it is in Xero, because another contact already has this number.",
        ),
        "email_invalid" => (
            ContactDocument { email_address: None, ..document },
            "The e-mail address was left out, because Xero does not accept it.",
        ),
        _ => return None,
    };
    Some((softened, warning.to_owned()))
}

/// The documents of the drafts, by task.
pub(super) fn kept(drafts: &[Draft<ContactDocument>]) -> BTreeMap<usize, ContactDocument> {
    drafts.iter().map(|draft| (draft.task, draft.document.clone())).collect()
}
