//! Tests of the translation of invoices, and the records that they share with other tests.

use jiff::civil::date;
use rust_decimal::Decimal;
use uuid::Uuid;

use super::invoice::translate_invoice;
use super::lines::TranslationContext;
use crate::account_codes::AccountCodes;
use crate::chart::tests::{a_rate, an_account};
use crate::chart::{self, Chart, ChartAccount, TaxRate};
use crate::crm::credit_note::CreditNote;
use crate::crm::invoice::Invoice;
use crate::crm::lines::{DocumentLine, LineAmounts, LineDiscount};
use crate::document::invoice::{InvoiceDocument, InvoiceType};
use crate::document::sales::{ContactReference, LineAmountTypes, LineItem, NewStatus};
use crate::failure::{Failure, FailureClass};
use crate::ids::{XeroContactId, XeroInvoiceId};
use crate::line_values::LineValues;
use crate::money::Currency;
use crate::totals;

fn decimal(text: &str) -> Decimal {
    Decimal::from_str_exact(text).unwrap()
}

pub(crate) fn a_line(quantity: &str, unit_price: &str, tax_rate: Option<&str>) -> DocumentLine {
    DocumentLine {
        name: "Boiler service".to_owned(),
        description: None,
        quantity: decimal(quantity),
        unit_price: decimal(unit_price),
        discount: None,
        tax_rate: tax_rate.map(decimal),
        tax_name: None,
        account_code: None,
        item_code: None,
        tracking: None,
    }
}

pub(crate) fn an_invoice() -> Invoice {
    serde_json::from_str(
        r##"{"id":"inv_1","revision":1,"number":"#INV-0001","client_id":"cli_1",
        "issue_date":"2026-10-03","due_date":"2026-10-17","currency":"GBP","reference":"Job 1042",
        "lines":[{"name":"Boiler service","description":"Annual service","quantity":"1",
          "unit_price":"95.00","discount":{"percent":"10"},"tax_rate":"20"}],
        "total":"102.60"}"##,
    )
    .unwrap()
}

fn a_chart() -> Chart {
    let account = |code: &str, account_type: &str, is_active| ChartAccount {
        is_active,
        tax_type: Some("OUTPUT2".to_owned()),
        ..an_account(code, account_type)
    };
    let rate = |name: &str, tax_type: &str, percent: &str| a_rate(tax_type, name, decimal(percent));
    let accounts = vec![
        account("200", "REVENUE", true),
        account("201", "REVENUE", false),
        account("090", "BANK", true),
    ];
    Chart {
        tax_rates: vec![
            rate("20% (VAT on Income)", "OUTPUT2", "20"),
            rate("20% (VAT on Capital Sales)", "CAPOUT2", "20"),
            rate("5% (VAT on Income)", "RROUTPUT", "5.0000"),
            rate("Zero Rated Income", "ZERORATEDOUTPUT", "0"),
            rate("No VAT", "NONE", "0"),
            rate("12% east", "EAST", "12"),
            rate("12% west", "WEST", "12"),
            TaxRate { can_apply_to_revenue: false, ..rate("8% purchases", "INPUT8", "8") },
            TaxRate { is_active: false, ..rate("17.5% old", "OUTPUT1", "17.5") },
        ],
        ..chart::tests::a_chart(accounts)
    }
}

/// What a translation needs besides the document.
struct Settings {
    codes: AccountCodes,
    chart: Chart,
    line_values: LineValues,
}

impl Settings {
    fn new(codes: AccountCodes) -> Self {
        Self { codes, chart: a_chart(), line_values: LineValues::default() }
    }

    fn build_context(&self) -> TranslationContext<'_> {
        TranslationContext {
            contact: XeroContactId(Uuid::from_u128(5)),
            codes: &self.codes,
            chart: &self.chart,
            line_values: &self.line_values,
            crm_url: "https://app.servicecortex.example/",
        }
    }
}

fn translated(invoice: &Invoice, sales: &str) -> Result<InvoiceDocument, Failure> {
    let codes = AccountCodes { sales: sales.to_owned(), ..AccountCodes::default() };
    let settings = Settings::new(codes);
    let context = settings.build_context();
    Ok(translate_invoice(invoice, None, context)?.document)
}

