//! Rules 12 to 22: bearer, tenant, scope, limits, formats, injected faults.

use crate::caller::*;
use bytes::Bytes;
use http::Request;

fn problem(answer: &Answered) -> (u16, String, String) {
    let body = answer.json();
    assert!(body["Type"].is_null());
    assert_eq!(body["Status"], answer.status);
    assert!(body["Instance"].is_string());
    assert_eq!(body["Extensions"], serde_json::json!({}));
    let word = |key: &str| body[key].as_str().unwrap().to_owned();
    (answer.status, word("Title"), word("Detail"))
}

fn refused(status: u16, title: &str, detail: &str) -> (u16, String, String) {
    (status, title.to_owned(), detail.to_owned())
}

/// Rule 12.
#[test]
fn an_unknown_bearer_is_unauthorised() {
    let mut caller = Caller::connected();
    let good = caller.bearer.clone();
    for bearer in ["", "garbage", &good[1..]] {
        bearer.clone_into(&mut caller.bearer);
        let answer = caller.get("/Organisation");
        assert_eq!(problem(&answer), refused(401, "Unauthorized", "AuthenticationUnsuccessful"));
        assert_eq!(answer.header("www-authenticate"), "Bearer error=invalid_token");
    }
    let request = Request::get("/connections").body(Bytes::new()).unwrap();
    assert_eq!(caller.send(&request).status, 401);
}

/// Rule 13.
#[test]
fn the_refusal_of_an_expired_bearer_names_the_time() {
    let mut caller = Caller::connected();
    caller.pass(1799);
    assert_eq!(caller.get("/Organisation").status, 200);
    caller.pass(1);
    assert_eq!(
        problem(&caller.get("/Organisation")),
        refused(401, "Unauthorized", "TokenExpired: token expired at 11/02/2026 09:30:00")
    );
}

/// Rule 14.
#[test]
fn a_tenant_must_be_named_and_connected() {
    let mut caller = Caller::connected();
    let expected = refused(403, "Forbidden", "AuthenticationUnsuccessful");
    let request = Request::get("/api.xro/2.0/Organisation")
        .header("authorization", format!("Bearer {}", caller.bearer))
        .body(Bytes::new())
        .unwrap();
    assert_eq!(problem(&caller.send(&request)), expected);
    caller.tenant = demo().organisations[1].id;
    assert_eq!(problem(&caller.get("/Organisation")), expected);
    caller.tenant = uuid::Uuid::nil();
    assert_eq!(problem(&caller.get("/Organisation")), expected);
}

