/** What the API answers in the tests: every state that the elements show, in one place. */

const NOW = Date.now();
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const at = (before) => new Date(NOW - before).toISOString();
const gbp = (amount) => ({ amount, currency: "GBP" });

const STATUS = {
  status: "active",
  can_change: true,
  organisation: "Ridgeway Plumbing Ltd",
  organisation_url: "https://go.xero.com/app/!rIdG3/homepage",
  base_currency: "GBP",
  country: "GB",
  connected_by: "usr_ana",
  connected_at: at(27 * DAY),
  last_attempt_at: at(2 * MINUTE),
  last_sync_at: at(2 * MINUTE),
  last_payment_check_at: at(7 * MINUTE),
  failing: 0,
  skipped: 0,
  waiting: 0,
};

const LOCKED = {
  code: "period_locked",
  responsible: "bookkeeper",
  message: "The invoice is dated in a period that is locked in Xero until 31 October 2026.",
  remedy: "Ask your bookkeeper to unlock the period, or change the date of the invoice.",
};
const ARCHIVED = {
  code: "account_code_archived",
  responsible: "user",
  message: "Account 200 is archived in Xero.",
  remedy: "Choose another account for sales, or restore account 200 in Xero.",
};

const record = (entity, crm_id, state, more = {}) => ({
  entity,
  crm_id,
  state,
  revision: 3,
  synced_revision: state === "synced" ? 3 : undefined,
  ...more,
});

const CODES = {
  sales: "200",
  stripe_bank: "090",
  stripe_fee: "404",
  gift_card: "835",
  tax_types: { 20: "OUTPUT2" },
};

const CHOICES = {
  income: [
    { code: "200", name: "Sales", type: "REVENUE" },
    { code: "201", name: "Maintenance contracts", type: "REVENUE" },
    { code: "260", name: "Other revenue", type: "OTHERINCOME" },
  ],
  expense: [
    { code: "404", name: "Bank fees", type: "EXPENSE" },
    { code: "310", name: "Cost of goods sold", type: "DIRECTCOSTS" },
  ],
  bank: [
    { code: "090", name: "Business account", type: "BANK" },
    { code: "091", name: "Stripe clearing", type: "BANK" },
  ],
  gift_card: [
    { code: "835", name: "Gift cards", type: "CURRLIAB" },
    { code: "090", name: "Business account", type: "BANK" },
    { code: "610", name: "Cash float", type: "CURRENT" },
  ],
  tax: [
    { tax_type: "OUTPUT2", name: "20% (VAT on Income)", rate: "20" },
    { tax_type: "RROUTPUT", name: "5% (VAT on Income)", rate: "5" },
    { tax_type: "RRCONSTR", name: "5% (Construction)", rate: "5" },
    { tax_type: "ZERORATEDOUTPUT", name: "Zero rated income", rate: "0" },
    { tax_type: "NONE", name: "No VAT", rate: "0" },
  ],
  tracking: [
    { category: "Region", options: ["North", "South"] },
    { category: "Team", options: ["Plumbing", "Heating and ventilation"] },
  ],
  objections: [],
  without_code: ["Savings", "PayPal"],
  suggested: { stripe_surcharge: "260" },
  read_at: at(4 * MINUTE),
  chart_url: "https://go.xero.com/app/!rIdG3/chart-of-accounts",
  rates_used: [
    { rate: "20", tax_type: "OUTPUT2" },
    { rate: "5", candidates: ["RROUTPUT", "RRCONSTR"] },
    { rate: "none", tax_type: "NONE" },
  ],
};

const attentionRecord = (entity, crm_id, number, amount, more = {}) => ({
  record: record(entity, crm_id, more.state ?? "skipped", {
    next_attempt_at: more.next_attempt_at,
    amounts: amount && { status: "AUTHORISED", crm_total: gbp(amount), xero_total: gbp(amount), amount_due: gbp(amount) },
    failure: more.failure,
  }),
  number: number ?? "",
  failed_at: at(28 * MINUTE),
  failures: more.failures ?? 5,
});

const GIVEN_UP = {
  unclear: [],
  overpaid: [],
  state: "given_up",
  count: 7,
  groups: [
    {
      ...LOCKED,
      class: "rejected",
      message: "Dated in a period that is locked in Xero until 31 October 2026.",
      records: [attentionRecord("invoice", "inv_0988", "INV-0988", "75.00"), attentionRecord("credit_note", "cn_17", "CN-17", "12.00")],
    },
    {
      ...ARCHIVED,
      class: "rejected",
      records: [
        attentionRecord("invoice", "inv_1042", "INV-1042", "240.00"),
        attentionRecord("invoice", "inv_1043", "INV-1043", "1180.50", { failure: { ...ARCHIVED, message: "Account 201 is archived in Xero.", remedy: "Choose another account." } }),
        attentionRecord("invoice", "inv_1047", "INV-1047", "96.00"),
      ],
    },
  ],
  next: "c1",
};
const FAILING = {
  unclear: [],
  overpaid: [],
  state: "failing",
  count: 2,
  groups: [
    {
      code: "xero_silent",
      class: "transient",
      responsible: "nobody",
      message: "Xero did not respond.",
      remedy: "",
      records: [attentionRecord("invoice", "inv_1052", "INV-1052", "410.00", { state: "waiting", failures: 1, next_attempt_at: new Date(NOW + 2 * MINUTE).toISOString() })],
    },
    {
      code: "email_invalid",
      class: "rejected",
      responsible: "user",
      message: "Xero does not accept the e-mail address.",
      remedy: "Correct the address on the client.",
      records: [attentionRecord("contact", "cl_88", "Dyer & Daughters", undefined, { state: "waiting", failures: 2, next_attempt_at: new Date(NOW + 11 * MINUTE).toISOString() })],
    },
  ],
};
const page = (state, more = {}) => ({ state, count: 0, groups: [], unclear: [], overpaid: [], ...more });
const QUIET = { given_up: page("given_up"), failing: page("failing") };

