//! The request bodies that the routes accept.

use domain::body::{BodyField, BodyShape};

use super::attention::RecordChoice;
use super::connection::{ConnectTicket, OrganisationChoice};
use super::contacts::ContactChoice;
use super::matching::MatchingChoice;
use super::payments::PaymentChoice;
use super::surpluses::SurplusChoice;
use super::views::{AccountCodesView, SyncPreferencesView};
use crate::http::{ProblemDetails, RequestBody, parse_body};

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

const PREFERENCES: &[BodyField] = &[
    BodyField::single_value("contacts"),
    BodyField::single_value("new_invoices"),
    BodyField::single_value("mark_as_sent"),
];

impl RequestBody for SyncPreferencesView {
    const SHAPE: BodyShape = BodyShape::Object(PREFERENCES);
    const MUST: &'static str = "must be an object that may contain contacts (by_origin, servicecortex or xero), new_invoices (draft, submitted or authorised) and mark_as_sent (true or false)";
}

/// Parses a body as each route with a body would. Returns the errors in the words of the API: for
/// the account codes, the completion of a connect, the choice of an organisation, the link of a
/// contact, the choices about what is written to Xero, the matching settings, the answers about an
/// overpayment and about a payment, and the choice of records.
pub fn list_body_errors(bytes: &[u8]) -> [Option<String>; 9] {
    [
        find_body_error::<AccountCodesView>(bytes),
        find_body_error::<ConnectTicket>(bytes),
        find_body_error::<OrganisationChoice>(bytes),
        find_body_error::<ContactChoice>(bytes),
        find_body_error::<SyncPreferencesView>(bytes),
        find_body_error::<MatchingChoice>(bytes),
        find_body_error::<SurplusChoice>(bytes),
        find_body_error::<PaymentChoice>(bytes),
        find_body_error::<RecordChoice>(bytes),
    ]
}

fn find_body_error<T: RequestBody>(bytes: &[u8]) -> Option<String> {
    parse_body::<T>(bytes).err().map(ProblemDetails::into_detail)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::api::views::{ContactLeader, LineTrackingView, NewInvoices};

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

    #[test]
    fn every_preference_can_be_chosen_and_an_absent_one_has_its_default() {
        let chosen = SyncPreferencesView {
            contacts: ContactLeader::Xero,
            new_invoices: NewInvoices::Draft,
            mark_as_sent: true,
        };
        let body = serde_json::to_string(&chosen).unwrap();
        assert_eq!(body, r#"{"contacts":"xero","new_invoices":"draft","mark_as_sent":true}"#);
        assert_eq!(parse_body::<SyncPreferencesView>(body.as_bytes()).unwrap(), chosen);
        let absent = parse_body::<SyncPreferencesView>(b"{}").unwrap();
        assert_eq!(absent, SyncPreferencesView::default());
        let [_, _, _, _, wrong, ..] = list_body_errors(br#"{"new_invoice":"draft"}"#);
        assert_eq!(
            wrong.as_deref(),
            Some("new_invoice is not a known field; did you mean new_invoices?")
        );
    }

    #[test]
    fn an_unknown_field_is_refused_by_name_in_every_body() {
        let id = "00000000-0000-0000-0000-000000000001";
        let [codes, ..] = list_body_errors(br#"{"sales":"200","stripe_fees":"404"}"#);
        assert_eq!(
            codes.as_deref(),
            Some("stripe_fees is not a known field; did you mean stripe_fee?")
        );
        let [codes, ..] = list_body_errors(br#"{"sales":"200","tracking":[{"categorie":"A"}]}"#);
        assert!(codes.unwrap().starts_with("tracking[0].categorie is not a known field"));
        let tenant = format!(r#"{{"tenantId":"{id}"}}"#);
        let [_, _, choice, ..] = list_body_errors(tenant.as_bytes());
        assert_eq!(
            choice.as_deref(),
            Some("tenantId is not a known field; did you mean tenant_id?")
        );
        let contact = format!(r#"{{"contact_id":"{id}","contact_id":"{id}"}}"#);
        let [_, _, _, contact, ..] = list_body_errors(contact.as_bytes());
        assert_eq!(contact.as_deref(), Some("contact_id: is given twice"));
        let [.., surplus, _, _] = list_body_errors(br#"{"invoices":"inv_1"}"#);
        assert_eq!(
            surplus.as_deref(),
            Some("invoices is not a known field; did you mean invoice?")
        );
        let [.., says, _] = list_body_errors(br#"{"sameas":"pay_1"}"#);
        assert_eq!(says.as_deref(), Some("sameas is not a known field; did you mean same_as?"));
        let [.., says, _] = list_body_errors(br#"{"same_as":"pay_1"}"#);
        assert_eq!(says, None);
        let [.., records] = list_body_errors(br#"{"records":[{"kind":"invoice"}]}"#);
        assert!(records.unwrap().starts_with("records[0].kind is not a known field"));
    }

    #[test]
    fn a_value_of_another_kind_is_refused_with_the_name_of_its_field() {
        for (body, expected) in [
            (r#"{"new_invoices":null}"#, "new_invoices: must be a string"),
            (r#"{"mark_as_sent":1}"#, "mark_as_sent: must be true or false"),
            (r#"{"sales":1e400}"#, "sales: is too large a number"),
            (r#"{"sales":"200","tax_types":null}"#, "tax_types: must be an object"),
            (r#"{"automatic":[null]}"#, "automatic[0]: must be a string"),
            (r#"{"ticket":"\ud83d"}"#, "ticket: must not contain half of a surrogate pair"),
            (r#"{"contact_id":"7"}"#, "contact_id: must be a UUID, such as "),
            (r#"{"records":[{"entity":7,"crm_id":"x"}]}"#, "records[0].entity: must be a string"),
        ] {
            let errors = list_body_errors(body.as_bytes());
            let is_reported = |error: &String| error.starts_with(expected);
            assert!(errors.iter().flatten().any(is_reported), "{body}: {errors:?}");
        }
    }

    #[test]
    fn a_body_that_is_not_json_is_refused_with_the_place_of_the_error() {
        let bodies: [(&[u8], &str); 4] = [
            (br#"{"sales":"200",}"#, "; this body is not JSON (line 1, column 16)"),
            (b"{\n\"sales\":\"200\"\n", "; this body is not JSON (line 3, column 0)"),
            (b"{\"sales\":\"\xff\"}", "; this body is not text in UTF-8"),
            (b"\xef\xbb\xbf{\"sales\":\"200\"}", "; this body begins with a byte order mark"),
        ];
        for (bytes, expected) in bodies {
            let [codes, ..] = list_body_errors(bytes);
            let error = codes.unwrap();
            assert!(error.starts_with("body: must contain sales"), "{error}");
            assert!(error.ends_with(expected), "{error}");
        }
    }

    #[test]
    fn an_invalid_body_is_refused_with_the_type_it_must_have() {
        for bytes in [&b""[..], b"{", b"[]", b"\xff", b"7"] {
            for objection in list_body_errors(bytes) {
                assert!(objection.unwrap().starts_with("body: must "), "{bytes:?}");
            }
        }
    }
}
