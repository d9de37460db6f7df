//! Rules 32 to 36: writing contacts.

use crate::caller::*;
use serde_json::json;

fn taken(name: &str) -> String {
    format!(
        "The contact name {name} is already assigned to another contact. The contact name must be \
         unique across all active contacts."
    )
}

/// Rule 32.
#[test]
fn creating_a_taken_name_or_number_fails() {
    let mut caller = Caller::connected();
    let body = r#"{"Contacts":[{"Name":"Ridge Plumbing Ltd","ContactNumber":"cli_1"}]}"#;
    assert_eq!(caller.put("/Contacts", body).status, 200);
    for name in ["Ridge Plumbing Ltd", "  ridge   plumbing ltd ", "RIDGE PLÚMBING LTD"] {
        let body = json!({"Contacts": [{"Name": name}]}).to_string();
        let messages = caller.put("/Contacts", &body).messages();
        let tidied = name.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(messages, [taken(&tidied)]);
    }
    let number = r#"{"Contacts":[{"Name":"Other","ContactNumber":"cli_1"}]}"#;
    let messages = caller.put("/Contacts", number).messages();
    assert_eq!(
        messages,
        ["Another contact has this contact number. Please enter a different contact number."]
    );
}

#[test]
fn the_number_of_an_archived_contact_remains_taken() {
    let mut caller = Caller::connected();
    let body = r#"{"Contacts":[{"Name":"Ridge","ContactNumber":"cli_1"}]}"#;
    let contact = id(&caller.put("/Contacts", body).first("Contacts")["ContactID"]);
    caller.bookkeeper().archive_contact(contact).unwrap();
    assert_eq!(caller.put("/Contacts", body).messages().len(), 1);
}

/// Rule 33.
#[test]
fn posting_matches_id_then_number_then_name_and_keeps_omitted_members() {
    let mut caller = Caller::connected();
    let created = caller.put(
        "/Contacts",
        r#"{"Contacts":[
            {"Name":"Alpha","ContactNumber":"a","EmailAddress":"a@alpha.example",
             "Phones":[{"PhoneType":"MOBILE","PhoneNumber":"1"}]},
            {"Name":"Beta","ContactNumber":"b"}]}"#,
    );
    let alpha = id(&created.json()["Contacts"][0]["ContactID"]);
    let beta = id(&created.json()["Contacts"][1]["ContactID"]);
    let post = |caller: &mut Caller, contact: serde_json::Value| {
        caller.post("/Contacts", &json!({"Contacts": [contact]}).to_string()).first("Contacts")
    };
    let by_id =
        post(&mut caller, json!({"ContactID": alpha, "ContactNumber": "a2", "TaxNumber": "GB1"}));
    assert_eq!((id(&by_id["ContactID"]), &by_id["ContactNumber"]), (alpha, &json!("a2")));
    assert_eq!(by_id["EmailAddress"], "a@alpha.example", "omitted members are kept");
    assert_eq!(
        by_id["Phones"][3],
        json!({"PhoneType": "MOBILE", "PhoneNumber": "1",
        "PhoneAreaCode": "", "PhoneCountryCode": ""})
    );
    let by_number = post(&mut caller, json!({"ContactNumber": "b", "Name": "Gamma"}));
    assert_eq!((id(&by_number["ContactID"]), &by_number["Name"]), (beta, &json!("Gamma")));
    let by_name = post(&mut caller, json!({"Name": "gamma", "FirstName": "Gil"}));
    assert_eq!(id(&by_name["ContactID"]), beta);
    let cleared = post(&mut caller, json!({"ContactID": alpha, "EmailAddress": ""}));
    assert_eq!(cleared["EmailAddress"], "");
    assert_eq!(caller.books().contacts().count(), 2);
    let path = format!("/Contacts/{alpha}");
    let answer = caller.post(&path, r#"{"Contacts":[{"LastName":"Ames"}]}"#);
    assert_eq!(answer.first("Contacts")["LastName"], "Ames");
    assert_eq!(caller.post("/Contacts/unknown", "{}").status, 404);
}

