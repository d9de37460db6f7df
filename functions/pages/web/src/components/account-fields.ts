/** The fields of the account mapping, and what can be chosen in them. */
import type { AccountChoices, AccountCodes, AccountOption } from "../api/shapes.js";
import { capitalise } from "../ui/words.js";

export type CodeField = "sales" | "stripe_bank" | "stripe_fee" | "stripe_surcharge" | "gift_card";

export interface Field {
  name: CodeField;
  label: string;
  hint: string;
  /** The choices for it. */
  list: "income" | "expense" | "bank" | "gift_card";
}

export const FIELDS: Field[] = [
  { name: "sales", label: "Sales", hint: "Revenue account of invoice lines", list: "income" },
  { name: "stripe_bank", label: "Stripe bank account", hint: "Where Stripe payouts arrive", list: "bank" },
  { name: "stripe_fee", label: "Stripe fees", hint: "Expense account of Stripe’s fees", list: "expense" },
  { name: "stripe_surcharge", label: "Card surcharges", hint: "Income account of surcharges that customers pay", list: "income" },
  { name: "gift_card", label: "Gift cards", hint: "Account of redeemed gift cards; it must accept payments", list: "gift_card" },
];

/** A tax rate of the CRM. */
export interface TaxRow {
  rate: string;
  automatic: string | undefined;
  options: { tax_type: string; name: string }[];
}

/** The tax rates of the CRM, each with the rates in Xero that fit. */
export function taxRows(choices: AccountChoices | undefined, draft: AccountCodes): TaxRow[] {
  if (!choices) return [];
  const known = choices.rates_used ?? [];
  const rates = known.length
    ? known.map((used) => used.rate)
    : [...new Set([...choices.tax.map((tax) => tax.rate), ...Object.keys(draft.tax_types ?? {})])];
  return rates
    .sort((a, b) => (Number(b) || 0) - (Number(a) || 0) || Number(a === "none") - Number(b === "none"))
    .map((rate) => {
      const wanted = rate === "none" ? "0" : rate;
      const options = choices.tax.filter((tax) => Number(tax.rate) === Number(wanted));
      const used = known.find((one) => one.rate === rate);
      const automatic = used ? used.tax_type : options.length === 1 ? options[0]?.tax_type : undefined;
      return { rate, automatic: options.find((one) => one.tax_type === automatic)?.name, options };
    });
}

export function labelled(code: string, options: AccountOption[]): string {
  const account = options.find((one) => one.code === code);
  return account ? `${code} – ${account.name}` : code;
}

export function fieldId(field: string): string {
  return `field-${field.replace(/[^A-Za-z0-9]/g, "-")}`;
}

export function rateLabel(rate: string): string {
  return rate === "none" ? "No tax" : `${rate} %`;
}

export function labelOf(field: string): string {
  const rate = field.startsWith("tax_types.") ? field.slice("tax_types.".length) : undefined;
  if (rate !== undefined) return `Tax ${rateLabel(rate)}`;
  return FIELDS.find((one) => one.name === field)?.label ?? field;
}

const TYPES: Record<string, string> = {
  REVENUE: "Revenue",
  SALES: "Sales",
  OTHERINCOME: "Other income",
  EXPENSE: "Expense",
  OVERHEADS: "Overheads",
  DIRECTCOSTS: "Direct costs",
  BANK: "Bank",
  CURRENT: "Current asset",
  CURRLIAB: "Current liability",
  LIABILITY: "Liability",
};

export function byType(options: AccountOption[]): [string, AccountOption[]][] {
  const groups = new Map<string, AccountOption[]>();
  for (const option of options) {
    const type = option.type ? (TYPES[option.type] ?? capitalise(option.type.toLowerCase())) : "";
    groups.set(type, [...(groups.get(type) ?? []), option]);
  }
  return [...groups];
}
