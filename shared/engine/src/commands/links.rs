//! Addresses of pages in Xero.

use domain::entity::EntityKind;
use domain::ids::{AccountId, XeroId};
use store::StoreError;

use crate::Engine;
use crate::commands::views::find_xero_url;
use crate::connection::ledgers::find_records_ledger;

/// The site of Xero's pages.
const SITE: &str = "https://go.xero.com/";

/// The pages of an account's organisation in Xero.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct XeroPages {
    short_code: Option<String>,
}

impl XeroPages {
    /// The address of the page that shows a document, or `None` if its kind has no page of its own.
    pub fn find_document_page(&self, kind: EntityKind, id: XeroId) -> Option<String> {
        find_xero_url(kind, id).map(|url| self.open_in_organisation(&url))
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
    let ledger = find_records_ledger(engine, account).await?;
    let chart = match engine.store.find_chart(&ledger).await {
        Ok(chart) => chart,
        // The next push reads it from Xero again.
        Err(error) if error.is_about_the_record() => None,
        Err(error) => return Err(error),
    };
    let short_code = chart.and_then(|chart| chart.short_code).filter(|code| is_code(code));
    Ok(XeroPages { short_code })
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
        let pages = XeroPages { short_code: Some("!rDgW1".to_owned()) };
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
