/** The records that need attention, by cause and by who must act. */
import type { AttentionPage, AttentionRecord } from "../api/shapes.js";
import { recordName } from "../ui/words.js";

type Who = "you" | "bookkeeper" | "support" | "none";

/** Records with the same cause. */
export interface Group {
  key: string;
  isGivenUp: boolean;
  who: Who;
  code: string;
  message: string;
  remedy: string;
  records: AttentionRecord[];
}

/** The label that says who must act. */
export const WHO: Record<Who, string> = {
  you: "",
  bookkeeper: "Ask your bookkeeper",
  support: "Contact support",
  none: "No action needed",
};
/** Who must act first is listed first. */
const ORDER: Who[] = ["you", "bookkeeper", "support", "none"];
const BOOKKEEPER_CODES = ["period_locked", "payment_reconciled", "payment_in_batch", "plan_limit"];

/** Adds the records of a page. A cause may continue on the next page. */
export function addPage(groups: Group[], page: AttentionPage): void {
  for (const { class: meaning, code, message, remedy, records } of page.groups) {
    const isGivenUp = page.state === "given_up";
    const key = `${page.state}-${code}`;
    const known = groups.find((group) => group.key === key);
    if (known) known.records.push(...records);
    else groups.push({ key, isGivenUp, who: whoActs(meaning, code), code, message, remedy, records: [...records] });
  }
  const rank = (group: Group) => ORDER.indexOf(group.who) * 2 + (group.isGivenUp ? 0 : 1);
  groups.sort((a, b) => rank(a) - rank(b));
}

/** Who has to act on a failure of this class. */
function whoActs(meaning: string, code: string): Who {
  if (BOOKKEEPER_CODES.includes(code)) return "bookkeeper";
  if (["rejected", "untranslatable", "unauthorized"].includes(meaning)) return "you";
  return meaning === "defect" ? "support" : "none";
}

/** A key of a record among all kinds. */
export function nameKey({ record }: AttentionRecord): string {
  return `${record.entity} ${record.crm_id}`;
}

/** The name that people know a record by. */
export function titleOf({ record, number }: AttentionRecord): string {
  return recordName({ ...record, number: number || undefined });
}
