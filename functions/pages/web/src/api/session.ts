/** The session of the signed-in user: tokens, requests, and notices of changes. */
import type { EntityKind, FieldProblem, Problem } from "./shapes.js";

/** What the CRM gives to the elements. */
export interface Options {
  /**
   * Returns a token of the signed-in user. `expired` is true if the API refused the last one.
   * Called when a token is needed, and never more than once at a time.
   */
  getToken(reason: { expired: boolean }): string | Promise<string>;
  /** The address of the API. By default the one that served this script. */
  baseUrl?: string;
  /**
   * The address of a record in the CRM, for links. An invoice with a negative total is an invoice
   * here, too, although it is a credit note in Xero.
   */
  linkTo?(entity: EntityKind, id: string): string | undefined;
  /** The name of a user of the CRM. By default the user's id is shown. */
  nameOf?(user: string): string | undefined;
  /** The address of the page with the settings, for links from other pages. */
  settingsUrl?: string;
  /** A BCP 47 language tag for dates and amounts. By default the language of the page. */
  locale?: string;
  /** An IANA time zone. By default the zone of the browser. */
  timeZone?: string;
  /** Leaves the page for Xero. By default the whole window goes there. */
  navigate?(url: string): void;
}

/** Why a request failed. */
export class ApiError extends Error {
  constructor(
    readonly kind: "refused" | "unreachable" | "session-ended",
    message: string,
    readonly status = 0,
    readonly errors: FieldProblem[] = [],
  ) {
    super(message);
  }

  /** Whether trying again later may help. */
  get isPassing(): boolean {
    return this.kind === "unreachable" || this.status === 429 || this.status >= 500;
  }
}

/** The value of a response, with the tag that a conditional change must name. */
export interface Answer<T> {
  value: T;
  etag: string | undefined;
}

export interface RequestSettings {
  body?: unknown;
  signal?: AbortSignal;
  /** The tag of the version that a change is based on. */
  ifMatch?: string | undefined;
  /** A status whose absence of a document means "nothing yet". */
  emptyOn404?: boolean;
  /** How old an answer to the same question may be, in milliseconds. */
  maxAge?: number;
}

/** How long an answer may take, in milliseconds. The gateway itself gives up after 30 seconds. */
const ANSWERED_WITHIN = 45_000;
/** A token is renewed this long before it expires. */
const RENEW_BEFORE_MS = 30_000;

const SESSION_ENDED = "Your session has ended. Sign in again.";
const UNREACHABLE =
  "The Xero integration cannot be reached. Check your connection, then try again.";
const FALLBACKS: Readonly<Record<number, string>> = {
  403: "Your role does not allow this.",
  404: "The requested record was not found.",
  429: "Too many requests at once. Try again in a minute.",
  503: "The service is not responding. Try again in a minute.",
};

/** Returns when a JWT expires, in milliseconds; never if it does not say so. */
function expiryOf(token: string): number {
  try {
    const payload = (token.split(".")[1] ?? "").replace(/-/g, "+").replace(/_/g, "/");
    const { exp } = JSON.parse(atob(payload)) as { exp?: unknown };
    return typeof exp === "number" ? exp * 1000 : Infinity;
  } catch {
    return Infinity;
  }
}

export class Session extends EventTarget {
  #token: string | undefined;
  #expires = 0;
  #asking: Promise<string> | undefined;
  #answers = new Map<string, { at: number; answer: Promise<Answer<unknown>> }>();

  constructor(readonly options: Options) {
    super();
  }