/// Rule 33, switched.
#[test]
fn the_name_may_take_precedence_over_the_number() {
    let body = r#"{"Contacts":[{"Name":"Alpha","ContactNumber":"b"}]}"#;
    let start = r#"{"Contacts":[{"Name":"Alpha","ContactNumber":"a"},
        {"Name":"Beta","ContactNumber":"b"}]}"#;
    let mut caller = Caller::unconfirmed(|switches| switches.name_before_number = true);
    caller.put("/Contacts", start);
    assert!(caller.post("/Contacts", body).messages()[0].contains("this contact number"));
    let mut caller = Caller::connected();
    caller.put("/Contacts", start);
    assert_eq!(caller.post("/Contacts", body).messages(), [taken("Alpha")]);
}

/// Rule 34.
#[test]
fn names_lengths_and_addresses_are_checked() {
    let mut caller = Caller::connected();
    let mut messages = |contact: serde_json::Value| {
        caller.put("/Contacts", &json!({"Contacts": [contact]}).to_string()).messages()
    };
    assert_eq!(messages(json!({"Name": "  "})), ["Contact Name cannot be empty."]);
    assert_eq!(messages(json!({"ContactNumber": "c"})), ["Contact Name cannot be empty."]);
    let nobody = "The Contact must contain at least 1 of the following elements to identify the \
                  contact: Name, ContactID, ContactNumber";
    assert_eq!(messages(json!({"EmailAddress": "a@b.example"})), [nobody]);
    for email in ["nobody", "a@b", "ä@b.example", "a b@c.example", "a@b@c.example"] {
        let found = messages(json!({"Name": "N", "EmailAddress": email}));
        assert_eq!(found, ["Email address must be valid"], "{email}");
    }
    assert_eq!(messages(json!({"Name": "n".repeat(256)})).len(), 1);
    assert_eq!(messages(json!({"Name": "N", "ContactNumber": "1".repeat(51)})).len(), 1);
    let country = json!([{"AddressType": "POBOX", "Country": "GB1"}]);
    assert_eq!(messages(json!({"Name": "N", "Addresses": country})).len(), 1);
    let person = json!({"FirstName": "P"});
    let persons = vec![person; 6];
    let email = "a@b.example";
    let crowded = json!({"Name": "N", "EmailAddress": email, "ContactPersons": persons});
    assert_eq!(messages(crowded).len(), 1);
    let lacking = json!({"Name": "N", "ContactPersons": [{"FirstName": "P"}]});
    assert!(messages(lacking)[0].starts_with("Additional people cannot be added"));
    let fits = json!({"Name": "n".repeat(255), "ContactNumber": "1".repeat(50)});
    assert_eq!(caller.put("/Contacts", &json!({"Contacts": [fits]}).to_string()).status, 200);
}

/// Rule 35.
#[test]
fn the_name_of_an_archived_contact_is_free_and_invoices_refuse_the_contact() {
    let mut caller = Caller::connected();
    let old = caller.contact("Ridge");
    let body = json!({"Contacts": [{"ContactID": old, "ContactStatus": "ARCHIVED"}]}).to_string();
    assert_eq!(caller.post("/Contacts", &body).first("Contacts")["ContactStatus"], "ARCHIVED");
    let new = caller.contact("Ridge");
    assert_ne!(old, new);
    let refused = caller.put("/Invoices", &invoice(old, "SC-1", "DRAFT"));
    assert!(refused.messages()[0].contains("must be un-archived"), "{:?}", refused.messages());
    assert!(caller.bookkeeper().restore_contact(old).is_err(), "the name is taken");
    caller.bookkeeper().rename_contact(new, "Valley").unwrap();
    caller.bookkeeper().restore_contact(old).unwrap();
    assert_eq!(caller.put("/Invoices", &invoice(old, "SC-1", "DRAFT")).status, 200);
}

