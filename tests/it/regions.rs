//! The tax rates of lines in organisations of each region, from message to books.

use domain::entity::EntityKind::{CreditNote, Invoice};
use engine::commands::connect::ConnectOutcome;
use engine::inbound::MessageOutcome;
use engine::sync::push::PushOutcome;
use rust_decimal::Decimal;
use tests::World;
use tests::builders::{a_credit_note, an_invoice};
use xero_sim::{Organisation, Region, Settings};

/// A connected account whose organisation is one of `region`.
fn connected_in(region: Region, change: impl FnOnce(&mut Settings)) -> World {
    let world = World::with(|settings| {
        let name = settings.organisations[0].name.clone();
        settings.organisations[0] = Organisation::demo(region, &name);
        change(settings);
    });
    let completed = world.connect();
    assert!(matches!(completed, ConnectOutcome::Connected(_)), "{completed:?}");
    world
}

/// Sends an invoice with one line over 100.00 and these tax fields. Returns the line's tax type in
/// Xero and the total there, or the code of the failure.
fn send(world: &World, id: &str, currency: &str, tax: &str, total: &str) -> Result<String, String> {
    let body = an_invoice(id, "cli_1").currency(currency).price("100.00", total).body();
    assert!(body.contains(r#","tax_rate":"20""#));
    let body = body.replace(r#","tax_rate":"20""#, tax);
    if world.receive(Invoice, &body) != MessageOutcome::Pushed(PushOutcome::Synced) {
        let failure = world.mapping(Invoice, id).unwrap().operation.failure.unwrap();
        return Err(failure.code.into_owned());
    }
    let number = format!("#{}", id.to_uppercase());
    world.books(|books| {
        let invoice = books.invoices_numbered(&number).next().unwrap();
        assert_eq!(invoice.total, total.parse::<Decimal>().unwrap(), "{id}");
        Ok(invoice.lines[0].tax_type.clone().unwrap())
    })
}

#[test]
fn a_line_gets_its_regions_tax_rate() {
    const ZERO: &str = r#","tax_rate":"0""#;
    const NONE: &str = "";
    const EXEMPT: &str = r#","tax_rate":"0","tax_name":"exempt""#;
    let cases = [
        (Region::UnitedKingdom, "GBP", "20", "120.00", "OUTPUT2"),
        (Region::NewZealand, "NZD", "15", "115.00", "OUTPUT2"),
        (Region::Australia, "AUD", "10", "110.00", "OUTPUT"),
        (Region::SouthAfrica, "ZAR", "15", "115.00", "OUTPUT3"),
        (Region::Singapore, "SGD", "9", "109.00", "OUTPUTY24"),
    ];
    for (region, currency, rate, total, expected) in cases {
        let world = connected_in(region, |_| {});
        let tax = format!(r#","tax_rate":"{rate}""#);
        assert_eq!(send(&world, "inv_1", currency, &tax, total).as_deref(), Ok(expected));
    }
    for (region, currency, zero, none, exempt) in [
        (Region::UnitedKingdom, "GBP", "ZERORATEDOUTPUT", "NONE", Ok("EXEMPTOUTPUT")),
        (Region::NewZealand, "NZD", "ZERORATED", "NONE", Err("tax_rate_unknown")),
        (Region::Australia, "AUD", "EXEMPTOUTPUT", "BASEXCLUDED", Ok("INPUTTAXED")),
        (Region::UnitedStates, "USD", "NONE", "NONE", Ok("NONE")),
        (Region::Ireland, "EUR", "NONE", "NONE", Ok("NONE")),
        (Region::Global, "AED", "NONE", "NONE", Ok("NONE")),
        (Region::SouthAfrica, "ZAR", "ZERORATED", "NONE", Ok("EXEMPTOUTPUT")),
        (Region::Singapore, "SGD", "ZERORATEDOUTPUT", "NONE", Err("tax_rate_ambiguous")),
    ] {
        let world = connected_in(region, |_| {});
        let mut sent = 0;
        let mut resolve = |tax: &str| {
            sent += 1;
            send(&world, &format!("inv_{sent}"), currency, tax, "100.00")
        };
        assert_eq!(resolve(ZERO).as_deref(), Ok(zero), "{region:?}");
        assert_eq!(resolve(NONE).as_deref(), Ok(none), "{region:?}");
        let resolved = resolve(EXEMPT);
        let resolved = resolved.as_deref().map_err(String::as_str);
        assert_eq!(resolved, exempt, "{region:?}");
    }
}

#[test]
fn the_reverse_charge_is_named_and_charges_no_tax_whatever_rate_xero_lists() {
    const NAME: &str = "Domestic Reverse Charge @ 20% (VAT on Income)";
    let named = format!(r#","tax_rate":"0","tax_name":"{NAME}""#);
    for shows_its_rate in [false, true] {
        let world = connected_in(Region::UnitedKingdom, |settings| {
            settings.unconfirmed.reverse_charge_is_listed = true;
            settings.unconfirmed.reverse_charge_shows_its_rate = shows_its_rate;
        });
        let resolved = send(&world, "inv_1", "GBP", &named, "100.00");
        assert_eq!(resolved.as_deref(), Ok("DRCHARGE20"));
        let resolved = send(&world, "inv_2", "GBP", r#","tax_rate":"20""#, "120.00");
        assert_eq!(resolved.as_deref(), Ok("OUTPUT2"));
        let resolved = send(&world, "inv_3", "GBP", r#","tax_rate":"0""#, "100.00");
        assert_eq!(resolved.as_deref(), Ok("ZERORATEDOUTPUT"));
    }
    let world = connected_in(Region::UnitedKingdom, |_| {});
    let resolved = send(&world, "inv_1", "GBP", &named, "100.00");
    assert_eq!(resolved, Err("tax_rate_unknown".to_owned()), "the organisation has not added it");
}

#[test]
fn a_credit_note_follows_the_same_rules() {
    let world = connected_in(Region::Australia, |_| {});
    let body = a_credit_note("cn_1", "cli_1").currency("AUD").price("100.00", "100.00").body();
    let body = body.replace(r#""tax_rate":"20""#, r#""tax_rate":"0""#);
    let received = world.receive(CreditNote, &body);
    assert_eq!(received, MessageOutcome::Pushed(PushOutcome::Synced));
    let tax_type = world
        .books(|books| books.credit_notes().next().unwrap().lines[0].tax_type.clone().unwrap());
    assert_eq!(tax_type, "EXEMPTOUTPUT");
}