/** Money that only a person can tell the meaning of. */
const UNCLEAR = [
  {
    invoice_id: "inv_1042",
    payment: { id: "xp-2", amount: gbp("50.00"), date: "2026-11-12", reference: "BO", account: { name: "Business account", is_bank: true }, is: { what: "unclear", candidates: ["pay_1", "pay_2"] }, seen_at: at(HOUR) },
  },
];
const OVERPAID = [
  { xero_id: "op-1", kind: "overpayment", client_id: "cl_17", amount: gbp("120.00"), remaining: gbp("20.00"), date: "2026-11-20", reference: "BO BAKERY", candidates: ["inv_1042", "inv_1047"], is_open: true, seen_at: at(3 * HOUR) },
  { xero_id: "pp-1", kind: "prepayment", client_id: "cl_88", amount: gbp("300.00"), remaining: gbp("300.00"), candidates: [], is_open: true, seen_at: at(2 * DAY) },
];
const DECISIONS = page("given_up", { unclear: UNCLEAR, overpaid: OVERPAID });
const ATTENTION = { given_up: GIVEN_UP, failing: FAILING };

const LOG_TEXTS = [
  ["invoice", "inv_1051", "INV-1051", "synced", "Created in Xero.", "", 812],
  ["contact", "cl_203", undefined, "synced", "Created in Xero as a contact.", "", 640],
  ["payment", "pay_31", "PAY-31", "waiting", "The payment waits for its invoice.", "", 40],
  ["invoice", "inv_1042", "INV-1042", "skipped", ARCHIVED.message, ARCHIVED.remedy, 530],
  ["credit_note", "cn_18", "CN-18", "synced", "Created in Xero.", "", 701],
  ["invoice", "inv_1049", "INV-1049", "retrying", "Xero did not respond.", "", 25_000],
  ["invoice", "inv_1050", "INV-1050", "unchanged", "Xero already has this version.", "", 15],
  ["allocation", "al_4", undefined, "synced", "The credit was applied to INV-1044.", "", 455],
];

const logEntry = (index, before) => {
  const [entity, crm_id, number, status, message, remedy, duration_ms] = LOG_TEXTS[index % LOG_TEXTS.length];
  return {
    id: `e${String(index).padStart(4, "0")}`,
    at: at(before),
    operation: "create",
    entity,
    crm_id,
    number,
    status,
    attempt: status === "skipped" ? 5 : 1,
    duration_ms,
    message,
    remedy,
    code: status === "skipped" ? ARCHIVED.code : undefined,
    next_attempt_at: status === "retrying" ? new Date(NOW + 4 * MINUTE).toISOString() : undefined,
    xero_url: status === "synced" ? `https://go.xero.com/app/!rIdG3/invoicing/view/${index}` : undefined,
  };
};
const LOG = Array.from({ length: 130 }, (_, index) => logEntry(index, 2 * MINUTE + index * 47 * MINUTE));

const ACTIVITY = {
  hours: Array.from({ length: 30 }, (_, back) => {
    const weekday = new Date(NOW - back * DAY).getDay();
    const synced = weekday === 0 ? 0 : weekday === 6 ? 4 : 14 + ((back * 7) % 17);
    return { at: at(back * DAY + 3 * HOUR), unchanged: 1, synced, waiting: back % 5 === 0 ? 3 : 0, given_up: back === 0 ? 4 : back === 9 ? 2 : 0 };
  }),
};

const RECONCILIATION = {
  state: "done",
  is_preview: false,
  proposed: 0,
  started_by: "usr_ana",
  started_at: at(5 * HOUR),
  finished_at: at(5 * HOUR - 2 * MINUTE),
  pages: 2,
  clients: 812,
  contacts: 790,
  linked_before: 681,
  linked: 118,
  ambiguous: 3,
  missing: 4,
  left_alone: 6,
};