/// Rule 36.
#[test]
fn one_invalid_contact_among_fifty_fails_alone_if_errors_are_not_summarised() {
    let mut contacts: Vec<_> = (0..50).map(|n| json!({"Name": format!("N{n}")})).collect();
    contacts[17] = json!({"Name": "N17", "EmailAddress": "wrong"});
    let body = json!({"Contacts": contacts}).to_string();

    let mut caller = Caller::connected();
    let answer = caller.put("/Contacts?summarizeErrors=false", &body);
    assert_eq!(answer.status, 200);
    let rows = answer.json()["Contacts"].as_array().unwrap().clone();
    for (index, row) in rows.iter().enumerate() {
        assert_eq!(row["Name"], format!("N{index}"));
        let is_bad = index == 17;
        assert_eq!(row["StatusAttributeString"], if is_bad { "ERROR" } else { "OK" });
        assert_eq!(row["HasValidationErrors"], is_bad);
        let no_id = uuid::Uuid::nil().to_string();
        assert_eq!(row["ContactID"] == no_id.as_str(), is_bad);
    }
    assert_eq!(messages_of(&rows[17]), ["Email address must be valid"]);
    assert_eq!(caller.books().contacts().count(), 49);

    for path in ["/Contacts", "/Contacts?summarizeErrors=true"] {
        let mut caller = Caller::connected();
        let answer = caller.put(path, &body);
        assert_eq!(answer.messages(), ["Email address must be valid"]);
        assert_eq!(answer.json()["Elements"][0]["Name"], "N17");
        assert_eq!(caller.books().contacts().count(), 0);
    }
    let mut caller = Caller::unconfirmed(|switches| switches.refused_batch_saves_valid = true);
    assert_eq!(caller.put("/Contacts", &body).status, 400);
    assert_eq!(caller.books().contacts().count(), 49);
}

#[test]
fn a_contact_is_returned_with_all_of_its_parts() {
    let mut caller = Caller::connected();
    let body = r#"{"Contacts":[{"Name":"Ridge Plumbing Ltd","ContactNumber":"sc-1",
        "EmailAddress":"ap@ridge.example",
        "Addresses":[{"AddressType":"POBOX","AddressLine1":"1 Quay St","City":"Napier",
        "PostalCode":"4110","Country":"New Zealand"}],
        "ContactPersons":[{"FirstName":"Ana","EmailAddress":"ana@ridge.example"}]}]}"#;
    let row = caller.put("/Contacts", body).first("Contacts");
    let types = |list: &str, key: &str| -> Vec<String> {
        let list = row[list].as_array().unwrap();
        list.iter().map(|one| one[key].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(types("Phones", "PhoneType"), ["DEFAULT", "DDI", "FAX", "MOBILE"]);
    assert_eq!(types("Addresses", "AddressType"), ["STREET", "POBOX"]);
    assert_eq!(row["Addresses"][1]["City"], "Napier");
    assert_eq!((&row["IsCustomer"], &row["IsSupplier"]), (&json!(false), &json!(false)));
    assert_eq!(row["ContactPersons"][0]["FirstName"], "Ana");
    let by_number = caller.get("/Contacts/sc-1").first("Contacts");
    assert_eq!(by_number["ContactID"], row["ContactID"]);
    let by_id = caller.get(&format!("/Contacts/{}", row["ContactID"].as_str().unwrap()));
    assert_eq!(by_id.first("Contacts"), by_number);
}

#[test]
fn a_merged_contact_refers_to_its_target() {
    let mut caller = Caller::connected();
    let from = caller.contact("Ridge");
    caller.invoice("SC-1");
    let into = caller.contact("Ridge Plumbing");
    caller.bookkeeper().merge_contacts(from, into).unwrap();
    let row = caller.get(&format!("/Contacts/{from}")).first("Contacts");
    assert_eq!(
        (&row["MergedToContactID"], &row["ContactStatus"]),
        (&json!(into), &json!("ARCHIVED"))
    );
    let invoice = caller.get("/Invoices/SC-1").first("Invoices");
    assert_eq!(invoice["Contact"]["ContactID"], into.to_string());
}
