//! Addresses of pages in Xero.

use domain::chart::Chart;
use domain::entity::EntityKind;
use domain::ids::{AccountId, Ledger, XeroId};
use domain::money::Currency;
use store::StoreError;

use crate::Engine;
use crate::connection::ledgers::find_records_ledger;

/// The site of Xero's pages.
const SITE: &str = "https://go.xero.com/";

/// Facts about an account's organisation, as last read from Xero.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrganisationFacts {
    /// Its name, which may have changed since it was connected.
    pub name: Option<String>,
    /// The base currency of its books.
    pub base_currency: Currency,
    /// The country whose accounting rules it follows, such as `GB`.
    pub country: Option<String>,
    /// Whether it is one of Xero's demonstration companies.
    pub is_demo: bool,
}

/// The pages of an account's organisation in Xero.
///
/// Xero documents only the addresses of documents and contacts (developer.xero.com, *Deep link to
/// Xero*). The others are those that its own pages have.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct XeroPages {
    short_code: Option<String>,
}

impl XeroPages {
    /// The address of the page that shows a document, or `None` if its kind has no page of its own.
    pub fn find_document_page(&self, kind: EntityKind, id: XeroId) -> Option<String> {
        kind.xero_page(id).map(|url| self.open_in_organisation(&url))
    }

    /// The address of the organisation's first page, if the organisation's code is known.
    pub fn find_organisation_page(&self) -> Option<String> {
        self.short_code.as_ref()?;
        Some(self.open_in_organisation(&format!("{SITE}Dashboard/")))
    }

    /// The address of the organisation's chart of accounts.
    pub fn chart_page(&self) -> String {
        self.open_in_organisation(&format!("{SITE}GeneralLedger/ChartOfAccounts.aspx"))
    }

    /// The address that opens a page in the organisation of the account. Without the organisation's
    /// code, Xero opens the page in the organisation that the person used last.
    pub fn open_in_organisation(&self, url: &str) -> String {
        match (&self.short_code, url.strip_prefix(SITE)) {
            (Some(code), Some(page)) => {
                format!("{SITE}organisationlogin/default.aspx?shortcode={code}&redirecturl=/{page}")
            }
            (Some(_) | None, _) => url.to_owned(),
        }
    }
}

/// Returns the pages of the organisation that an account is or was last connected to.
pub async fn find_xero_pages(
    engine: &Engine,
    account: &AccountId,
) -> Result<XeroPages, StoreError> {
    Ok(find_organisation(engine, account).await?.0)
}

/// Returns the pages and the facts of the organisation that an account is or was last connected to.
/// The facts are `None` until they have been read from Xero.
pub(crate) async fn find_organisation(
    engine: &Engine,
    account: &AccountId,
) -> Result<(XeroPages, Option<OrganisationFacts>), StoreError> {
    let ledger = find_records_ledger(engine, account).await?;
    let chart = find_stored_chart(engine, &ledger).await?;
    let Some(chart) = chart else { return Ok((XeroPages::default(), None)) };
    let short_code = chart.short_code.filter(|code| is_code(code));
    let facts = OrganisationFacts {
        name: Some(chart.organisation_name).filter(|name| !name.is_empty()),
        base_currency: chart.base_currency,
        country: chart.country,
        is_demo: chart.is_demo,
    };
    Ok((XeroPages { short_code }, Some(facts)))
}

/// Returns the chart of a ledger as it was last read from Xero. A row that cannot be read counts as
/// none: the next push reads the chart again.
pub(super) async fn find_stored_chart(
    engine: &Engine,
    ledger: &Ledger,
) -> Result<Option<Chart>, StoreError> {
    match engine.store.find_chart(ledger).await {
        Err(error) if error.is_about_the_record() => Ok(None),
        result => result,
    }
}

/// Whether a code can be part of an address as it is.
fn is_code(code: &str) -> bool {
    let is_sign = |sign: char| sign.is_ascii_alphanumeric() || sign == '!';
    (1..=20).contains(&code.len()) && code.chars().all(is_sign)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_opens_in_the_organisation_whose_code_is_known() {
        let page = "https://go.xero.com/AccountsReceivable/View.aspx?InvoiceID=1";
        assert_eq!(XeroPages::default().open_in_organisation(page), page);
        assert_eq!(XeroPages::default().find_organisation_page(), None);
        let pages = XeroPages { short_code: Some("!rDgW1".to_owned()) };
        let first = pages.find_organisation_page().unwrap();
        assert!(first.ends_with("?shortcode=!rDgW1&redirecturl=/Dashboard/"), "{first}");
        assert_eq!(
            pages.open_in_organisation(page),
            "https://go.xero.com/organisationlogin/default.aspx?shortcode=!rDgW1&redirecturl=/AccountsReceivable/View.aspx?InvoiceID=1"
        );
    }

    #[test]
    fn a_code_that_an_address_cannot_contain_is_not_used() {
        assert!(is_code("!rDgW1"));
        for odd in ["", "a&b", "a b", "../x", &"x".repeat(21)] {
            assert!(!is_code(odd), "{odd}");
        }
    }
}