const FINDINGS = [
  {
    client_id: "cl_17",
    name: "Bo’s Bakery",
    outcome: "ambiguous",
    candidates: [
      { id: "c-1", name: "Bo’s Bakery", by: ["email", "name"], email: "bo@bakery.example", is_archived: false, xero_url: "https://go.xero.com/app/!rIdG3/contacts/contact/c-1" },
      { id: "c-2", name: "Bos Bakery Ltd", by: ["name"], is_archived: true, xero_url: "https://go.xero.com/app/!rIdG3/contacts/contact/c-2" },
    ],
    message: "Several contacts agree equally well.",
    remedy: "Choose the right one.",
  },
  {
    client_id: "cl_40",
    name: "Harbour Hotel Group",
    outcome: "ambiguous",
    candidates: [
      { id: "c-3", name: "Harbour Hotels", by: ["vat_number"], email: "accounts@harbour.example", is_archived: false },
      { id: "c-4", name: "Harbour Hotel Group (Bristol)", by: ["name", "email"], email: "bristol@harbour.example", is_archived: false },
    ],
    message: "Two contacts have something in common with this client.",
    remedy: "Choose the right one.",
  },
  {
    client_id: "cl_51",
    name: "Kestrel Lettings",
    outcome: "linked",
    contact_id: "c-9",
    by: "vat_number",
    message: "Linked by the VAT number.",
    remedy: "If this is the wrong contact, unlink the client.",
  },
  {
    client_id: "cl_52",
    name: "Ms. Temperance Oduya",
    outcome: "missing",
    message: "No contact in Xero resembles this client.",
    remedy: "No action is needed: the contact is created with the client’s first invoice.",
  },
];

const CONTACTS = [
  { contact_id: "c-1", name: "Bo’s Bakery", email: "bo@bakery.example", vat_number: "GB123456789", number: "SC-cl_17", is_archived: false },
  { contact_id: "c-2", name: "Bos Bakery Ltd", is_archived: true, xero_url: "https://go.xero.com/app/!rIdG3/contacts/contact/c-2" },
  { contact_id: "c-3", name: "Bo’s Bakery (Wholesale)", email: "orders@bakery.example", is_archived: false, client_id: "cl_9" },
];

const CLIENT = record("contact", "cl_17", "synced", {
  xero_id: "c-1",
  xero_url: "https://go.xero.com/app/!rIdG3/contacts/contact/c-1",
  contact: {
    contact_id: "c-1",
    name: "Bo’s Bakery",
    email: "bo@bakery.example",
    vat_number: "GB123456789",
    is_archived: false,
    xero_url: "https://go.xero.com/app/!rIdG3/contacts/contact/c-1",
    linked_by: "usr_ana",
    linked_at: at(25 * DAY),
    by: "email",
  },
});

const INVOICE = record("invoice", "inv_1042", "synced", {
  number: "INV-1042",
  xero_id: "x-1",
  xero_number: "INV-1042",
  xero_url: "https://go.xero.com/app/!rIdG3/invoicing/view/x-1",
  amounts: {
    status: "AUTHORISED",
    crm_total: gbp("240.00"),
    xero_total: gbp("240.01"),
    amount_paid: gbp("100.00"),
    amount_credited: gbp("0.00"),
    amount_due: gbp("140.01"),
    due_date: "2026-12-12",
  },
  earlier_xero_ids: ["00000000-0000-0000-0000-000000000001"],
});

/** An invoice with a negative total. */
const NEGATIVE = record("credit_note", "inv_1042~credit", "synced", {
  ...INVOICE,
  entity: "credit_note",
  crm_id: "inv_1042~credit",
  xero_url: "https://go.xero.com/app/!rIdG3/creditnotes/view/x-1",
  amounts: { status: "AUTHORISED", crm_total: gbp("240.00"), xero_total: gbp("240.00"), amount_due: gbp("90.00") },
  earlier_xero_ids: undefined,
});

const PAYMENTS = {
  recorded: [
    { payment: "pay_1", method: "cash", amount: gbp("50.00"), date: "2026-11-11", standing: "recorded" },
    { payment: "pay_2", method: "cheque", amount: gbp("50.00"), date: "2026-11-13", reference: "000417", standing: "recorded" },
  ],
  received: [
    { id: "xp-1", amount: gbp("100.00"), date: "2026-11-10", reference: "INV-1042", account: { name: "Business account", is_bank: true }, is: { what: "imported" } },
    { id: "xp-2", amount: gbp("50.00"), date: "2026-11-12", reference: "BO", account: { name: "Business account", is_bank: true }, is: { what: "unclear", candidates: ["pay_1", "pay_2"] } },
  ],
  unclear: 1,
};

const PREVIEW = {
  document: {
    client_id: "cl_17",
    contact_id: "c-1",
    number: "INV-1042",
    date: "2026-11-28",
    due_date: "2026-12-12",
    reference: "Job 88",
    currency: "GBP",
    is_tax_included: false,
    lines: [
      { description: "Replace the boiler’s pressure relief valve", quantity: "1", unit_amount: "180.00", account_code: "200", tax_type: "OUTPUT2" },
      { description: "Labour, per hour", quantity: "0.5", unit_amount: "40.00", account_code: "200", tax_type: "OUTPUT2", discount_rate: "10", item_code: "LABOUR", tracking: [{ category: "Region", option: "North" }, { category: "Team", option: "Plumbing" }] },
    ],
    warnings: ["The e-mail address is left out because Xero would reject it."],
  },
};

const PREFERENCES = { contacts: "by_origin", new_invoices: "authorised", mark_as_sent: false };

