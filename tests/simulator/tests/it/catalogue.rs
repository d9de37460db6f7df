//! Rule 79: items and tracking options.

use crate::caller::*;
use serde_json::{Value, json};

fn with_line(caller: &mut Caller, change: &Value) -> String {
    let contact = caller.any_contact();
    let mut body: Value = serde_json::from_str(&invoice(contact, "SC-1", "AUTHORISED")).unwrap();
    let line = body["Invoices"][0]["LineItems"][0].as_object_mut().unwrap();
    line.extend(change.as_object().unwrap().clone());
    body.to_string()
}

fn options(line: &Value) -> Vec<String> {
    let tracking = line["Tracking"].as_array().unwrap();
    tracking.iter().map(|one| format!("{}/{}", text(&one["Name"]), text(&one["Option"]))).collect()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

#[test]
fn archived_categories_and_options_are_listed_on_request() {
    let mut caller = Caller::connected();
    let active = caller.get("/TrackingCategories").json();
    assert_eq!(active["TrackingCategories"].as_array().unwrap().len(), 2);
    assert_eq!(active["TrackingCategories"][0]["Options"].as_array().unwrap().len(), 2);
    let all = caller.get("/TrackingCategories?includeArchived=true").json();
    assert_eq!(all["TrackingCategories"].as_array().unwrap().len(), 3);
    assert_eq!(all["TrackingCategories"][0]["Options"][2]["Status"], "ARCHIVED");
}

#[test]
fn items_are_listed_and_found_by_code() {
    let mut caller = Caller::connected();
    assert_eq!(caller.get("/Items").json()["Items"].as_array().unwrap().len(), 4);
    assert_eq!(caller.get("/Items/VAN-HIRE").first("Items")["IsSold"], false);
    assert_eq!(caller.get("/Items/NONE").status, 404);
}

/// Rule 79.
#[test]
fn an_unknown_item_is_refused_and_a_known_one_is_kept() {
    let mut caller = Caller::connected();
    let body = with_line(&mut caller, &json!({"ItemCode": "SOLDER"}));
    assert_eq!(caller.put("/Invoices", &body).messages(), ["Item code 'SOLDER' is not valid"]);
    caller.bookkeeper().add_item("SOLDER", "Solder wire").unwrap();
    let invoice = caller.put("/Invoices", &body).first("Invoices");
    assert_eq!(invoice["LineItems"][0]["ItemCode"], "SOLDER");
}

/// Rule 79.
#[test]
fn an_unknown_or_archived_tracking_option_is_dropped_without_an_error() {
    let mut caller = Caller::connected();
    caller.bookkeeper().archive_tracking_option("Region", "South").unwrap();
    for (category, option, kept) in [
        ("Region", "North", vec!["Region/North"]),
        ("Region", "South", Vec::new()),
        ("Region", "East", Vec::new()),
        ("Area", "North", Vec::new()),
        ("Season", "Winter", Vec::new()),
    ] {
        let tracking = json!({"Tracking": [{"Name": category, "Option": option}]});
        let body = with_line(&mut caller, &tracking).replace("SC-1", option);
        let invoice = caller.post("/Invoices", &body).first("Invoices");
        assert_eq!(options(&invoice["LineItems"][0]), kept, "{category} {option}");
    }
}

/// Rule 79.
#[test]
fn a_line_has_at_most_two_tracking_options() {
    let mut caller = Caller::connected();
    let option = |category: &str, option: &str| json!({"Name": category, "Option": option});
    let both = [option("Region", "North"), option("Team", "Plumbing")];
    let body = with_line(&mut caller, &json!({"Tracking": both}));
    let invoice = caller.put("/Invoices", &body).first("Invoices");
    assert_eq!(options(&invoice["LineItems"][0]), ["Region/North", "Team/Plumbing"]);
    let three = [option("Region", "North"), option("Team", "Plumbing"), option("a", "b")];
    let body = with_line(&mut caller, &json!({"Tracking": three})).replace("SC-1", "SC-2");
    let refused = caller.put("/Invoices", &body).messages();
    assert_eq!(refused, ["A line item can have at most two tracking options."]);
}

/// Rule 79: open questions, answered both ways.
#[test]
fn an_archived_option_may_be_kept_and_an_empty_list_may_change_nothing() {
    for (is_kept, removes) in [(false, true), (true, false)] {
        let mut caller = Caller::unconfirmed(|switches| {
            switches.archived_tracking_is_kept = is_kept;
            switches.empty_tracking_removes = removes;
        });
        let option = |name: &str| json!({"Tracking": [{"Name": "Region", "Option": name}]});
        let body = with_line(&mut caller, &option("West"));
        let line = caller.put("/Invoices", &body).first("Invoices")["LineItems"][0].clone();
        assert_eq!(options(&line), if is_kept { vec!["Region/West"] } else { Vec::new() });
        let body = with_line(&mut caller, &option("North")).replace("SC-1", "SC-2");
        let invoice = caller.put("/Invoices", &body).first("Invoices");
        let line = &invoice["LineItems"][0]["LineItemID"];
        let emptied = json!({"LineItems": [{"LineItemID": line, "Tracking": []}]});
        let emptied = json!({"Invoices": [emptied]}).to_string();
        let path = format!("/Invoices/{}", text(&invoice["InvoiceID"]));
        let line = caller.post(&path, &emptied).first("Invoices")["LineItems"][0].clone();
        assert_eq!(options(&line), if removes { Vec::new() } else { vec!["Region/North"] });
    }
}
