//! The ticket that completes a connect, and the choices that a person makes on the CRM's pages.

use std::collections::BTreeSet;

use domain::body::{BodyField, BodyShape};
use domain::entity::EntityKind;
use domain::ids::{CrmId, PaymentId};
use domain::matching::MatchEvidence;
use secrecy::SecretString;
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::body::RequestBody;
use crate::secret_text::deserialize_secret;
use crate::words::{MatchCriterion, RecordKind};

/// The ticket that the CRM's page received from the callback.
#[derive(Debug, Deserialize, ToSchema)]
pub struct ConnectTicket {
    /// The ticket.
    #[serde(deserialize_with = "deserialize_secret")]
    #[schema(value_type = String)]
    pub ticket: SecretString,
}

const TICKET: &[BodyField] = &[BodyField::single_value("ticket")];

impl RequestBody for ConnectTicket {
    const SHAPE: BodyShape = BodyShape::Object(TICKET);
    const MUST: &'static str = "must be {\"ticket\": \"<the ticket of the callback>\"}";
}

/// The choice of one of the offered organisations.
#[derive(Debug, Deserialize, ToSchema)]
pub struct OrganisationChoice {
    /// The organisation.
    pub tenant_id: Uuid,
}

const TENANT: &[BodyField] = &[BodyField::single_value("tenant_id")];

impl RequestBody for OrganisationChoice {
    const SHAPE: BodyShape = BodyShape::Object(TENANT);
    const MUST: &'static str = "must name the tenant_id of one of the choices";
}

/// The contact to which a client is to be linked.
#[derive(Debug, Deserialize, ToSchema)]
pub struct ContactChoice {
    /// The contact's id in Xero.
    pub contact_id: Uuid,
}

const CONTACT: &[BodyField] = &[BodyField::single_value("contact_id")];

impl RequestBody for ContactChoice {
    const SHAPE: BodyShape = BodyShape::Object(CONTACT);
    const MUST: &'static str = "must be {\"contact_id\": \"<the id of a contact in Xero>\"}";
}

/// The choice of the values that suffice.
#[derive(Debug, Deserialize, ToSchema)]
pub struct MatchingChoice {
    /// The values in common that suffice to link a client without a person. The number always
    /// does.
    #[schema(value_type = Vec<MatchCriterion>)]
    pub automatic: BTreeSet<MatchEvidence>,
}

const MATCHING: &[BodyField] = &[BodyField::new("automatic", BodyShape::List(&BodyShape::Value))];

impl RequestBody for MatchingChoice {
    const SHAPE: BodyShape = BodyShape::Object(MATCHING);
    const MUST: &'static str =
        "must be {\"automatic\": [\"<number, vat_number, company_number, email or name>\"]}";
}

/// A person's answer about an overpayment or prepayment.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SurplusChoice {
    /// It is known, and the CRM does nothing more with it. Only `true` is accepted.
    Acknowledged(bool),
    /// It belongs to this invoice of the CRM.
    #[schema(value_type = String)]
    Invoice(CrmId),
}

const SURPLUS: &[BodyField] =
    &[BodyField::single_value("acknowledged"), BodyField::single_value("invoice")];

impl RequestBody for SurplusChoice {
    const SHAPE: BodyShape = BodyShape::Object(SURPLUS);
    const MUST: &'static str =
        "must be {\"acknowledged\": true} or {\"invoice\": \"<the id of an invoice>\"}";
}

/// A person's decision about an unclear payment.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PaymentChoice {
    /// It is this payment of the CRM.
    #[schema(value_type = String)]
    SameAs(PaymentId),
    /// It is none of the CRM's payments. Only `true` is accepted.
    Import(bool),
}

const PAYMENT: &[BodyField] =
    &[BodyField::single_value("same_as"), BodyField::single_value("import")];

impl RequestBody for PaymentChoice {
    const SHAPE: BodyShape = BodyShape::Object(PAYMENT);
    const MUST: &'static str =
        "must be {\"same_as\": \"<the id of a payment>\"} or {\"import\": true}";
}

/// The records that a request is about.
#[derive(Debug, Deserialize, ToSchema)]
pub struct RecordChoice {
    /// The records, as the list names them: 1 to 100.
    #[schema(min_items = 1, max_items = 100)]
    pub records: Vec<ChosenRecord>,
}

/// A record that a request is about.
#[derive(Debug, Deserialize, ToSchema)]
pub struct ChosenRecord {
    /// Its kind.
    #[schema(value_type = RecordKind)]
    pub entity: EntityKind,
    /// Its id.
    #[schema(value_type = String)]
    pub crm_id: CrmId,
}

const RECORD: BodyShape = BodyShape::Object(RECORD_FIELDS);
const RECORD_FIELDS: &[BodyField] =
    &[BodyField::single_value("entity"), BodyField::single_value("crm_id")];
const RECORDS: &[BodyField] = &[BodyField::new("records", BodyShape::List(&RECORD))];

impl RequestBody for RecordChoice {
    const SHAPE: BodyShape = BodyShape::Object(RECORDS);
    const MUST: &'static str = "must be {\"records\": [{\"entity\": \"<a kind of record>\", \"crm_id\": \"<its id>\"}]} with 1 to 100 records";
}