const BOOKS = {
  is_running: false,
  comparison: {
    is_equal: true,
    verified_at: at(7 * HOUR + 9 * MINUTE),
    compared_at: at(7 * HOUR),
    invoices: 1204,
    not_compared: 0,
    balances: [
      { crm: gbp("18402.55"), xero: gbp("18402.55") },
      { crm: { amount: "940.00", currency: "EUR" }, xero: { amount: "940.00", currency: "EUR" } },
    ],
    difference_count: 0,
    differences: [],
  },
};
const reason = (code, amount, message) => ({ code, amount: gbp(amount), message });
const DIFFERING = {
  ...BOOKS.comparison,
  is_equal: false,
  balances: [{ crm: gbp("18502.55"), xero: gbp("18402.54") }, BOOKS.comparison.balances[1]],
  difference_count: 3,
  differences: [
    {
      entity: "invoice",
      crm_id: "inv_1042",
      number: "INV-1042",
      crm: gbp("240.00"),
      xero: gbp("140.01"),
      reasons: [
        reason("payment_unclear", "100.00", "A payment in Xero may be one that ServiceCortex recorded. Decide which it is."),
        reason("total_differs", "-0.01", "Its total in Xero is another one: Xero rounds the tax of each line, or the total was changed there. Correct it in ServiceCortex, or in Xero while nothing is paid on it. A cent that stays due after the payment can be credited in Xero."),
      ],
    },
    { entity: "invoice", crm_id: "inv_1051", number: "INV-1051", crm: gbp("85.00"), xero: gbp("0.00"), reasons: [reason("not_approved", "85.00", "It is not approved in Xero. Approve it there.")] },
    { entity: "allocation", crm_id: "al_4", number: "", crm: gbp("-85.00"), xero: gbp("0.00"), reasons: [reason("not_sent", "-85.00", "It is not in Xero yet. It will be sent.")] },
  ],
};

/** A walk that was never started. */
const NONE = { state: "none", is_preview: false, proposed: 0, pages: 0, clients: 0, contacts: 0, linked_before: 0, linked: 0, ambiguous: 0, missing: 0, left_alone: 0, looked_at: 0, synced: 0, unchanged: 0, waiting: 0, skipped: 0 };

/** The state that most elements are shown in. */
const ACTIVE = {
  status: STATUS,
  codes: CODES,
  choices: CHOICES,
  preferences: PREFERENCES,
  books: BOOKS,
  attention: QUIET,
  syncAll: { state: "done", started_by: "usr_ana", started_at: at(3 * DAY), finished_at: at(3 * DAY - 4 * MINUTE), looked_at: 912, synced: 42, unchanged: 866, waiting: 3, skipped: 1 },
  reconciliation: RECONCILIATION,
  findings: FINDINGS,
  contacts: CONTACTS,
  log: LOG,
  activity: ACTIVITY,
  records: { "/v1/clients/cl_17": CLIENT, "/v1/invoices/inv_1042": INVOICE },
  payments: PAYMENTS,
  preview: PREVIEW,
};

const reader = { can_change: false };
const withStatus = (more, rest = {}) => ({ ...ACTIVE, ...rest, status: { ...STATUS, ...more } });
const FRESH = {
  books: { is_running: false },
  reconciliation: NONE,
  syncAll: NONE,
  attention: { ...QUIET, failing: FAILING },
};
const NEVER = { status: "disconnected", organisation: undefined, organisation_url: undefined, connected_by: undefined, connected_at: undefined, last_sync_at: undefined, last_attempt_at: undefined, last_payment_check_at: undefined };
const LONG = "Bartholomew, Fotheringay-Featherstonehaugh & Sons (Plumbing, Heating and Bathroom Installations) Holdings International Limited Liability Partnership";
const REMARK =
  "Xero did not keep option North of tracking category Region on lines 1 and 3. It may have been archived or renamed. Choose an option on the document in Xero, or correct the lines in ServiceCortex, and send the document again.";
const client = (more) => ({ ...ACTIVE, records: { "/v1/clients/cl_17": { ...CLIENT, ...more } } });
const invoice = (more) => ({ ...ACTIVE, records: { "/v1/invoices/inv_1042": { ...INVOICE, ...more } } });
const negative = (more) => ({ ...ACTIVE, records: Object.fromEntries(["/v1/invoices/inv_1042", "/v1/credit-notes/inv_1042~credit"].map((path) => [path, { ...NEGATIVE, ...more }])), payments: PAYMENTS });
const PROBLEM = { ...ARCHIVED, record: record("invoice", "inv_1042", "skipped", { number: "INV-1042" }), failed_at: at(28 * MINUTE) };

