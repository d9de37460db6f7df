/** Dates, amounts and names in the reader's language and time zone. */
import { html, nothing, type TemplateResult } from "lit-html";
import type { Session } from "../api/session.js";
import type { Money } from "../api/shapes.js";

type Content = TemplateResult | typeof nothing | string;

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

export class Formats {
  readonly #locale: string | undefined;
  readonly #zone: string | undefined;
  readonly #cache = new Map<string, Intl.DateTimeFormat>();

  constructor(session?: Session) {
    this.#locale = session?.options.locale ?? (document.documentElement.lang || undefined);
    this.#zone = session?.options.timeZone;
  }

  #dates(options: Intl.DateTimeFormatOptions, locale = this.#locale): Intl.DateTimeFormat {
    const key = JSON.stringify([options, locale]);
    let format = this.#cache.get(key);
    if (!format) {
      format = new Intl.DateTimeFormat(locale, { timeZone: this.#zone, ...options });
      this.#cache.set(key, format);
    }
    return format;
  }

  /** The exact instant, with the zone. */
  exact(at: Date): string {
    return this.#dates({ dateStyle: "full", timeStyle: "long" }).format(at);
  }

  /** The day in the reader's zone, as `2026-11-28`, in any language. */
  dayKey(at: Date): string {
    const parts = this.#dates({ year: "numeric", month: "2-digit", day: "2-digit" }, "en").formatToParts(at);
    const of = (type: string) => parts.find((part) => part.type === type)?.value ?? "";
    return `${of("year")}-${of("month")}-${of("day")}`;
  }

  /** The instant at which a day begins in the reader's zone, or the day so many days later. */
  startOf(day: string, later = 0): string {
    const key = new Date(Date.parse(day) + later * DAY).toISOString().slice(0, 10);
    // A day begins at most 14 hours before it begins in UTC, and not always at midnight.
    let at = Date.parse(key) - 15 * HOUR;
    while (this.dayKey(new Date(at)) < key) at += 15 * MINUTE;
    return new Date(at).toISOString();
  }

  /** A short day, such as 28 Nov, with the year if it is another one. */
  day(at: Date): string {
    const isThisYear = at.getFullYear() === new Date().getFullYear();
    return this.#dates({
      day: "numeric",
      month: "short",
      ...(isThisYear ? {} : { year: "numeric" }),
    }).format(at);
  }

  clock(at: Date): string {
    return this.#dates({ hour: "2-digit", minute: "2-digit" }).format(at);
  }

  /** The time of today, or the day and the time. */
  moment(at: Date): string {
    const isToday = this.dayKey(at) === this.dayKey(new Date());
    return isToday ? this.clock(at) : `${this.day(at)}, ${this.clock(at)}`;
  }

  /** How long ago an instant was, or a day if it was long ago. */
  ago(at: Date): string {
    const past = Date.now() - at.getTime();
    if (past < MINUTE) return "just now";
    const format = new Intl.RelativeTimeFormat(this.#locale, { numeric: "auto" });
    if (past < HOUR) return format.format(-Math.round(past / MINUTE), "minute");
    if (past < DAY) return format.format(-Math.round(past / HOUR), "hour");
    if (past < 7 * DAY) return format.format(-Math.round(past / DAY), "day");
    return this.day(at);
  }

  #time(text: string | undefined, show: (at: Date) => string): Content {
    if (!text) return nothing;
    const at = new Date(text);
    return html`<time datetime=${text} title=${this.exact(at)}>${show(at)}</time>`;
  }

  timeAgo(text: string | undefined): Content {
    return this.#time(text, (at) => this.ago(at));
  }

  timeOf(text: string | undefined): Content {
    return this.#time(text, (at) => this.moment(at));
  }

  dayOf(text: string | undefined): Content {
    return this.#time(text, (at) => this.day(at));
  }

  /** A calendar day without a time, such as a due date. */
  date(text: string | undefined): string {
    if (!text) return "";
    const [year = 0, month = 1, day = 1] = text.split("-").map(Number);
    const format = new Intl.DateTimeFormat(this.#locale, {
      timeZone: "UTC",
      day: "numeric",
      month: "short",
      year: "numeric",
    });
    return format.format(Date.UTC(year, month - 1, day));
  }

  /** An amount. Its digits are those of the API, without zeros at the end; nothing is rounded. */
  money(money: Money): string {
    const decimals = Math.max(2, (money.amount.split(".")[1] ?? "").replace(/0+$/, "").length);
    return new Intl.NumberFormat(this.#locale, {
      style: "currency",
      currency: money.currency,
      minimumFractionDigits: Math.min(decimals, 4),
      maximumFractionDigits: Math.min(decimals, 4),
    }).format(money.amount as unknown as number);
  }

  /** The name of a country by its code. */
  country(code: string | undefined): string {
    if (!code) return "";
    try {
      return new Intl.DisplayNames(this.#locale, { type: "region" }).of(code) ?? code;
    } catch {
      return code;
    }
  }

  number(value: number): string {
    return new Intl.NumberFormat(this.#locale).format(value);
  }
}

/** "1 record", "7 records". */
export function count(value: number, one: string, many = `${one}s`): string {
  return `${value.toLocaleString(document.documentElement.lang || undefined)} ${value === 1 ? one : many}`;
}
