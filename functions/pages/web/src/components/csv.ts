/** The sync log as a file for spreadsheets. */
import type { LogEntry } from "../api/shapes.js";
import { kindWord } from "../ui/words.js";

export const CSV_HEADER = "time,operation,record,number,id,result,message,remedy,code,attempt,duration_ms,link";

/** A row of the file. */
export function csvRow(entry: LogEntry): string {
  return [
    entry.at,
    entry.operation,
    kindWord(entry.entity),
    entry.number,
    entry.crm_id,
    entry.status,
    entry.message,
    entry.remedy,
    entry.code,
    String(entry.attempt),
    String(entry.duration_ms),
    entry.xero_url,
  ]
    .map(csvCell)
    .join(",");
}

/** A cell that no spreadsheet takes for a formula. */
function csvCell(value: string | undefined): string {
  const text = value ?? "";
  const harmless = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}

/** Offers a file for download. The token cannot travel with a link, so the file is made here. */
export function saveFile(name: string, content: string): void {
  const url = URL.createObjectURL(new Blob([content], { type: "text/csv;charset=utf-8" }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
