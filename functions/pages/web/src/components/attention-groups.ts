/** The records that need attention, by cause and by who must act. */
import type { AttentionPage, AttentionRecord, ResponsibleParty } from "../api/shapes.js";
import { recordName } from "../ui/words.js";

/** Records with the same cause. */
export interface Group {
  key: string;
  isGivenUp: boolean;
  responsible: ResponsibleParty;
  code: string;
  message: string;
  remedy: string;
  records: AttentionRecord[];
}

/** The label that says who must act. */
export const RESPONSIBLE: Record<ResponsibleParty, string> = {
  user: "",
  bookkeeper: "Ask your bookkeeper",
  support: "Contact support",
  nobody: "No action needed",
};
/** The order of the groups: what the user resolves comes first. */
const ORDER = Object.keys(RESPONSIBLE);

/** Adds the records of a page. A cause may continue on the next page. */
export function addPage(groups: Group[], page: AttentionPage): void {
  for (const { code, message, remedy, responsible, records } of page.groups) {
    const isGivenUp = page.state === "given_up";
    const key = `${page.state}-${code}`;
    const known = groups.find((group) => group.key === key);
    if (known) known.records.push(...records);
    else groups.push({ key, isGivenUp, responsible, code, message, remedy, records: [...records] });
  }
  const rank = (group: Group) => ORDER.indexOf(group.responsible) * 2 + (group.isGivenUp ? 0 : 1);
  groups.sort((a, b) => rank(a) - rank(b));
}

/** A key of a record among all kinds. */
export function nameKey({ record }: AttentionRecord): string {
  return `${record.entity} ${record.crm_id}`;
}

/** The name that people know a record by. */
export function titleOf({ record, number }: AttentionRecord): string {
  return recordName({ ...record, number: number || undefined });
}