  /** Returns a token that is valid for a while. Concurrent callers share one question. */
  #tokenNow(expired: boolean): Promise<string> {
    if (!expired && this.#token !== undefined && Date.now() < this.#expires - RENEW_BEFORE_MS) {
      return Promise.resolve(this.#token);
    }
    this.#asking ??= (async () => {
      try {
        const token = await this.options.getToken({ expired });
        if (!token) throw new Error("no token");
        this.#token = token;
        this.#expires = expiryOf(token);
        return token;
      } catch {
        throw new ApiError("session-ended", SESSION_ENDED, 401);
      } finally {
        this.#asking = undefined;
      }
    })();
    return this.#asking;
  }

  /** The address of a path of the API. */
  urlOf(path: string): string {
    return new URL(path, this.options.baseUrl ?? import.meta.url).href;
  }

  /** Reads. Equal questions at the same time are asked once. */
  get<T>(path: string, settings: RequestSettings = {}): Promise<Answer<T>> {
    const known = this.#answers.get(path);
    if (known && !settings.signal && Date.now() - known.at < (settings.maxAge ?? 250)) {
      return known.answer as Promise<Answer<T>>;
    }
    const answer = this.#request<T>("GET", path, settings);
    this.#answers.set(path, { at: Date.now(), answer });
    answer.catch(() => {
      if (this.#answers.get(path)?.answer === answer) this.#answers.delete(path);
    });
    return answer;
  }

  /** Changes something, and tells the other elements on the page. */
  async change<T>(method: string, path: string, settings: RequestSettings = {}): Promise<Answer<T>> {
    try {
      return await this.#request<T>(method, path, settings);
    } finally {
      this.#answers.clear();
      this.dispatchEvent(new Event("changed"));
    }
  }

  async #request<T>(method: string, path: string, settings: RequestSettings): Promise<Answer<T>> {
    let expired = false;
    for (;;) {
      const token = await this.#tokenNow(expired);
      const headers: Record<string, string> = { authorization: `Bearer ${token}` };
      if (settings.body !== undefined) headers["content-type"] = "application/json";
      if (settings.ifMatch) headers["if-match"] = settings.ifMatch;
      let response: Response;
      let text: string;
      const late = new AbortController();
      const timer = setTimeout(() => late.abort(), ANSWERED_WITHIN);
      try {
        response = await fetch(this.urlOf(path), {
          method,
          headers,
          body: settings.body === undefined ? null : JSON.stringify(settings.body),
          credentials: "omit",
          cache: "no-store",
          referrerPolicy: "no-referrer",
          signal: AbortSignal.any([late.signal, ...(settings.signal ? [settings.signal] : [])]),
        });
        text = await response.text();
      } catch (error) {
        if (settings.signal?.aborted) throw error;
        // The gateway refuses an expired token without CORS headers, so that the browser hides
        // the 401 and reports a network error.
        if (!expired && !late.signal.aborted && Date.now() > this.#expires - RENEW_BEFORE_MS) {
          expired = true;
          continue;
        }
        throw new ApiError("unreachable", UNREACHABLE);
      } finally {
        clearTimeout(timer);
      }
      if (response.status === 401) {
        if (!expired) {
          expired = true;
          continue;
        }
        throw new ApiError("session-ended", SESSION_ENDED, 401);
      }
      if (response.status === 404 && settings.emptyOn404) {
        return { value: undefined as T, etag: undefined };
      }
      if (!response.ok) throw refusalOf(response.status, text);
      const value = (text === "" ? undefined : JSON.parse(text)) as T;
      return { value, etag: response.headers.get("etag") ?? undefined };
    }
  }
}

/** Reads a problem document, or the gateway's own JSON. */
function refusalOf(status: number, text: string): ApiError {
  const fallback = FALLBACKS[status] ?? "The request failed. Try again.";
  try {
    const problem = JSON.parse(text) as Partial<Problem>;
    const errors = problem.errors ?? [];
    if (problem.field && errors.length === 0) {
      const detail = problem.detail ?? fallback;
      const name = `${problem.field}: `;
      errors.push({ field: problem.field, detail: detail.startsWith(name) ? detail.slice(name.length) : detail });
    }
    return new ApiError("refused", problem.detail ?? fallback, status, errors);
  } catch {
    return new ApiError("refused", fallback, status);
  }
}

let shared: Session | undefined;
const byOptions = new WeakMap<Options, Session>();
const waiting: ((session: Session) => void)[] = [];

/** Gives the elements of this page what they need. Call it once, at any time. */
export function configure(options: Options): void {
  shared = new Session(options);
  for (const resolve of waiting.splice(0)) resolve(shared);
}

/**
 * The session of an element: of its own options, or of the page, as soon as there is one. Elements
 * with the same options share a session.
 */
export function sessionFor(options: Options | undefined): Promise<Session> {
  if (options) {
    const known = byOptions.get(options) ?? new Session(options);
    byOptions.set(options, known);
    return Promise.resolve(known);
  }
  return shared ? Promise.resolve(shared) : new Promise((resolve) => waiting.push(resolve));
}
