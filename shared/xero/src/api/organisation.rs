//! The organisation. Xero does not count this call as egress, so it is also the cheapest way to
//! check whether a connection works.

use domain::ids::TenantId;
use domain::money::Currency;
use jiff::civil::Date;
use serde::Deserialize;
use uuid::Uuid;

use super::queries::read_list;
use crate::date::optional_date;
use crate::error::XeroError;
use crate::json::{currency_code, lenient_bool, optional_text, real_id};
use crate::session::{ApiCall, ApiSession};

const ENDPOINT: &str = "/Organisation";

/// What Xero says about an organisation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteOrganisation {
    /// Its id, which is also the tenant's id.
    pub id: TenantId,
    /// Its name as people see it.
    pub name: String,
    /// The base currency of its books.
    pub base_currency: Currency,
    /// The country whose accounting rules it follows, such as `GB`.
    pub country_code: Option<String>,
    /// Documents dated on or before this day are locked for all users except advisers.
    pub period_lock_date: Option<Date>,
    /// Documents dated on or before this day are locked for all users.
    pub end_of_year_lock_date: Option<Date>,
    /// The code in links to Xero's pages, such as `!Xk9z2`.
    pub short_code: Option<String>,
    /// Whether it is one of Xero's demonstration companies.
    pub is_demo: bool,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct WireOrganisation {
    #[serde(rename = "OrganisationID", deserialize_with = "real_id")]
    id: Uuid,
    #[serde(default, deserialize_with = "optional_text")]
    name: Option<String>,
    #[serde(deserialize_with = "currency_code")]
    base_currency: Currency,
    #[serde(default, deserialize_with = "optional_text")]
    country_code: Option<String>,
    #[serde(default, deserialize_with = "optional_date")]
    period_lock_date: Option<Date>,
    #[serde(default, deserialize_with = "optional_date")]
    end_of_year_lock_date: Option<Date>,
    #[serde(default, deserialize_with = "optional_text")]
    short_code: Option<String>,
    #[serde(default, deserialize_with = "lenient_bool")]
    is_demo_company: bool,
}

/// Reads the organisation of this session.
pub async fn get_organisation(session: &ApiSession) -> Result<RemoteOrganisation, XeroError> {
    let call = ApiCall::for_list(ENDPOINT, "Organisation");
    let mut found =
        read_list::<WireOrganisation, RemoteOrganisation>(session, call, "Organisations").await?;
    match (found.rows.pop(), found.undecodable.first()) {
        (Some(organisation), _) => Ok(organisation),
        (None, Some(odd)) => Err(odd.into()),
        (None, None) => {
            Err(XeroError::undecodable_answer(ENDPOINT, "the answer names no organisation"))
        }
    }
}

impl From<WireOrganisation> for RemoteOrganisation {
    fn from(wire: WireOrganisation) -> Self {
        Self {
            id: TenantId(wire.id),
            name: wire.name.unwrap_or_default(),
            base_currency: wire.base_currency,
            country_code: wire.country_code,
            period_lock_date: wire.period_lock_date,
            end_of_year_lock_date: wire.end_of_year_lock_date,
            short_code: wire.short_code,
            is_demo: wire.is_demo_company,
        }
    }
}
