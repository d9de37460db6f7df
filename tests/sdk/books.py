"""Checks the books of one organisation: contacts, invoices, credit notes, payments, batch payments, pages."""

import datetime
import json
from decimal import Decimal

from xero_python.accounting import (
    Account, AccountingApi, Address, Allocation, Allocations, BatchPayment, BatchPaymentDelete, BatchPayments,
    Contact, ContactPerson, Contacts, CreditNote, CreditNotes, HistoryRecord, HistoryRecords, Invoice, Invoices,
    LineAmountTypes, LineItem, Payment, PaymentDelete, Payments, Phone, RequestEmpty,
)

DAY = datetime.date(2026, 11, 3)
LATER = datetime.datetime(2099, 1, 1, tzinfo=datetime.timezone.utc)
TOO_MUCH = "exceeds the amount outstanding"


class Books:
    """The books of one organisation, accessed with the SDK. Each section prepares its own data."""

    def __init__(self, report, client, base, tenant):
        self.report, self.tenant = report, tenant
        self.api = AccountingApi(client, base_url=base)
        self.numbers = 0

    def sections(self):
        return [
            ("Organisation", self.read_settings),
            ("Contacts", self.keep_contacts),
            ("Refused contacts", self.refuse_contacts),
            ("Invoices", self.keep_invoices),
            ("Searches for invoices", self.find_invoices),
            ("Credit notes", self.keep_credit_notes),
            ("Payments", self.keep_payments),
            ("E-mail and history", self.send_and_note),
            ("Batch payments", self.keep_batch_payments),
            ("Refused batch payments", self.refuse_batch_payments),
            ("Pages", self.turn_pages),
        ]

    # Shared preparations.

    def contact(self, **fields):
        made = self.api.create_contacts(self.tenant, Contacts(contacts=[Contact(**fields)]))
        return made.contacts[0]

    def customer(self):
        return self.contact(name=f"Customer {self.next_number()}")

    def next_number(self):
        self.numbers += 1
        return self.numbers

    def draft(self, contact, total=Decimal("120.00"), **fields):
        """An invoice that is not created yet: one line, tax included."""
        line = LineItem(description="Call-out", quantity=1, unit_amount=total, account_code="200", tax_type="OUTPUT2")
        fields = {"status": "AUTHORISED", "invoice_number": f"SDK-{self.next_number()}", **fields}
        return Invoice(type="ACCREC", contact=Contact(contact_id=contact.contact_id), line_items=[line], date=DAY,
                       due_date=DAY + datetime.timedelta(days=14), line_amount_types=LineAmountTypes.INCLUSIVE,
                       **fields)

    def invoices(self, contact, count):
        wanted = Invoices(invoices=[self.draft(contact) for _ in range(count)])
        return self.api.create_invoices(self.tenant, wanted).invoices

    def invoice(self, id):
        return self.api.get_invoice(self.tenant, id).invoices[0]

    def bank(self):
        accounts = self.api.get_accounts(self.tenant, where='Type=="BANK" AND Code=="090"').accounts
        return Account(account_id=accounts[0].account_id)

    # Sections.

    def read_settings(self):
        equal = self.report.equal
        organisation = self.api.get_organisations(self.tenant).organisations[0]
        equal("the organisation has the expected name", organisation.name, "Ridgeway Property Services Ltd")
        equal("the SDK knows its currency", organisation.base_currency.value, "GBP")
        accounts = self.api.get_accounts(self.tenant).accounts
        equal("the chart contains the sales account", [one.name for one in accounts if one.code == "200"], ["Sales"])
        rates = self.api.get_tax_rates(self.tenant).tax_rates
        equal("the standard rate is 20 %", [one.effective_rate for one in rates if one.tax_type == "OUTPUT2"], [20])
        currencies = [currency.code.value for currency in self.api.get_currencies(self.tenant).currencies]
        self.report.check("foreign currencies are listed", {"GBP", "EUR", "USD"} <= set(currencies), currencies)

    def keep_contacts(self):
        equal = self.report.equal
        made = self.contact(
            name="Ada Lettings Ltd", contact_number="sdk-1", first_name="Ada", last_name="Okoye",
            email_address="ada@lettings.example", tax_number="GB123456789",
            phones=[Phone(phone_type="DEFAULT", phone_number="555 0101", phone_area_code="020")],
            addresses=[Address(address_type="STREET", address_line1="1 Mill Lane", city="Leeds",
                               postal_code="LS1 1AA")],
            contact_persons=[ContactPerson(first_name="Ben", last_name="Ito", email_address="ben@lettings.example",
                                           include_in_emails=True)],
        )
        contact = self.api.get_contact(self.tenant, made.contact_id).contacts[0]
        equal("a contact is read back by its id", (contact.name, contact.contact_number), ("Ada Lettings Ltd", "sdk-1"))
        equal("with its tax number", contact.tax_number, "GB123456789")
        phone = next(phone for phone in contact.phones if phone.phone_type == "DEFAULT")
        equal("its telephone number", (phone.phone_area_code, phone.phone_number), ("020", "555 0101"))
        street = next(address for address in contact.addresses if address.address_type == "STREET")
        equal("its address", (street.address_line1, street.postal_code), ("1 Mill Lane", "LS1 1AA"))
        people = [(person.first_name, person.include_in_emails) for person in contact.contact_persons]
        equal("and its people", people, [("Ben", True)])
        change = Contacts(contacts=[Contact(email_address="office@lettings.example")])
        changed = self.api.update_contact(self.tenant, made.contact_id, change).contacts[0]
        equal("an update changes only the sent fields", (changed.email_address, changed.name),
              ("office@lettings.example", "Ada Lettings Ltd"))
        known = Contacts(contacts=[Contact(contact_number="sdk-1", name="Ada Lettings Limited")])
        known = self.api.update_or_create_contacts(self.tenant, known).contacts[0]
        equal("a contact number finds the contact", (known.contact_id, known.name),
              (made.contact_id, "Ada Lettings Limited"))
        found = self.api.get_contacts(self.tenant, search_term="lettings limited").contacts
        equal("a search finds it", [one.contact_id for one in found], [made.contact_id])
        found = self.api.get_contacts(self.tenant, where='ContactNumber=="sdk-1"').contacts
        equal("a condition finds it", [one.contact_id for one in found], [made.contact_id])
        equal("no contact has changed since a later day",
              self.api.get_contacts(self.tenant, if_modified_since=LATER).contacts, [])
        archived = Contacts(contacts=[Contact(contact_status="ARCHIVED")])
        self.api.update_contact(self.tenant, made.contact_id, archived)
        for included in (False, True):
            listed = self.api.get_contacts(self.tenant, i_ds=[made.contact_id], include_archived=included).contacts
            what = "an archived contact is listed on request" if included else "and not without one"
            equal(what, len(listed), int(included))

    def refuse_contacts(self):
        self.contact(name="Twice Ltd")
        self.report.refused("a name that is already taken is refused", 400, "already assigned",
                            lambda: self.contact(name="twice ltd"))
        both = Contacts(contacts=[Contact(name="Once Ltd"), Contact(name="Twice Ltd")])
        made = self.api.create_contacts(self.tenant, both, summarize_errors=False).contacts
        made = {contact.name: contact for contact in made}
        once, twice = made["Once Ltd"], made["Twice Ltd"]
        self.report.equal("each contact of a call has its own result",
                          (once.has_validation_errors, twice.has_validation_errors), (False, True))
        errors = twice.validation_errors or []
        self.report.check("the refused one has the reason",
                          any("already" in error.message for error in errors), errors)
        self.report.refused("an unknown contact is not found", 404, "cannot be found",
                            lambda: self.api.get_contact(self.tenant, "00000000-0000-0000-0000-000000000001"))

    def keep_invoices(self):
        equal = self.report.equal
        contact = self.customer()
        lines = [
            LineItem(description="Boiler service", quantity=Decimal("2"), unit_amount=Decimal("49.95"),
                     account_code="200", tax_type="OUTPUT2"),
            LineItem(description="Parts", quantity=Decimal("1"), unit_amount=Decimal("10.10"), account_code="200",
                     tax_type="OUTPUT2", discount_rate=Decimal("10")),
        ]
        wanted = Invoice(type="ACCREC", contact=Contact(contact_id=contact.contact_id), line_items=lines, date=DAY,
                         due_date=datetime.date(2026, 12, 3), line_amount_types=LineAmountTypes.EXCLUSIVE,
                         invoice_number="SDK-A", reference="Job 7", status="AUTHORISED")
        made = self.api.create_invoices(self.tenant, Invoices(invoices=[wanted]), idempotency_key="sdk-a").invoices[0]
        invoice = self.invoice(made.invoice_id)
        equal("an invoice is read back with its figures", (invoice.sub_total, invoice.total_tax, invoice.total),
              (Decimal("108.99"), Decimal("21.80"), Decimal("130.79")))
        equal("its dates", (invoice.date, invoice.due_date), (DAY, datetime.date(2026, 12, 3)))
        equal("its contact", invoice.contact.contact_id, contact.contact_id)
        equal("its lines", [line.line_amount for line in invoice.line_items], [Decimal("99.90"), Decimal("9.09")])
        equal("and its number", self.invoice("SDK-A").invoice_id, made.invoice_id)
        again = self.api.create_invoices(self.tenant, Invoices(invoices=[wanted]), idempotency_key="sdk-a").invoices[0]
        equal("a repeated call with the same key creates no second invoice", again.invoice_id, made.invoice_id)
        change = Invoices(invoices=[Invoice(reference="Job 8")])
        changed = self.api.update_invoice(self.tenant, made.invoice_id, change).invoices[0]
        equal("an update changes only the sent fields", (changed.reference, changed.total),
              ("Job 8", Decimal("130.79")))
        known = Invoices(invoices=[Invoice(type="ACCREC", invoice_number="SDK-A", due_date=datetime.date(2026, 12, 9))])
        known = self.api.update_or_create_invoices(self.tenant, known).invoices[0]
        equal("an invoice number finds the invoice", (known.invoice_id, known.due_date),
              (made.invoice_id, datetime.date(2026, 12, 9)))
        note = HistoryRecords(history_records=[HistoryRecord(details="Sent by the SDK")])
        self.api.create_invoice_history(self.tenant, made.invoice_id, note)
        history = self.api.get_invoice_history(self.tenant, made.invoice_id).history_records
        self.report.check("a note is in the history", any(one.details == "Sent by the SDK" for one in history))
        nameless = Invoice(type="ACCREC", line_items=lines, date=DAY, due_date=DAY, status="AUTHORISED")
        self.report.refused("an invoice without a contact is refused", 400, "Contact",
                            lambda: self.api.create_invoices(self.tenant, Invoices(invoices=[nameless])))
        draft = self.draft(contact, status="DRAFT")
        draft = self.api.create_invoices(self.tenant, Invoices(invoices=[draft])).invoices[0]
        statuses = [draft.status]
        for status in ("SUBMITTED", "AUTHORISED", "VOIDED"):
            change = Invoices(invoices=[Invoice(status=status)])
            statuses.append(self.api.update_invoice(self.tenant, draft.invoice_id, change).invoices[0].status)
        equal("an invoice is drafted, submitted, approved and voided", statuses,
              ["DRAFT", "SUBMITTED", "AUTHORISED", "VOIDED"])

    def find_invoices(self):
        contact = self.customer()
        first, second = self.invoices(contact, 2)
        ids = {first.invoice_id, second.invoice_id}
        for what, wanted, criteria in [
            ("their ids", ids, {"i_ds": sorted(ids)}),
            ("their numbers", ids, {"invoice_numbers": [first.invoice_number, second.invoice_number]}),
            ("their contact", ids, {"contact_i_ds": [contact.contact_id]}),
            ("their contact and status", ids, {"contact_i_ds": [contact.contact_id], "statuses": ["AUTHORISED"]}),
            ("another status", set(), {"contact_i_ds": [contact.contact_id], "statuses": ["DRAFT"]}),
            ("a condition", {first.invoice_id}, {"where": f'InvoiceNumber=="{first.invoice_number}"'}),
            ("a later day", set(), {"if_modified_since": LATER}),
        ]:
            found = self.api.get_invoices(self.tenant, **criteria).invoices
            self.report.equal(f"invoices are found by {what}", {one.invoice_id for one in found}, wanted)

    def credit_note(self, contact, amount):
        line = LineItem(description="Refund", quantity=1, unit_amount=amount, account_code="200", tax_type="OUTPUT2")
        wanted = CreditNote(type="ACCRECCREDIT", contact=Contact(contact_id=contact.contact_id), line_items=[line],
                            date=DAY, status="AUTHORISED", line_amount_types=LineAmountTypes.INCLUSIVE,
                            credit_note_number=f"CN-{self.next_number()}")
        return self.api.create_credit_notes(self.tenant, CreditNotes(credit_notes=[wanted])).credit_notes[0]

    def allocate(self, note, invoice, amount):
        part = Allocation(invoice=Invoice(invoice_id=invoice.invoice_id), amount=amount, date=DAY)
        return self.api.create_credit_note_allocation(self.tenant, note.credit_note_id, Allocations(allocations=[part]))

    def keep_credit_notes(self):
        equal = self.report.equal
        contact = self.customer()
        first, second = self.invoices(contact, 2)
        note = self.credit_note(contact, Decimal("60.00"))
        equal("a credit note has the expected figures", (note.total, note.total_tax, note.remaining_credit),
              (Decimal("60.00"), Decimal("10.00"), Decimal("60.00")))
        made = self.allocate(note, first, Decimal("45.00")).allocations[0]
        equal("the response to an allocation has its amount", (made.amount, made.date), (Decimal("45.00"), DAY))
        self.allocate(note, second, Decimal("15.00"))
        read = self.api.get_credit_note(self.tenant, note.credit_note_id).credit_notes[0]
        equal("a used-up note is paid", (read.status, read.remaining_credit), ("PAID", 0))
        parts = {part.invoice.invoice_id: part for part in read.allocations}
        equal("it shows its allocations", {id: part.amount for id, part in parts.items()},
              {first.invoice_id: Decimal("45.00"), second.invoice_id: Decimal("15.00")})
        credited = self.invoice(first.invoice_id)
        equal("the invoice is credited", (credited.amount_credited, credited.amount_due),
              (Decimal("45.00"), Decimal("75.00")))
        equal("it names the note", [one.credit_note_id for one in credited.credit_notes], [note.credit_note_id])
        part = parts[first.invoice_id].allocation_id
        # The SDK cannot parse this response, neither from here nor from the real Xero (XeroAPI/xero-python#159).
        answer = self.api.delete_credit_note_allocations(self.tenant, note.credit_note_id, part, _preload_content=False)
        removed = json.loads(answer.data)
        removed = removed.get("Allocations", [removed])[0]
        equal("an allocation is removed", (removed["AllocationID"], removed["IsDeleted"]), (part, True))
        read = self.api.get_credit_note(self.tenant, note.credit_note_id).credit_notes[0]
        equal("the credit is available again", (read.status, read.remaining_credit), ("AUTHORISED", Decimal("45.00")))
        equal("the invoice is due again", self.invoice(first.invoice_id).amount_due, Decimal("120.00"))
        self.report.refused("more than the remaining credit is refused", 400, "Elements",
                            lambda: self.allocate(note, first, Decimal("45.01")))
        whole = self.api.get_credit_notes(self.tenant, where=f'CreditNoteNumber=="{note.credit_note_number}"')
        equal("a condition finds the note", [one.credit_note_id for one in whole.credit_notes], [note.credit_note_id])

    def payment(self, invoice, amount, **fields):
        return Payment(invoice=Invoice(invoice_id=invoice.invoice_id), account=Account(code="090"), date=DAY,
                       amount=amount, **fields)

    def send_and_note(self):
        equal = self.report.equal
        contact = self.contact(name=f"Customer {self.next_number()}", email_address="office@customer.example")
        invoice = self.invoices(contact, 1)[0]
        self.api.email_invoice(self.tenant, invoice.invoice_id, RequestEmpty())
        equal("a sent invoice is marked as sent", self.invoice(invoice.invoice_id).sent_to_contact, True)
        nobody = self.invoices(self.customer(), 1)[0]
        self.report.refused("an invoice of a contact without an e-mail address is not sent", 400, "email",
                            lambda: self.api.email_invoice(self.tenant, nobody.invoice_id, RequestEmpty()))
        note = self.credit_note(contact, Decimal("10.00")).credit_note_id
        payment = self.api.create_payment(self.tenant, self.payment(invoice, Decimal("20.00"))).payments[0].payment_id
        noted = HistoryRecords(history_records=[HistoryRecord(details="Noted by the SDK")])
        for what, id, create, read in [
            ("a credit note", note, self.api.create_credit_note_history, self.api.get_credit_note_history),
            ("a payment", payment, self.api.create_payment_history, self.api.get_payment_history),
        ]:
            create(self.tenant, id, noted)
            equal(f"{what} has a history page", [one.details for one in read(self.tenant, id).history_records],
                  ["Noted by the SDK"])

    def keep_payments(self):
        equal = self.report.equal
        first, second, third = self.invoices(self.customer(), 3)
        part = self.payment(first, Decimal("20.00"), reference="Cheque 1")
        part = self.api.create_payment(self.tenant, part).payments[0]
        equal("a part payment is created", (part.amount, part.status, part.date), (Decimal("20.00"), "AUTHORISED", DAY))
        both = Payments(payments=[self.payment(first, Decimal("100.00")), self.payment(second, Decimal("120.00"))])
        made = self.api.create_payments(self.tenant, both).payments
        made = {payment.invoice.invoice_id: payment.payment_id for payment in made}
        paid = self.invoice(first.invoice_id)
        equal("the invoice is paid in full", (paid.status, paid.amount_due, paid.amount_paid, paid.fully_paid_on_date),
              ("PAID", 0, Decimal("120.00"), DAY))
        equal("the invoice names its payments", {one.payment_id for one in paid.payments},
              {part.payment_id, made[first.invoice_id]})
        read = self.api.get_payment(self.tenant, part.payment_id).payments[0]
        equal("a payment is read back", (read.invoice.invoice_id, read.reference, read.account.code),
              (first.invoice_id, "Cheque 1", "090"))
        equal("it has its type and is not reconciled", (read.payment_type, read.is_reconciled),
              ("ACCRECPAYMENT", False))
        self.report.refused("more than the amount due is refused", 400, TOO_MUCH,
                            lambda: self.api.create_payment(self.tenant, self.payment(third, Decimal("120.01"))))
        removed = self.api.delete_payment(self.tenant, part.payment_id, PaymentDelete()).payments[0]
        equal("a payment is deleted", removed.status, "DELETED")
        reopened = self.invoice(first.invoice_id)
        equal("the invoice is open again", (reopened.status, reopened.amount_due), ("AUTHORISED", Decimal("20.00")))
        condition = f'Invoice.InvoiceID==guid("{second.invoice_id}")'
        found = self.api.get_payments(self.tenant, where=condition).payments
        equal("a condition finds a payment", [one.payment_id for one in found], [made[second.invoice_id]])

    def batch(self, parts):
        payments = [Payment(invoice=Invoice(invoice_id=invoice.invoice_id), amount=amount) for invoice, amount in parts]
        wanted = BatchPayment(account=self.bank(), date=DAY, reference="BACS 9", payments=payments)
        return self.api.create_batch_payment(self.tenant, BatchPayments(batch_payments=[wanted])).batch_payments[0]

    def keep_batch_payments(self):
        equal = self.report.equal
        first, second = self.invoices(self.customer(), 2)
        batch = self.batch([(first, Decimal("120.00")), (second, Decimal("30.00"))])
        equal("one sum pays several invoices", (batch.total_amount, batch.type, batch.status, batch.date),
              (Decimal("150.00"), "RECBATCH", "AUTHORISED", DAY))
        invoices = [self.invoice(one.invoice_id) for one in (first, second)]
        equal("each invoice by its part", [one.amount_due for one in invoices], [0, Decimal("90.00")])
        read = self.api.get_batch_payment(self.tenant, batch.batch_payment_id).batch_payments[0]
        equal("a batch is read back", (read.reference, read.is_reconciled, len(read.payments)), ("BACS 9", False, 2))
        listed = self.api.get_batch_payments(self.tenant).batch_payments
        self.report.check("a batch is listed", batch.batch_payment_id in [one.batch_payment_id for one in listed])
        payments = [self.api.get_payment(self.tenant, one.payment_id).payments[0] for one in read.payments]
        equal("its payments name it", {one.batch_payment_id for one in payments}, {batch.batch_payment_id})
        nested = payments[0].batch_payment
        equal("with its figures", (nested.total_amount, nested.is_reconciled), (Decimal("150.00"), False))
        self.report.refused("a payment in a batch is not deleted alone", 400, "within a batch",
                            lambda: self.api.delete_payment(self.tenant, payments[0].payment_id, PaymentDelete()))
        wanted = BatchPaymentDelete(batch_payment_id=batch.batch_payment_id)
        removed = self.api.delete_batch_payment(self.tenant, wanted).batch_payments[0]
        equal("a batch is deleted as a whole", removed.status, "DELETED")
        invoices = [self.invoice(one.invoice_id) for one in (first, second)]
        equal("its invoices are open again", [one.amount_due for one in invoices], [Decimal("120.00")] * 2)

    def refuse_batch_payments(self):
        first, second = self.invoices(self.customer(), 2)
        self.report.refused("a batch with a payment that is too large is refused", 400, TOO_MUCH,
                            lambda: self.batch([(first, Decimal("10.00")), (second, Decimal("120.01"))]))
        invoices = [self.invoice(one.invoice_id) for one in (first, second)]
        self.report.equal("none of its payments is created", [one.amount_paid for one in invoices], [0, 0])

    def pages(self, read, rows, size=None):
        """The rows of all pages, and how many pages and rows the first one reports."""
        found, number, announced = [], 1, None
        while number < 100:
            asked = {"page": number, "order": "UpdatedDateUTC ASC", **({"page_size": size} if size else {})}
            page = read(self.tenant, **asked)
            announced = announced or (page.pagination.page_count, page.pagination.item_count)
            if not getattr(page, rows):
                break
            found.append(getattr(page, rows))
            number += 1
        return found, announced

    def turn_pages(self):
        equal = self.report.equal
        people = [Contact(name=f"Paged {number:03}") for number in range(130)]
        self.api.create_contacts(self.tenant, Contacts(contacts=people))
        contact = self.customer()
        invoices = self.invoices(contact, 12)
        self.api.create_payments(self.tenant, Payments(payments=[self.payment(one, 1) for one in invoices]))
        for _ in range(3):
            self.credit_note(contact, Decimal("1.00"))
        for what, read, rows, id, size, at_least in [
            ("contacts", self.api.get_contacts, "contacts", "contact_id", None, 130),
            ("contacts", self.api.get_contacts, "contacts", "contact_id", 40, 130),
            ("invoices", self.api.get_invoices, "invoices", "invoice_id", 5, 12),
            ("payments", self.api.get_payments, "payments", "payment_id", 5, 12),
            ("credit notes", self.api.get_credit_notes, "credit_notes", "credit_note_id", 2, 4),
        ]:
            pages, announced = self.pages(read, rows, size)
            full = size or 100
            ids = [getattr(row, id) for page in pages for row in page]
            self.report.check(f"pages of {full} {what} contain all of them", len(ids) >= at_least, f"{len(ids)} rows")
            equal("each row occurs once", len(set(ids)), len(ids))
            equal("all pages but the last are full", {len(page) for page in pages[:-1]}, {full})
            equal("the numbers of pages and rows are reported", announced, (len(pages), len(ids)))
        bare = self.api.get_contacts(self.tenant)
        self.report.check("a list without pages reports no pagination", bare.pagination is None, bare.pagination)