/// An invoice whose total is the sum of its lines.
fn of_lines(lines: Vec<DocumentLine>) -> Invoice {
    let total = totals::sum_lines(&lines, LineAmounts::Exclusive).total;
    Invoice { lines, total, ..an_invoice() }
}

fn tax_type_of(line: DocumentLine) -> Result<String, String> {
    let invoice = of_lines(vec![line]);
    let document = translated(&invoice, "200").map_err(|failure| failure.code.into_owned())?;
    Ok(document.line_items[0].tax_type.clone())
}

#[test]
fn an_invoice_becomes_an_approved_sales_invoice() {
    let expected = InvoiceDocument {
        invoice_id: None,
        invoice_type: InvoiceType::Accrec,
        contact: ContactReference { contact_id: XeroContactId(Uuid::from_u128(5)) },
        date: date(2026, 10, 3),
        due_date: date(2026, 10, 17),
        line_amount_types: LineAmountTypes::Exclusive,
        invoice_number: "#INV-0001".to_owned(),
        reference: Some("Job 1042".to_owned()),
        currency_code: Currency::new("GBP").unwrap(),
        status: Some(NewStatus::Authorised),
        url: "https://app.servicecortex.example/invoices/inv_1".to_owned(),
        sent_to_contact: false,
        line_items: vec![LineItem {
            description: "Boiler service\nAnnual service".to_owned(),
            quantity: Decimal::ONE,
            unit_amount: decimal("95.00"),
            account_code: "200".to_owned(),
            tax_type: "OUTPUT2".to_owned(),
            discount_rate: Some(decimal("10")),
            discount_amount: None,
            item_code: None,
            tracking: Vec::new(),
        }],
    };
    let document = translated(&an_invoice(), "200").unwrap();
    assert_eq!(document, expected);
    assert_eq!(document.line_items[0].unit_amount.to_string(), "95.00");
}

#[test]
fn an_invoice_without_a_due_date_is_due_when_it_was_issued() {
    let invoice = Invoice { due_date: None, ..an_invoice() };
    assert_eq!(translated(&invoice, "200").unwrap().due_date, date(2026, 10, 3));
}

#[test]
fn an_update_states_every_optional_field_and_a_new_invoice_only_those_that_it_has() {
    let settings = Settings::new(AccountCodes::default());
    let context = settings.build_context();
    let existing = XeroInvoiceId(Uuid::from_u128(6));
    let bare = Invoice { reference: None, due_date: None, ..an_invoice() };
    for invoice in [bare, Invoice { reference: Some("\u{7}".to_owned()), ..an_invoice() }] {
        let created = translate_invoice(&invoice, None, context).unwrap().document;
        assert_eq!(created.reference, None);
        let updated = translate_invoice(&invoice, Some(existing), context).unwrap().document;
        assert_eq!(updated.reference.as_deref(), Some(""));
        assert_eq!(updated.due_date, invoice.due_date.unwrap_or(invoice.issue_date));
    }
    let updated = translate_invoice(&an_invoice(), Some(existing), context).unwrap().document;
    assert_eq!(updated.reference.as_deref(), Some("Job 1042"));
}

#[test]
fn figures_finer_than_xero_stores_are_folded_into_the_line_amount_and_reported() {
    let line = DocumentLine {
        discount: Some(LineDiscount::Percent(decimal("33.333"))),
        ..a_line("1.33333", "7.5", None)
    };
    let document = translated(&of_lines(vec![line]), "200").unwrap();
    let item = &document.line_items[0];
    assert_eq!((item.quantity, item.unit_amount), (Decimal::ONE, decimal("6.67")));
    assert!(item.description.contains("(1.33333 x 7.5, less 33.333 %)"), "{item:?}");
}

#[test]
fn the_tax_type_follows_the_rate_the_name_and_the_account() {
    assert_eq!(tax_type_of(a_line("1", "1", Some("20.0"))).as_deref(), Ok("OUTPUT2"));
    assert_eq!(tax_type_of(a_line("1", "1", Some("5"))).as_deref(), Ok("RROUTPUT"));
    assert_eq!(tax_type_of(a_line("1", "1", Some("0"))).as_deref(), Ok("ZERORATEDOUTPUT"));
    assert_eq!(tax_type_of(a_line("1", "1", None)).as_deref(), Ok("NONE"));
    let named =
        DocumentLine { tax_name: Some("12% WEST".to_owned()), ..a_line("1", "1", Some("12")) };
    assert_eq!(tax_type_of(named).as_deref(), Ok("WEST"));
}

