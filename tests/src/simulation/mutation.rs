//! The protocol without one of its parts, which is disabled at a port. It proves that the checker
//! detects the missing part.

use bytes::Bytes;
use http::{Method, Request, Response};
use serde_json::Value;
use store::table::{ItemWrite, StoredItem};

/// The missing part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mutation {
    /// Look-ups never find a document.
    NoResolve,
    /// A claim ends as soon as it is written.
    NoLease,
    /// The key serial never rises.
    NoKeySerial,
    /// No reverse link records to which record a Xero document belongs.
    NoReverseLink,
    /// A reverse link is written but does not prevent another record from using the document.
    SharedReverseLink,
    /// The epoch of a connection never rises, and no row remembers on which epoch a record failed.
    NoEpoch,
}

impl Mutation {
    /// A row as it is read.
    pub(super) fn read(mutation: Option<Self>, item: StoredItem) -> StoredItem {
        let edit: fn(&mut Value) -> Option<()> = match mutation {
            Some(Self::NoLease) => without_lease,
            Some(Self::NoEpoch) => without_epoch,
            Some(
                Self::NoResolve | Self::NoKeySerial | Self::NoReverseLink | Self::SharedReverseLink,
            )
            | None => return item,
        };
        if !item.key.sk.starts_with("MAP#") {
            return item;
        }
        let record = edited(&item.record, edit);
        StoredItem { record, ..item }
    }

    /// Rows as they are written.
    pub(super) fn written(mutation: Option<Self>, writes: Vec<ItemWrite>) -> Vec<ItemWrite> {
        match mutation {
            Some(Self::NoReverseLink) => {
                let keeps = |write: &ItemWrite| !write.item_key().sk.starts_with("XID#");
                writes.into_iter().filter(keeps).collect()
            }
            Some(Self::NoKeySerial) => writes.into_iter().map(without_serial).collect(),
            Some(Self::NoEpoch) => writes.into_iter().map(without_rise).collect(),
            Some(Self::NoResolve | Self::NoLease | Self::SharedReverseLink) | None => writes,
        }
    }

    /// Whether a row is not written because it already exists.
    pub(super) fn leaves_out(mutation: Option<Self>, write: &ItemWrite, is_there: bool) -> bool {
        let is_put =
            matches!(write, ItemWrite::Put { .. }) && write.item_key().sk.starts_with("XID#");
        mutation == Some(Self::SharedReverseLink) && is_put && is_there
    }

    /// The answers that are given without a call to Xero.
    pub(super) fn answered(
        mutation: Option<Self>,
        request: &Request<Bytes>,
    ) -> Option<Response<Bytes>> {
        let path = request.uri().path();
        let query = request.uri().query().unwrap_or_default();
        if mutation != Some(Self::NoResolve) || request.method() != Method::GET {
            return None;
        }
        if path.contains("/Invoices") && query.contains("InvoiceNumbers=") {
            return Some(Response::new(Bytes::from_static(br#"{"Invoices":[]}"#)));
        }
        if path.ends_with("/Payments") && query.contains("InvoiceID%3D%3Dguid") {
            return Some(Response::new(Bytes::from_static(br#"{"Payments":[]}"#)));
        }
        if path.ends_with("/BankTransactions") && query.contains("where=") {
            return Some(Response::new(Bytes::from_static(br#"{"BankTransactions":[]}"#)));
        }
        if path.ends_with("/Contacts") && query.contains("where=") {
            return Some(Response::new(Bytes::from_static(br#"{"Contacts":[]}"#)));
        }
        if path.contains("/Contacts/SC-") {
            let missing = b"The resource you're looking for cannot be found";
            let mut response = Response::new(Bytes::from_static(missing));
            *response.status_mut() = http::StatusCode::NOT_FOUND;
            return Some(response);
        }
        None
    }
}

fn without_lease(mapping: &mut Value) -> Option<()> {
    let state = mapping.pointer_mut("/operation/state")?;
    if state.get("name")? == "claimed" {
        *state.get_mut("until")? = Value::from("1970-01-01T00:00:00Z");
    }
    Some(())
}

fn without_epoch(mapping: &mut Value) -> Option<()> {
    *mapping.pointer_mut("/operation/failed_epoch")? = Value::Null;
    Some(())
}

fn without_rise(write: ItemWrite) -> ItemWrite {
    match write {
        ItemWrite::Put { mut item, expect } if item.key.sk == "CONNECTION" => {
            item.record = edited(&item.record, |connection| {
                *connection.get_mut("epoch")? = Value::from(0);
                Some(())
            });
            ItemWrite::Put { item, expect }
        }
        write @ (ItemWrite::Put { .. } | ItemWrite::Delete { .. } | ItemWrite::Check { .. }) => {
            write
        }
    }
}

fn without_serial(write: ItemWrite) -> ItemWrite {
    match write {
        ItemWrite::Put { mut item, expect } if item.key.sk.starts_with("MAP#") => {
            item.record = edited(&item.record, |mapping| {
                *mapping.pointer_mut("/operation/key_serial")? = Value::from(0);
                Some(())
            });
            ItemWrite::Put { item, expect }
        }
        write @ (ItemWrite::Put { .. } | ItemWrite::Delete { .. } | ItemWrite::Check { .. }) => {
            write
        }
    }
}

fn edited(record: &str, edit: impl FnOnce(&mut Value) -> Option<()>) -> String {
    let mut value: Value = serde_json::from_str(record).expect("records are JSON");
    edit(&mut value);
    value.to_string()
}
