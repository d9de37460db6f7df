//! Reads from the key of a row what the row is about.

use domain::entity::EntityKind;
use domain::ids::{AccountId, CrmId, GrantId, Ledger, TenantId, XeroId};
use domain::mapping::MappingKey;
use uuid::Uuid;

use super::{AWAITED, INVOICE_PAYMENTS_PREFIX, OUTBOX, SURPLUS_PREFIX};
use crate::table::ItemKey;

/// Reads the ledger from the key of one of its rows.
pub(crate) fn read_ledger(key: &ItemKey) -> Option<Ledger> {
    let (account, tenant) = key.pk.strip_prefix("L#")?.split_once('#')?;
    Some(Ledger {
        account: AccountId::new(account).ok()?,
        tenant: TenantId(Uuid::parse_str(tenant).ok()?),
    })
}

/// Reads a mapping's key from the key of its row.
pub(crate) fn read_mapping(key: &ItemKey) -> Option<MappingKey> {
    let ledger = read_ledger(key)?;
    let (kind, crm_id) = key.sk.strip_prefix("MAP#")?.split_once('#')?;
    let crm_id = CrmId::new(crm_id).ok()?;
    Some(MappingKey::new(ledger, EntityKind::from_name(kind)?, crm_id))
}

/// Reads a mapping's key from the key of the row that says for which record it may wait.
pub(crate) fn read_dependant(key: &ItemKey) -> Option<MappingKey> {
    let ledger = read_ledger(key)?;
    let mut parts = key.sk.strip_prefix(AWAITED)?.rsplitn(3, '#');
    let (crm_id, kind) = (parts.next()?, parts.next()?);
    // Without a further part, it is the mark of the awaited record.
    parts.next()?;
    Some(MappingKey::new(ledger, EntityKind::from_name(kind)?, CrmId::new(crm_id).ok()?))
}

/// Reads the invoice from the key of its payments.
pub(crate) fn read_invoice(key: &ItemKey) -> Option<CrmId> {
    let invoice = key.sk.strip_prefix(INVOICE_PAYMENTS_PREFIX)?.split('#').next()?;
    CrmId::new(invoice).ok()
}

/// Reads Xero's id from the key of an overpayment or prepayment.
pub(crate) fn read_surplus(key: &ItemKey) -> Option<XeroId> {
    Uuid::parse_str(key.sk.strip_prefix(SURPLUS_PREFIX)?).ok().map(XeroId)
}

/// Reads an account's id from the key of its connection.
pub(crate) fn read_connection(key: &ItemKey) -> Option<AccountId> {
    let account = key.pk.strip_prefix("A#").filter(|_| key.sk == "CONNECTION")?;
    AccountId::new(account).ok()
}

/// Reads an account's id from the key of one of its rows.
pub(crate) fn read_account(key: &ItemKey) -> Option<AccountId> {
    AccountId::new(key.pk.strip_prefix("A#")?).ok()
}

/// Reads the account from the key of an event.
pub(crate) fn read_outbox(key: &ItemKey) -> Option<AccountId> {
    let account = key.pk.strip_prefix("A#").filter(|_| key.sk.starts_with(OUTBOX))?;
    AccountId::new(account).ok()
}

/// Reads a grant's id from the key of its row.
pub(crate) fn read_grant(key: &ItemKey) -> Option<GrantId> {
    Uuid::parse_str(key.pk.strip_prefix("G#")?).ok().map(GrantId)
}