#[test]
fn a_tax_rate_that_is_missing_retired_for_purchases_or_ambiguous_is_refused() {
    for (percent, code) in [
        ("19", "tax_rate_unknown"),
        ("17.5", "tax_rate_unknown"),
        ("8", "tax_rate_unknown"),
        ("12", "tax_rate_ambiguous"),
    ] {
        assert_eq!(tax_type_of(a_line("1", "1", Some(percent))), Err(code.to_owned()));
    }
    let named =
        DocumentLine { tax_name: Some("13% north".to_owned()), ..a_line("1", "1", Some("12")) };
    assert_eq!(tax_type_of(named), Err("tax_rate_unknown".to_owned()));
}

#[test]
fn an_account_that_takes_no_sales_is_refused_with_a_remedy() {
    for (code, why) in [
        ("999", "account_code_unknown"),
        ("201", "account_code_archived"),
        ("090", "account_code_bank"),
    ] {
        let failure = translated(&an_invoice(), code).unwrap_err();
        assert_eq!(failure.class, FailureClass::Untranslatable);
        assert_eq!(failure.code, why);
        assert!(failure.message.contains(code) && failure.remedy.contains("Settings"), "{failure}");
    }
}

#[test]
fn a_line_is_booked_on_the_account_that_it_names_and_others_on_the_default_one() {
    let named = |code: &str| DocumentLine {
        account_code: Some(code.to_owned()),
        ..a_line("1", "10.00", Some("20"))
    };
    let lines = vec![named("200"), a_line("1", "10.00", Some("20"))];
    // The default account is not needed if every line names one.
    let document = translated(&of_lines(vec![named("200")]), "999").unwrap();
    assert_eq!(document.line_items[0].account_code, "200");
    assert_eq!(
        translated(&of_lines(lines.clone()), "999").unwrap_err().code,
        "account_code_unknown"
    );
    assert!(translated(&of_lines(lines), "200").is_ok());
    for (code, why) in [
        ("999", "line_account_unknown"),
        ("201", "line_account_archived"),
        ("090", "line_account_bank"),
    ] {
        let lines = vec![a_line("1", "10.00", Some("20")), named(code)];
        let failure = translated(&of_lines(lines), "200").unwrap_err();
        assert_eq!((failure.class, &*failure.code), (FailureClass::Untranslatable, why));
        let message = failure.message;
        assert!(message.contains(&format!("Line 2 names account {code}")), "{message}");
        assert!(message.contains("Possible accounts: 200 ("), "{message}");
    }
}

#[test]
fn a_negative_total_is_a_credit_note_and_never_a_bill() {
    let invoice = Invoice { lines: vec![a_line("1", "-10", None)], ..an_invoice() };
    let failure = translated(&invoice, "200").unwrap_err();
    assert_eq!(failure.code, "total_negative");
}

#[test]
fn a_total_that_rounding_cannot_explain_is_given_up_at_once_with_both_figures() {
    let line = || vec![a_line("1", "10.00", Some("20"))];
    let total = |total: &str| Invoice { lines: line(), total: decimal(total), ..an_invoice() };
    let failure = translated(&total("1200.00"), "200").unwrap_err();
    assert_eq!(
        (failure.class, failure.code.as_ref()),
        (FailureClass::Untranslatable, "total_unexplained")
    );
    assert_eq!(failure.message, "The lines add up to 12.00, but the stated total is 1200.00.");
    assert!(translated(&total("12.01"), "200").is_err(), "nothing was rounded");
    // 10.01 plus 2.002 of tax.
    let rounded = Invoice { lines: vec![a_line("1", "10.01", Some("20"))], ..total("12.02") };
    assert!(translated(&rounded, "200").is_ok(), "rounding explains a cent");
    let inclusive = Invoice { line_amounts: LineAmounts::Inclusive, ..total("12.00") };
    assert_eq!(
        translated(&inclusive, "200").unwrap_err().message,
        "The lines add up to 10.00, but the stated total is 12.00."
    );
}

