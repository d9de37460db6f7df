//! What users do: connect an organisation, choose settings and account codes, link contacts, and
//! sync or view records, or mark them as never to be sent.

pub mod activity;
pub mod attention;
pub mod books;
pub mod choices;
pub mod connect;
pub mod contacts;
pub mod links;
pub mod matching;
pub mod organisation;
pub mod payments;
pub mod people;
pub mod preferences;
pub mod preview;
pub mod records;
pub mod setup;
pub mod status;
pub mod surpluses;
pub mod sync_all;
mod tax_rates;
pub mod views;