/// Rule 15.
#[test]
fn each_resource_needs_its_scope_and_read_scopes_refuse_writes() {
    let mut caller = Caller::unconnected(demo());
    caller.connect("accounting.contacts.read");
    assert_eq!(caller.get("/Contacts").status, 200);
    for answer in [
        caller.put("/Contacts", r#"{"Contacts":[{"Name":"A"}]}"#),
        caller.get("/Invoices"),
        caller.get("/Organisation"),
    ] {
        assert_eq!(answer.status, 401);
        assert_eq!(answer.header("www-authenticate"), "insufficient_scope");
    }
    assert_eq!(caller.books().contacts().count(), 0);
}

/// Rule 15, switched.
#[test]
fn a_missing_scope_may_be_403_and_misspelt() {
    let mut settings = demo();
    settings.unconfirmed.missing_scope_status = 403;
    settings.unconfirmed.missing_scope_misspelt = true;
    let mut caller = Caller::unconnected(settings);
    caller.connect("accounting.contacts.read");
    let answer = caller.get("/Invoices");
    assert_eq!(answer.status, 403);
    assert_eq!(answer.header("www-authenticate"), "insufficent_scope");
}

/// Rule 18.
#[test]
fn xml_is_the_default_format() {
    let mut caller = Caller::connected();
    caller.invoice("SC-1");
    for accept in [None, Some("*/*"), Some("text/html")] {
        let mut request = caller.request("GET", "/Invoices", "").body(Bytes::new()).unwrap();
        request.headers_mut().remove("accept");
        if let Some(accept) = accept {
            request.headers_mut().insert("accept", accept.parse().unwrap());
        }
        let answer = caller.send(&request);
        assert!(answer.header("content-type").starts_with("text/xml"));
        assert!(answer.text.contains("<Invoices><Invoice><Type>ACCREC</Type>"), "{}", answer.text);
        assert!(answer.text.contains("<Date>2026-11-02T00:00:00</Date>"));
    }
}

/// Rule 18.
#[test]
fn a_body_may_be_xml() {
    let mut caller = Caller::connected();
    let contact = "<Contacts><Contact><Name>A &amp; B</Name><Phones><Phone><PhoneType>MOBILE\
                   </PhoneType><PhoneNumber>5551212</PhoneNumber></Phone></Phones></Contact>\
                   </Contacts>";
    let contact = caller.put("/Contacts", contact).first("Contacts");
    assert_eq!(contact["Name"], "A & B");
    let invoice = format!(
        "<Invoice><Type>ACCREC</Type><Contact><ContactID>{}</ContactID></Contact>\
         <Date>2026-11-02</Date><DueDate>2026-11-16</DueDate><Status>AUTHORISED</Status>\
         <LineItems><LineItem><Description>Call-out</Description><Quantity>2</Quantity>\
         <UnitAmount>50.00</UnitAmount><AccountCode>200</AccountCode></LineItem></LineItems>\
         </Invoice>",
        contact["ContactID"].as_str().unwrap(),
    );
    let answer = caller.put("/Invoices", &invoice);
    assert_eq!(answer.digits("Total"), "120.00");
    let refused = caller.put("/Invoices", "<Invoices><Invoice></Invoices>");
    assert_eq!((refused.status, &refused.json()["ErrorNumber"]), (400, &serde_json::json!(14)));
    let nothing = caller.put("/Invoices", "<Contacts/>");
    assert_eq!((nothing.status, &nothing.json()["ErrorNumber"]), (400, &serde_json::json!(17)));
}

/// Rule 18.
#[test]
fn a_payment_and_a_batch_of_payments_may_be_xml() {
    let mut caller = Caller::connected();
    let (first, second) = (caller.invoice("SC-1"), caller.invoice("SC-2"));
    let account = caller.books().organisation().account("090").unwrap().id;
    let paid_from =
        format!("<Account><AccountID>{account}</AccountID></Account><Date>2026-11-03</Date>");
    let part = |invoice, amount| {
        format!("<Invoice><InvoiceID>{invoice}</InvoiceID></Invoice><Amount>{amount}</Amount>")
    };
    let [all, rest] = [part(first, "120.00"), part(second, "30.00")];
    let batch = format!(
        "<BatchPayments><BatchPayment>{paid_from}<Payments><Payment>{all}</Payment>\
         <Payment>{rest}</Payment></Payments></BatchPayment></BatchPayments>"
    );
    let batch = caller.put("/BatchPayments", &batch).first("BatchPayments");
    assert_eq!(batch["Payments"].as_array().unwrap().len(), 2);
    let payment =
        format!("<Payments><Payment>{paid_from}{}</Payment></Payments>", part(second, "40.00"));
    assert_eq!(caller.put("/Payments", &payment).status, 200);
    for (invoice, due) in [(first, 0), (second, 50)] {
        assert_eq!(caller.books().invoice(invoice).unwrap().amount_due(), due.into(), "{invoice}");
    }
}

/// Rule 19.
#[test]
fn invalid_and_empty_bodies_have_their_own_errors() {
    let mut caller = Caller::connected();
    let broken = caller.put("/Invoices", r#"{"Invoices":["#);
    assert_eq!((broken.status, &broken.json()["ErrorNumber"]), (400, &14.into()));
    assert_eq!(broken.json()["Type"], "PostDataInvalidException");
    assert!(
        broken.json()["Message"]
            .as_str()
            .unwrap()
            .starts_with("JSON request body could not be read")
    );
    for body in [r#"{"Invoice":[]}"#, r#"{"Invoices":[]}"#, "{}", "[]"] {
        let nothing = caller.put("/Invoices", body);
        assert_eq!(nothing.status, 400);
        assert_eq!(nothing.json()["Type"], "NoDataProcessedException");
        assert_eq!(
            nothing.json()["Message"],
            "No data has been processed for this endpoint. This endpoint is expecting Invoice \
             data to be specifed in the request body."
        );
    }
    let wrong = caller.get(&query("/Invoices", &[("where", "Colour==\"red\"")]));
    assert_eq!((wrong.status, &wrong.json()["ErrorNumber"]), (400, &16.into()));
    assert_eq!(wrong.json()["Type"], "QueryParseException");
}

#[test]
fn an_element_may_be_sent_without_its_collection() {
    let mut caller = Caller::connected();
    assert_eq!(caller.put("/Contacts", r#"{"Name":"Bare"}"#).first("Contacts")["Name"], "Bare");
}

/// Rule 20.
#[test]
fn a_query_beyond_the_maximum_length_is_not_found() {
    let mut caller = Caller::connected();
    let ids = |count: usize| vec![uuid::Uuid::nil().to_string(); count].join(",");
    assert_eq!(caller.get(&format!("/Invoices?IDs={}", ids(55))).status, 200);
    let long = caller.get(&format!("/Invoices?IDs={}", ids(56)));
    assert_eq!(long.status, 404);
    assert_eq!(long.text, "The resource you're looking for cannot be found");
    let encoded = |count: usize| ids(count).replace(',', "%2C");
    assert_eq!(caller.get(&format!("/Invoices?IDs={}", encoded(52))).status, 200);
    assert_eq!(caller.get(&format!("/Invoices?IDs={}", encoded(53))).status, 404);
}

/// Rule 21.
#[test]
fn unknown_resources_are_not_found_in_plain_text() {
    let mut caller = Caller::connected();
    for path in ["/Invoices/unknown", "/Contacts/unknown", "/Sandwiches", "/Invoices/a/b/c", ""] {
        let answer = caller.get(path);
        assert_eq!(answer.status, 404, "{path}");
        assert_eq!(answer.text, "The resource you're looking for cannot be found");
    }
    assert_eq!(caller.post("/Organisation", "{}").status, 501);
    assert_eq!(caller.call("DELETE", "/Invoices", "").status, 501);
}

#[test]
fn the_log_contains_calls_and_no_secrets() {
    let mut caller = Caller::connected();
    caller.get("/Organisation");
    let text = format!("{:?}", caller.simulator.calls());
    assert!(!text.contains(&caller.bearer));
    assert!(!text.contains(&caller.refresh));
    assert!(!text.contains(SECRET));
    let last = caller.simulator.calls().last().unwrap();
    assert_eq!((last.path.as_str(), last.status), ("/api.xro/2.0/Organisation", 200));
    assert!(last.counted);
    assert_eq!(last.tenant, Some(caller.tenant));
}

#[test]
fn the_settings_of_an_organisation_can_be_read() {
    let mut caller = Caller::connected();
    let organisation = caller.get("/Organisation").first("Organisations");
    assert_eq!(organisation["OrganisationID"], caller.tenant.to_string());
    assert_eq!(organisation["BaseCurrency"], "GBP");
    let rates = caller.get(&query("/TaxRates", &[("where", "TaxType==\"OUTPUT2\"")]));
    assert_eq!(rates.first("TaxRates")["CanApplyToRevenue"], true);
    assert_eq!(rates.digits("EffectiveRate"), "20.0000");
    let currencies = caller.get("/Currencies").json();
    assert_eq!(currencies["Currencies"].as_array().unwrap().len(), 3);
    let filter = "Status==\"ACTIVE\" AND Class==\"REVENUE\"";
    let sales = caller.get(&query("/Accounts", &[("where", filter), ("order", "Code DESC")]));
    assert_eq!(sales.first("Accounts")["Code"], "270");
    assert_eq!(caller.get("/BrandingThemes").first("BrandingThemes")["SortOrder"], 0);
    assert_eq!(caller.get("/Organisation/Actions").first("Actions")["Status"], "ALLOWED");
}