#[test]
fn a_credit_note_states_its_total_and_a_negative_invoice_the_one_of_the_crm() {
    let settings = Settings::new(AccountCodes::default());
    let context = settings.build_context();
    let lines = vec![a_line("1", "-10.00", Some("20"))];
    let invoice = Invoice { total: decimal("-1200.00"), ..of_lines(lines) };
    let note = CreditNote::from_negated_invoice(&invoice);
    let refusal = |note: &CreditNote| {
        super::credit_note::translate_credit_note(note, None, context).unwrap_err().message
    };
    assert_eq!(refusal(&note), "The lines add up to -12.00, but the stated total is -1200.00.");
    let note = CreditNote { is_negative_invoice: false, ..note };
    assert_eq!(refusal(&note), "The lines add up to 12.00, but the stated total is 1200.00.");
}

#[test]
fn a_discount_that_xero_refuses_is_folded_into_the_price_or_left_out() {
    let amount = |figure: &str| Some(LineDiscount::Amount(decimal(figure)));
    let percent = |figure: &str| Some(LineDiscount::Percent(decimal(figure)));
    for (price, discount, unit_amount, note) in [
        ("95.00", amount("0.00"), "95.00", None),
        ("95.00", percent("0"), "95.00", None),
        ("-95.00", percent("0.00"), "-95.00", None),
        ("95.00", amount("95.00"), "0.00", Some("(1 x 95.00, less 95.00)")),
        ("95.00", percent("100"), "0.00", Some("(1 x 95.00, less 100 %)")),
        ("-95.00", percent("10"), "-85.50", Some("(1 x -95.00, less 10 %)")),
        ("0.01", percent("60"), "0.00", Some("(1 x 0.01, less 60 %)")),
    ] {
        let line = DocumentLine { discount, ..a_line("1", price, None) };
        // A line that is larger than the deduction beside it.
        let lines = vec![line, a_line("1", "500.00", None)];
        let items = translated(&of_lines(lines), "200").unwrap().line_items;
        assert_eq!(items[0].unit_amount.to_string(), unit_amount);
        for item in &items {
            assert_eq!((item.discount_rate, item.discount_amount), (None, None), "{item:?}");
        }
        assert!(note.is_none_or(|note| items[0].description.contains(note)), "{items:?}");
    }
}

#[test]
fn a_long_description_is_shortened_and_the_figures_at_its_end_stay() {
    let figures = "\n(1 x 95.00, less 95.00)";
    for (sign, kept) in [("x", 4_000), ("é", 4_000), ("🔧", 2_000)] {
        // With the name of the line, it is too long.
        let description = Some(sign.repeat(kept));
        let plain = DocumentLine { description, ..a_line("1", "95.00", None) };
        let discount = Some(LineDiscount::Amount(decimal("95.00")));
        let folded = DocumentLine { discount, ..plain.clone() };
        let settings = Settings::new(AccountCodes::default());
        let invoice = of_lines(vec![plain, folded]);
        let translated = translate_invoice(&invoice, None, settings.build_context()).unwrap();
        let remark = "was shortened: Xero accepts at most 4000 characters";
        assert!(translated.warnings.iter().any(|one| one.contains(remark)), "{sign}");
        let items = &translated.document.line_items;
        assert_eq!(items.len(), 2);
        for item in items {
            let units = item.description.encode_utf16().count();
            assert!((3_999..=4_000).contains(&units), "{sign}: {units}");
            assert!(item.description.starts_with("Boiler service\n"), "{sign}");
        }
        assert!(items[1].description.ends_with(figures), "{sign}");
    }
}

#[test]
fn control_characters_are_left_out_of_every_text_with_one_remark_for_each_field() {
    let line = DocumentLine {
        name: "Boiler\u{0} service".to_owned(),
        description: Some("Annual\u{1b} service\nwith parts\u{FFFE}".to_owned()),
        ..a_line("1", "10.00", None)
    };
    let invoice = Invoice {
        reference: Some("Job\u{7} 1042\n".to_owned()),
        ..of_lines(vec![line.clone(), line])
    };
    let settings = Settings::new(AccountCodes::default());
    let context = settings.build_context();
    let translated = translate_invoice(&invoice, None, context).unwrap();
    assert_eq!(translated.document.reference.as_deref(), Some("Job 1042"));
    let texts = translated.document.line_items.iter().map(|item| item.description.as_str());
    let expected = "Boiler service\nAnnual service\nwith parts";
    assert_eq!(texts.collect::<Vec<_>>(), [expected, expected]);
    assert_eq!(translated.warnings.len(), 2, "{:?}", translated.warnings);
}
