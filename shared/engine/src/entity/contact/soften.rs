//! What Xero refuses of a contact without refusing the contact: a name or number that another has, an e-mail
//! address it does not believe. It is left out, with a warning, and the rest arrives.

use std::collections::BTreeMap;

use domain::document::contact::{ContactDocument, RemoteContact};
use domain::rejection;
use xero::XeroError;

use crate::entity::write::{Draft, Sent};

/// The drafts to be sent again without what was refused, and what cannot be mended so.
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

/// The document without what was refused, and what a person should know of it. A contact to create needs its
/// name and its number.
fn without(document: ContactDocument, error: &XeroError) -> Option<(ContactDocument, String)> {
    let (XeroError::Rejected { messages } | XeroError::NotUnique { messages }) = error else {
        return None;
    };
    let exists = document.contact_id.is_some();
    let refused = rejection::explain(messages);
    let softened = match &*refused.code {
        "contact_name_taken" if exists => ContactDocument { name: None, ..document },
        "contact_number_taken" if exists => ContactDocument { contact_number: None, ..document },
        "email_invalid" => ContactDocument { email_address: None, ..document },
        _ => return None,
    };
    let warning = match &*refused.code {
        "contact_name_taken" => {
            "The name stays as it is in Xero, because another contact has the new one: rename one of the two."
        }
        "contact_number_taken" => {
            "The contact number stays as it is in Xero, because another contact has ours."
        }
        _ => "The e-mail address was left out: Xero does not take it.",
    };
    Some((softened, warning.to_owned()))
}

/// The documents of drafts, by task.
pub(super) fn kept(drafts: &[Draft<ContactDocument>]) -> BTreeMap<usize, ContactDocument> {
    drafts.iter().map(|draft| (draft.task, draft.document.clone())).collect()
}
