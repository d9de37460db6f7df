//! Account codes, in requests and responses.

use std::collections::BTreeMap;

use domain::account_codes::AccountCodes;
use domain::body::{BodyField, BodyShape};
use domain::crm::tracking::LineTracking;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::body::RequestBody;

/// The account codes, tax types and default tracking options in use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AccountCodesView {
    /// Revenue account of invoice lines.
    pub sales: String,
    /// Bank account that receives Stripe payouts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stripe_bank: Option<String>,
    /// Expense account of Stripe's fees.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stripe_fee: Option<String>,
    /// Income account of surcharges that customers pay.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stripe_surcharge: Option<String>,
    /// Account of gift card redemptions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gift_card: Option<String>,
    /// Account of payments in cash. While none is chosen, they are not written to Xero.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cash: Option<String>,
    /// Account of payments by cheque. While none is chosen, they are not written to Xero.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cheque: Option<String>,
    /// Account of payments by card on a separate terminal. While none is chosen, they are not
    /// written to Xero.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub card: Option<String>,
    /// Account of payments by bank transfer. While none is chosen, they are not written to Xero.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bank_transfer: Option<String>,
    /// Xero's tax type for each tax rate of the CRM. A key is the rate as a plain percentage, such
    /// as `20`, or `none` for lines outside the scope of tax. For a rate without an entry, a tax
    /// rate of the same percentage is used.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tax_types: BTreeMap<String, String>,
    /// The tracking options of lines without a `tracking` field: at most two, of different
    /// categories. A line with an empty list gets none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tracking: Vec<LineTrackingView>,
}

/// An option of a tracking category, both by their names in Xero, capitals included.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LineTrackingView {
    /// The name of the category.
    pub category: String,
    /// The name of the option.
    pub option: String,
}

/// Converts a type into one with the same fields, and the elements of the lists after `;`. A field
/// after `without` is left out of one of the types; there it gets the given value. The compiler
/// rejects a list that lacks a field of either type.
macro_rules! convert_fields {
    (
        $source:ident => $target:ident { $($field:ident),*; $($list:ident),* }
        $(without $left_out:ident)? $(with $added:ident = $value:expr)?
    ) => {
        impl From<$source> for $target {
            fn from(source: $source) -> Self {
                let $source { $($field,)* $($list,)* $($left_out: _,)? } = source;
                Self {
                    $($field,)*
                    $($list: $list.into_iter().map(Into::into).collect(),)*
                    $($added: $value,)?
                }
            }
        }
    };
}

convert_fields! { LineTracking => LineTrackingView { category, option; } }
convert_fields! { LineTrackingView => LineTracking { category, option; } }

convert_fields! {
    AccountCodes => AccountCodesView {
        sales, stripe_bank, stripe_fee, stripe_surcharge, gift_card, cash, cheque, card,
        bank_transfer, tax_types;
        tracking
    } without meanings
}

// The meanings are those in the organisation in use, which the engine adds.
convert_fields! {
    AccountCodesView => AccountCodes {
        sales, stripe_bank, stripe_fee, stripe_surcharge, gift_card, cash, cheque, card,
        bank_transfer, tax_types;
        tracking
    } with meanings = None
}

const CODES: &[BodyField] = &[
    BodyField::single_value("sales"),
    BodyField::single_value("stripe_bank"),
    BodyField::single_value("stripe_fee"),
    BodyField::single_value("stripe_surcharge"),
    BodyField::single_value("gift_card"),
    BodyField::single_value("cash"),
    BodyField::single_value("cheque"),
    BodyField::single_value("card"),
    BodyField::single_value("bank_transfer"),
    BodyField::new("tax_types", BodyShape::Map),
    BodyField::new("tracking", BodyShape::List(&BodyShape::Object(TRACKING))),
];

const TRACKING: &[BodyField] =
    &[BodyField::single_value("category"), BodyField::single_value("option")];

impl RequestBody for AccountCodesView {
    const SHAPE: BodyShape = BodyShape::Object(CODES);
    const MUST: &'static str = "must contain sales and may contain stripe_bank, stripe_fee, stripe_surcharge, gift_card, cash, cheque, card and bank_transfer, each the code of an account in Xero, tax_types, from percentages to Xero's tax types, and tracking, a list of options with category and option";
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::body::parse_body;

    #[test]
    fn every_account_code_can_be_chosen() {
        let code = || Some("200".to_owned());
        // Without `..`, so that adding a code without extending the shape does not compile.
        let codes = AccountCodesView {
            sales: "200".to_owned(),
            stripe_bank: code(),
            stripe_fee: code(),
            stripe_surcharge: code(),
            gift_card: code(),
            cash: code(),
            cheque: code(),
            card: code(),
            bank_transfer: code(),
            tax_types: BTreeMap::from([("20".to_owned(), "OUTPUT2".to_owned())]),
            tracking: vec![LineTrackingView {
                category: "Region".to_owned(),
                option: "North".to_owned(),
            }],
        };
        let body = serde_json::to_string(&codes).unwrap();
        assert_eq!(parse_body::<AccountCodesView>(body.as_bytes()).unwrap(), codes);
    }
}
