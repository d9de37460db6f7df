//! The errors of a body, as each route with a body reports them.

use crate::account_codes::AccountCodesView;
use crate::body::{RequestBody, parse_body};
use crate::choices::{
    ConnectTicket, ContactChoice, MatchingChoice, OrganisationChoice, PaymentChoice, RecordChoice,
    SurplusChoice,
};
use crate::sync_preferences::SyncPreferencesView;

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
    parse_body::<T>(bytes).err().map(|error| error.detail)
}

#[cfg(test)]
mod tests {
    use super::*;

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