/** Every scenario by its name. `element` says which element shows it. */
export const SCENARIOS = {
  "connection-never": { element: "connection", ...withStatus(NEVER) },
  "connection-never-reader": { element: "connection", ...withStatus({ ...NEVER, ...reader }) },
  "connection-pending": { element: "connection", ...withStatus({ ...NEVER, status: "pending", pending: { by: "usr_ana", until: new Date(NOW + 12 * MINUTE).toISOString() } }) },
  "connection-authorised": { element: "connection", landing: "?xero=authorised&ticket=t-1", ...withStatus({ ...NEVER, status: "pending", pending: { by: "usr_ana", until: new Date(NOW + 12 * MINUTE).toISOString() } }) },
  "connection-denied": { element: "connection", landing: "?xero=denied", ...withStatus(NEVER) },
  "connection-failed": { element: "connection", landing: "?xero=failed", ...withStatus(NEVER) },
  "connection-active": { element: "connection", ...ACTIVE },
  "connection-plain": { element: "connection", ...withStatus({ organisation_url: undefined, base_currency: undefined, country: undefined }) },
  "connection-active-reader": { element: "connection", ...withStatus(reader) },
  "connection-demo": { element: "connection", ...withStatus({ is_demo: true, organisation: "Demo Company (UK)", warnings: ["The account for Stripe payouts, 090, is archived in Xero. Choose another one.", "12 records could not be synced, so Xero does not match ServiceCortex. Open the sync log and follow the remedy in each entry."] }) },
  "connection-paused": { element: "connection", ...withStatus({ paused_until: new Date(NOW + 3 * MINUTE).toISOString(), payment_checks_failing_since: at(2 * HOUR) }) },
  "connection-syncing": { element: "connection", ...withStatus({}, { syncAll: { state: "running", started_by: "usr_ana", started_at: at(MINUTE), looked_at: 310, total: 912, entity: "invoice", synced: 9, unchanged: 300, waiting: 1, skipped: 0 } }) },
  "connection-error": { element: "connection", ...withStatus({ status: "error", skipped: 7, problem: PROBLEM }) },
  "connection-token-expired": { element: "connection", ...withStatus({ status: "token_expired", waiting: 12, connection_problem: { code: "reconnect_needed", message: "Xero no longer accepts this connection: it was ended in Xero, or was not used for 60 days.", remedy: "Ask an Owner or Admin to reconnect." } }) },
  "connection-unavailable": { element: "connection", ...withStatus({ status: "organisation_unavailable", next_look_at: new Date(NOW + 25 * MINUTE).toISOString(), connection_problem: { code: "organisation_unavailable", message: "Xero refuses all calls for this organisation.", remedy: "Check in Xero whether the organisation’s subscription is active." } }) },
  "connection-ended": { element: "connection", ...withStatus({ status: "disconnected", ended_by: "usr_ana", ended_at: at(2 * DAY), waiting: 4 }) },
  "connection-choices": { element: "connection", ...withStatus({ choices: [{ tenant_id: "t-1", name: "Ridgeway Heating NZ" }, { tenant_id: "t-2", name: LONG }], choices_by: "ana@ridgeway.example" }) },
  "connection-other": { element: "connection", ...withStatus({ status: "disconnected", choices: [{ tenant_id: "t-1", name: "Ridgeway Heating NZ" }], choices_by: "ana@ridgeway.example" }) },
  "connection-long": { element: "connection", ...withStatus({ organisation: LONG, connected_by: "usr_with_a_very_long_identifier_that_never_seems_to_end_0123456789", status: "error", skipped: 1, problem: { ...PROBLEM, message: `${PROBLEM.message} ${LONG}.` } }) },
  "setup-new": { element: "setup", ...withStatus({ last_sync_at: undefined }, FRESH) },
  "setup-half": { element: "setup", ...withStatus({ last_sync_at: undefined }, { ...FRESH, reconciliation: RECONCILIATION }) },
  "setup-reader": { element: "setup", ...withStatus({ last_sync_at: undefined, ...reader }, FRESH) },
  "accounts-chosen": { element: "accounts", ...ACTIVE },
  "accounts-reader": { element: "accounts", ...withStatus(reader) },
  "accounts-objections": { element: "accounts", ...ACTIVE, codes: { ...CODES, stripe_bank: "999" }, choices: { ...CHOICES, objections: [{ field: "stripe_bank", detail: "names account 999, which does not exist in Xero" }] } },
  "accounts-methods": { element: "accounts", ...ACTIVE, codes: { ...CODES, cash: "610", cheque: "090", bank_transfer: "999" }, choices: { ...CHOICES, objections: [{ field: "bank_transfer", detail: "names account 999, which does not exist in Xero" }] } },
  "accounts-rare-tax": { element: "accounts", ...ACTIVE, codes: { ...CODES, tax_types: { "12.5": "GONE", 20: "OUTPUT2" } }, choices: { ...CHOICES, objections: [{ field: "tax_types.12.5", detail: "names tax type GONE, which does not exist in Xero" }] } },
  "accounts-tracking": {
    element: "accounts",
    ...ACTIVE,
    codes: { ...CODES, tracking: [{ category: "Region", option: "West" }, { category: "Season", option: "Winter" }] },
    choices: {
      ...CHOICES,
      objections: [
        { field: "tracking[0]", detail: "names option West of tracking category Region, which is archived in Xero. Possible options: North, South" },
        { field: "tracking[1]", detail: "names tracking category Season, which is archived in Xero. Possible categories: Region, Team" },
      ],
    },
  },
  "accounts-disconnected": { element: "accounts", ...withStatus({ status: "disconnected" }) },
  "accounts-unread": { element: "accounts", ...ACTIVE, fail: { "/v1/account-codes/choices": [409, "Xero is offline for maintenance. Try again later."] } },
  "preferences-usual": { element: "preferences", ...ACTIVE },
  "preferences-draft": { element: "preferences", ...ACTIVE, preferences: { contacts: "xero", new_invoices: "draft", mark_as_sent: true } },
  "preferences-reader": { element: "preferences", ...withStatus(reader, { preferences: { ...PREFERENCES, mark_as_sent: true } }) },
  "books-none": { element: "books", ...ACTIVE, books: { is_running: false } },
  "books-first": { element: "books", ...ACTIVE, books: { is_running: true } },
  "books-equal": { element: "books", ...ACTIVE },
  "books-differing": { element: "books", ...ACTIVE, books: { is_running: true, comparison: DIFFERING } },
  "books-incomplete": { element: "books", ...ACTIVE, books: { is_running: false, comparison: { ...BOOKS.comparison, is_equal: false, not_compared: 2 } } },
  "books-long": { element: "books", ...ACTIVE, books: { is_running: false, comparison: { ...DIFFERING, balances: [{ crm: gbp("123456789.00"), xero: { amount: "-123456789.0000", currency: "XAF" } }], difference_count: 312, differences: [{ ...DIFFERING.differences[0], number: `INV-${"0123456789".repeat(5)}`, crm: gbp("123456789.00"), reasons: [reason("unexplained", "123456649.00", LONG)] }, ...DIFFERING.differences] } } },
  "contacts-none": { element: "contacts", ...ACTIVE, reconciliation: NONE },
  "contacts-comparing": { element: "contacts", ...ACTIVE, reconciliation: { ...RECONCILIATION, state: "running", finished_at: undefined, linked_before: 400, linked: 60 } },
  "contacts-done": { element: "contacts", ...ACTIVE },
  "contacts-reader": { element: "contacts", ...withStatus(reader) },
  "contacts-stopped": { element: "contacts", ...ACTIVE, findings: [], reconciliation: { ...RECONCILIATION, state: "stopped", finished_at: undefined, pages: 0, ambiguous: 0, stopped: "Xero did not answer several times. Compare again later." } },
  "attention-some": { element: "attention", ...withStatus({ status: "error", skipped: 7, failing: 1 }, { attention: ATTENTION }) },
  "attention-none": { element: "attention", ...ACTIVE },
  "attention-decisions": { element: "attention", ...ACTIVE, attention: { ...QUIET, given_up: DECISIONS }, records: { ...ACTIVE.records, "/v1/clients/cl_88": record("contact", "cl_88", "queued"), "/v1/invoices/inv_1047": record("invoice", "inv_1047", "synced", { number: "INV-1047" }) } },
  "attention-decisions-reader": { element: "attention", ...withStatus(reader, { attention: { ...QUIET, given_up: { ...DECISIONS, overpaid: OVERPAID.slice(1) } } }) },
  "attention-decisions-unnamed": { element: "attention", ...ACTIVE, attention: { given_up: { ...GIVEN_UP, unclear: [{ ...UNCLEAR[0], invoice_id: `inv_${"0123456789".repeat(5)}` }] }, failing: FAILING }, records: {} },
  "attention-reader": { element: "attention", ...withStatus({ status: "error", ...reader }, { attention: ATTENTION }) },
  "attention-long": { element: "attention", ...ACTIVE, attention: { ...QUIET, given_up: { ...QUIET.given_up, count: 1200, groups: [{ ...ARCHIVED, class: "rejected", message: `${ARCHIVED.message} ${LONG}`, records: [attentionRecord("invoice", "inv_1", `INV-${"0123456789".repeat(5)}`, "123456789.00"), attentionRecord("invoice", "inv_2", "INV-2", "1.00")] }], next: "c1" } } },
  "sync-log-full": { element: "sync-log", ...ACTIVE },
  "sync-log-operations": { element: "sync-log", ...ACTIVE, log: ["create", "update", "void", "adopt", "push", "import", "receive", "link", "withhold", "another"].map((operation, index) => ({ ...LOG[index], operation })) },
  "sync-log-empty": { element: "sync-log", ...ACTIVE, log: [], activity: { hours: [] } },
  "sync-log-remarks": { element: "sync-log", ...ACTIVE, log: [{ ...LOG[0], message: `Updated in Xero. ${REMARK}` }, ...LOG.slice(1, 6)] },
  "sync-log-hostile": { element: "sync-log", ...ACTIVE, log: [{ ...LOG[0], number: "=HYPERLINK(\"http://evil\")", message: "<img src=x onerror=alert(1)>", xero_url: "javascript:alert(1)" }] },
  "client-linked": { element: "client", ...client({}) },
  "client-linked-elsewhere": { element: "client", ...client({ contact: undefined }) },
  "client-unknown": { element: "client", ...ACTIVE, records: {} },
  "client-off": { element: "client", ...withStatus({ status: "disconnected" }) },
  "client-skipped": { element: "client", ...client({ state: "skipped", contact: undefined, xero_id: undefined, failure: { code: "contact_name_taken", message: "Another contact in Xero has this name.", remedy: "Link the client to that contact, or change the name." } }) },
  "client-waiting": { element: "client", ...client({ state: "waiting", next_attempt_at: new Date(NOW + 5 * MINUTE).toISOString(), failure: { code: "xero_silent", message: "Xero did not respond.", remedy: "" } }) },
  "client-queued": { element: "client", ...client({ state: "queued", contact: undefined, xero_id: undefined }) },
  "client-never": { element: "client", ...client({ state: "never_send", withheld_by: "usr_ana", withheld_at: at(25 * DAY), contact: undefined, xero_id: undefined }) },
  "client-reader": { element: "client", ...client({}), status: { ...STATUS, ...reader } },
  "invoice-open": { element: "invoice", ...invoice({}) },
  "invoice-paid": { element: "invoice", ...invoice({ earlier_xero_ids: undefined, amounts: { ...INVOICE.amounts, status: "PAID", xero_total: gbp("240.00"), amount_paid: gbp("240.00"), amount_due: gbp("0.00"), paid_on: "2026-11-20" } }), payments: { recorded: [], received: PAYMENTS.received.slice(0, 1), unclear: 0 } },
  "invoice-draft": { element: "invoice", ...invoice({ earlier_xero_ids: undefined, amounts: { ...INVOICE.amounts, status: "DRAFT", xero_total: gbp("240.00"), amount_paid: undefined, amount_credited: undefined, amount_due: gbp("240.00") } }), payments: undefined },
  "invoice-voided": { element: "invoice", ...invoice({ amounts: { ...INVOICE.amounts, status: "VOIDED", xero_total: gbp("240.00") } }), payments: undefined },
  "invoice-skipped": { element: "invoice", ...invoice({ state: "skipped", amounts: undefined, xero_id: undefined, earlier_xero_ids: undefined, failure: LOCKED }), payments: undefined },
  "invoice-negative": { element: "invoice", ...negative({}) },
  "invoice-negative-skipped": { element: "invoice", ...negative({ state: "skipped", failure: LOCKED, amounts: undefined, xero_id: undefined, xero_url: undefined }) },
  "invoice-unknown": { element: "invoice", ...ACTIVE, records: {} },
  "invoice-reader": { element: "invoice", ...invoice({}), status: { ...STATUS, ...reader } },
  "badge-all": { element: "badge", ...ACTIVE, records: Object.fromEntries(["queued", "syncing", "waiting", "parked", "synced", "skipped", "never_send"].map((state) => [`/v1/invoices/${state}`, record("invoice", state, state)])) },
  "settings-never": { element: "settings", ...withStatus(NEVER) },
  "settings-new": { element: "settings", ...withStatus({ last_sync_at: undefined }, FRESH) },
  settings: { element: "settings", ...withStatus({ status: "error", skipped: 7, failing: 1, problem: PROBLEM }, { attention: { ...ATTENTION, given_up: { ...GIVEN_UP, unclear: UNCLEAR } } }) },
  "error-first": { element: "connection", ...ACTIVE, fail: { "/v1/connection": [503, "A service that the Xero integration depends on did not respond. Try again in a minute."] } },
  "session-ended": { element: "connection", ...ACTIVE, refuses: true },
};

