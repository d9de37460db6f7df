/** The fields of the account mapping, and what can be chosen in them. */
import type { AccountChoices, AccountCodes, AccountOption } from "../api/shapes.js";
import { capitalise } from "../ui/words.js";

export type CodeField = Exclude<keyof AccountCodes, "tax_types" | "tracking">;

export interface Field {
  name: CodeField;
  label: string;
  hint?: string;
  /** The choices for it. */
  list: "income" | "expense" | "bank" | "gift_card";
}

export const FIELDS: Field[] = [
  { name: "sales", label: "Default account code", hint: "Revenue account for invoice lines", list: "income" },
  { name: "stripe_bank", label: "Stripe bank account code", hint: "Where Stripe payouts arrive", list: "bank" },
  { name: "stripe_fee", label: "Stripe fee account code", hint: "Expense account for Stripe’s fees", list: "expense" },
  { name: "stripe_surcharge", label: "Stripe surcharge account code", hint: "Income account for surcharges", list: "income" },
  { name: "gift_card", label: "Gift card account code", hint: "Account for redeemed gift cards; it must accept payments", list: "gift_card" },
];

/** The methods of payments that are sent to Xero only if they have an account. */
export const METHODS: Field[] = [
  { name: "cash", label: "Cash", list: "gift_card" },
  { name: "cheque", label: "Cheques", list: "gift_card" },
  { name: "card", label: "Card terminal", list: "gift_card" },
  { name: "bank_transfer", label: "Bank transfers", list: "gift_card" },
];

/** Choices under a heading. */
export interface OptionGroup {
  label: string;
  options: { value: string; label: string }[];
}

/** A tax rate of the CRM. */
export interface TaxRow {
  rate: string;
  automatic: string | undefined;
  options: OptionGroup["options"];
}

const TAX = "tax_types.";

/**
 * The tax rates of the CRM, each with the rates in Xero that fit. The API lists the rates of some of the documents, so those that
 * are chosen or refused are added: what is refused can then be corrected.
 */
export function taxRows(choices: AccountChoices | undefined, chosen: object): TaxRow[] {
  const used = choices?.rates_used ?? [];
  const refused = (choices?.objections ?? []).flatMap(({ field }) => (field.startsWith(TAX) ? [field.slice(TAX.length)] : []));
  const others = new Set([...Object.keys(chosen), ...refused]);
  for (const { rate } of used) others.delete(rate);
  return [...used, ...[...others].map((rate) => ({ rate, tax_type: undefined }))]
    .sort((a, b) => (Number(b.rate) || 0) - (Number(a.rate) || 0) || Number(a.rate === "none") - Number(b.rate === "none"))
    .map(({ rate, tax_type }) => {
      const fitting = choices?.tax.filter((tax) => Number(tax.rate) === (Number(rate) || 0)) ?? [];
      const options = fitting.map((tax) => ({ value: tax.tax_type, label: tax.name }));
      return { rate, automatic: options.find((one) => one.value === tax_type)?.label, options };
    });
}

/** An account's code and name. */
export function labelled(code: string, options: AccountOption[]): string {
  const account = options.find((one) => one.code === code);
  return account ? `${code} – ${account.name}` : code;
}

export function rateLabel(rate: string): string {
  return rate === "none" ? "No tax" : `${rate}%`;
}

export function labelOf(field: string): string {
  const rate = field.startsWith(TAX) ? field.slice(TAX.length) : undefined;
  if (rate !== undefined) return `Tax ${rateLabel(rate)}`;
  return [...FIELDS, ...METHODS].find((one) => one.name === field)?.label ?? field.replace("tracking.", "");
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

/** The accounts under their types. */
export function byType(accounts: AccountOption[]): OptionGroup[] {
  const groups = new Map<string, OptionGroup>();
  for (const { code, type } of accounts) {
    const group = groups.get(type) ?? { label: TYPES[type] ?? capitalise(type.toLowerCase()), options: [] };
    group.options.push({ value: code, label: labelled(code, accounts) });
    groups.set(type, group);
  }
  return [...groups.values()];
}