/** A copy of a scenario that a test may change. */
export const scenario = (name) => structuredClone(SCENARIOS[name]);

const problem = (status, detail, more = {}) => [status, { type: "/problems/test", title: "Test", status, detail, ...more }, "application/problem+json"];

function removeFromAttention(state, id) {
  for (const page of Object.values(state.attention)) {
    for (const group of page.groups) {
      const kept = group.records.filter((one) => one.record.crm_id !== id);
      page.count -= group.records.length - kept.length;
      group.records = kept;
    }
    page.groups = page.groups.filter((group) => group.records.length > 0);
  }
}

/** Answers a request as the API would, and changes the state as it would. */
export function answer(state, method, path, query, body, headers) {
  const failed = state.fail?.[path];
  if (failed) return problem(...failed);
  const known = Object.keys(state.records ?? {}).find((one) => path === one || path.startsWith(`${one}/`));
  const changes = method !== "GET";
  if (changes && !state.status.can_change) return problem(403, "Only an Owner or Admin of the account can do this.");
  const route = `${method} ${path}`;
  switch (route) {
    case "GET /v1/connection":
      return [200, state.status];
    case "POST /v1/connection":
      return [201, { authorize_url: "https://login.xero.com/identity/connect/authorize?x=1" }];
    case "POST /v1/connection/complete":
      if (state.unfinished > 0) {
        state.unfinished -= 1;
        return [202, { outcome: "in_progress" }];
      }
      state.status = { ...STATUS, last_sync_at: undefined };
      return [200, { outcome: "connected", organisation: STATUS.organisation }];
    case "POST /v1/connection/organisation":
      state.status = { ...STATUS, organisation: state.status.choices.find((one) => one.tenant_id === body.tenant_id).name };
      return [200, state.status];
    case "DELETE /v1/connection":
      state.status = { ...state.status, status: "disconnected", pending: undefined, ended_by: "usr_ana", ended_at: new Date().toISOString() };
      return [200, state.status];
    case "GET /v1/sync-all":
      return [200, state.syncAll];
    case "POST /v1/sync-all":
      state.syncAll = { state: "running", started_by: "usr_ana", started_at: new Date().toISOString(), looked_at: 0, total: 912, entity: "contact", synced: 0, unchanged: 0, waiting: 0, skipped: 0 };
      return [202, state.syncAll];
    case "GET /v1/account-codes":
      return [200, state.codes, undefined, { etag: `"${state.etag ?? 1}"` }];
    case "PUT /v1/account-codes":
      if (headers["if-match"] !== `"${state.etag ?? 1}"`) return problem(412, "Someone else changed these settings.");
      if (state.refuse) return problem(400, "Some accounts cannot be used.", { errors: state.refuse });
      state.codes = body;
      state.etag = (state.etag ?? 1) + 1;
      return [200, state.codes, undefined, { etag: `"${state.etag}"` }];
    case "GET /v1/sync-preferences":
      return [200, state.preferences, undefined, { etag: `"${state.etag ?? 1}"` }];
    case "PUT /v1/sync-preferences":
      if (headers["if-match"] !== `"${state.etag ?? 1}"`) return problem(412, "Someone else changed these settings.");
      state.preferences = body;
      state.etag = (state.etag ?? 1) + 1;
      return [200, state.preferences, undefined, { etag: `"${state.etag}"` }];
    case "GET /v1/books":
      return [200, state.books];
    case "GET /v1/account-codes/choices":
      return [200, state.choices];
    case "GET /v1/attention": {
      const page = state.attention[query.get("state")];
      return query.get("cursor")
        ? [200, { ...page, groups: [{ ...page.groups.at(-1), records: [attentionRecord("invoice", "inv_1048", "INV-1048", "33.00")] }], next: undefined }]
        : [200, page];
    }
    case "POST /v1/attention/retry":
    case "POST /v1/attention/never-send":
      for (const { crm_id } of body.records) if (!state.beingSent) removeFromAttention(state, crm_id);
      return [202, { done: body.records, being_sent: state.beingSent ?? [], not_needed: [] }];
    case "GET /v1/reconciliation":
      return [200, state.reconciliation];
    case "POST /v1/reconciliation":
      state.reconciliation = { ...RECONCILIATION, state: "running", finished_at: undefined, started_at: new Date().toISOString(), pages: 0, linked_before: 0, linked: 0, ambiguous: 0, missing: 0, left_alone: 0 };
      return [202, state.reconciliation];
    case "GET /v1/reconciliation/findings": {
      const page = Number(query.get("page"));
      const all = state.findings.filter((finding) => finding.outcome === query.get("outcome"));
      return [200, { page, findings: all.slice(page * 2, page * 2 + 2) }];
    }
    case "GET /v1/contacts":
      return [200, { contacts: state.contacts.filter((contact) => contact.name.toLowerCase().includes(query.get("query").toLowerCase().slice(0, 4))) }];
    case "GET /v1/activity":
      return [200, state.activity];
    case "GET /v1/sync-log": {
      const wanted = (entry) =>
        ["status", "entity", "crm_id"].every((name) => !query.get(name) || entry[name] === query.get(name)) ;
      const from = Number(query.get("cursor") ?? 0);
      const limit = Number(query.get("limit"));
      const all = state.log.filter(wanted);
      const entries = all.slice(from, from + limit);
      return [200, { entries, next: from + limit < all.length ? String(from + limit) : undefined }];
    }
    default:
  }
  const surplus = path.startsWith("/v1/overpayments/") ? path.slice("/v1/overpayments/".length) : undefined;
  if (surplus) {
    const list = state.attention.given_up;
    const found = list.overpaid.find((one) => one.xero_id === surplus);
    if (!found) return problem(409, "This overpayment or prepayment is already closed or used up.");
    list.overpaid = list.overpaid.filter((one) => one !== found);
    return [200, { ...found, is_open: false, invoice_id: body.invoice }];
  }
  if (!known) {
    const contact = /^\/v1\/clients\/[^/]+\/contact$/.test(path);
    const synced = /\/sync$/.test(path);
    if (contact || synced) {
      const id = decodeURIComponent(path.split("/")[3]);
      if (synced) removeFromAttention(state, id);
      return [200, record("invoice", id, "synced")];
    }
    return problem(404, "This record has never been sent to the integration.");
  }
  const found = state.records[known];
  switch (path.slice(known.length)) {
    case "":
      return [200, found];
    case "/sync":
      Object.assign(found, { state: "synced", failure: undefined, next_attempt_at: undefined });
      removeFromAttention(state, found.crm_id);
      return [200, found];
    case "/never-send":
      Object.assign(found, { state: "never_send", withheld_by: "usr_ana", withheld_at: new Date().toISOString() });
      return [200, found];
    case "/contact":
      if (method === "DELETE") Object.assign(found, { contact: undefined, xero_id: undefined, state: "queued" });
      else Object.assign(found, { state: "synced", xero_id: body.contact_id, contact: state.contacts.find((one) => one.contact_id === body.contact_id) });
      return [200, found];
    case "/payments":
      return [200, state.payments ?? { recorded: [], received: [], unclear: 0 }];
    case "/preview":
      return [200, state.preview];
    default: {
      const payment = state.payments?.received.find((one) => path.endsWith(`/payments/${one.id}`));
      if (!payment) return problem(404, "This address does not exist.");
      payment.is = body.same_as ? { what: "same", payment: body.same_as } : { what: "imported" };
      state.payments.unclear = 0;
      state.attention.given_up.unclear = state.attention.given_up.unclear.filter((one) => one.payment.id !== payment.id);
      return [200, state.payments];
    }
  }
}
