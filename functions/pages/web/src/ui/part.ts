/** What all elements share: session, loading, refreshing, actions, messages. */
import { html, nothing } from "lit-html";
import {
  ApiError,
  sessionFor,
  type Options,
  type Session,
} from "../api/session.js";
import type { EntityKind, Status } from "../api/shapes.js";
import { Formats } from "./format.js";
import { safeUrl, type View, Widgets } from "./widgets.js";
import { recordInCrm } from "./words.js";

export { define, safeUrl, type View } from "./widgets.js";

/** Waits between refreshes that fail, in seconds. The last one repeats. */
const BACK_OFF = [5, 15, 45];
/** How long a status may be old for parts that only need the caller's rights. */
const STATUS_AGE = 5_000;
/** How long the CRM's page may take to configure its elements, in milliseconds. */
const CONFIGURED_WITHIN = 15_000;

/** The elements on the page whose newest reading failed. */
const failing = new Set<Part>();

/** An answer to a question, and the request that gives it. */
export interface Answer {
  label: string;
  body: object;
}

export abstract class Part extends Widgets {
  static override properties = { options: { attribute: "" } };

  declare options: Options | undefined;

  protected session: Session | undefined;
  protected formats = new Formats();
  /** Why the newest reading failed. Earlier content stays visible. */
  protected failure: ApiError | undefined;
  protected isLoaded = false;
  protected loadedAt: Date | undefined;
  protected status: Status | undefined;
  /** Why an action failed, and which. */
  protected refusal: { action: string; error: ApiError } | undefined;

  #timer: ReturnType<typeof setTimeout> | undefined;
  #failures = 0;
  #hiddenAt = 0;
  #loading: Promise<void> | undefined;
  #isStale = false;

  /** Reads what the part shows. */
  protected abstract load(session: Session): Promise<void>;
  /** The content, once it is loaded. */
  protected abstract content(): View;
  /** The heading, which also names the region. */
  protected abstract heading(): string;
  /** After how many seconds the content is read again. 0 for never. */
  protected refreshAfter(): number {
    return 0;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    document.addEventListener("visibilitychange", this.#onVisibility);
    window.addEventListener("pageshow", this.#onPageShow);
    void this.#start();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    document.removeEventListener("visibilitychange", this.#onVisibility);
    window.removeEventListener("pageshow", this.#onPageShow);
    this.session?.removeEventListener("changed", this.#onChanged);
    clearTimeout(this.#timer);
    this.fail(undefined);
  }

  /** Takes why the newest reading failed, if it did. Which element says so depends on all that failed. */
  protected fail(failure: ApiError | undefined): void {
    this.failure = failure;
    if (failure && this.isConnected) failing.add(this);
    else failing.delete(this);
    for (const one of [this, ...failing]) one.requestUpdate();
  }

  /** The elements with the same trouble, in the order of the page. The first visible one speaks for all. */
  #affected(): Part[] {
    const troubleOf = ({ failure }: Part) => (failure?.isPassing ? "" : failure?.message);
    return [...failing]
      .filter((one) => one.session === this.session && troubleOf(one) === troubleOf(this))
      .sort((a, b) => (a.compareDocumentPosition(b) & Node.DOCUMENT_POSITION_PRECEDING ? 1 : -1));
  }

  async #start(): Promise<void> {
    const waiting = setTimeout(() => {
      this.fail(new ApiError("unreachable", "ServiceCortex is not responding. Reload the page. If this does not help, sign in again or contact support."));
    }, CONFIGURED_WITHIN);
    const session = this.session ?? (await sessionFor(this.options));
    clearTimeout(waiting);
    if (!this.isConnected) return;
    this.session = session;
    this.formats = new Formats(session);
    session.addEventListener("changed", this.#onChanged);
    await this.reload();
  }

  readonly #onChanged = () => {
    if (this.busy.size === 0) void this.reload();
    else this.#isStale = true;
  };

  readonly #onPageShow = (event: PageTransitionEvent) => {
    if (event.persisted) void this.reload();
  };

  readonly #onVisibility = () => {
    if (document.hidden) {
      this.#hiddenAt = Date.now();
      clearTimeout(this.#timer);
    } else if (Date.now() - this.#hiddenAt > 30_000) void this.reload();
    else this.#plan();
  };

  #plan(): void {
    clearTimeout(this.#timer);
    const normal = this.refreshAfter();
    const after = this.#failures > 0 ? (BACK_OFF[this.#failures - 1] ?? 45) : normal;
    const again = this.failure ? this.failure.isPassing : normal > 0;
    if (again && after > 0 && !document.hidden && this.isConnected) {
      this.#timer = setTimeout(() => void this.reload(), after * 1000);
    }
  }

  /** Reads again. A call during a reading is followed by one more reading. */
  protected reload(): Promise<void> {
    const session = this.session;
    if (!session) return Promise.resolve();
    // The reading may have begun before the change that the caller wants to show.
    if (this.#loading) this.#isStale = true;
    this.#loading ??= (async () => {
      this.#isStale = false;
      try {
        await this.load(session);
        this.fail(undefined);
        this.#failures = 0;
        // What was read while it changed is not shown first.
        this.isLoaded ||= !this.#isStale;
        this.loadedAt = new Date();
      } catch (error) {
        const failure = asApiError(error);
        this.fail(failure);
        this.#failures = Math.min(this.#failures + 1, BACK_OFF.length);
        if (failure.kind === "session-ended") this.tell("session-ended");
      } finally {
        this.#loading = undefined;
        this.requestUpdate();
        this.#plan();
      }
      if (this.#isStale && this.busy.size === 0) await this.reload();
    })();
    return this.#loading;
  }

  /** Reads the status of the connection, which also says what the caller may do. */
  protected async readStatus(session: Session): Promise<Status> {
    const { value } = await session.get<Status>("/v1/connection", { maxAge: STATUS_AGE });
    this.status = value;
    return value;
  }

  protected get canChange(): boolean {
    return this.status?.can_change ?? false;
  }

  /** Runs an action of the user, once at a time. Returns whether it succeeded. */
  protected async act(action: string, run: (session: Session) => Promise<void>): Promise<boolean> {
    const session = this.session;
    if (!session || this.busy.has(action)) return false;
    this.busy.add(action);
    this.refusal = undefined;
    this.requestUpdate();
    try {
      await run(session);
      return true;
    } catch (error) {
      const failed = asApiError(error);
      this.refusal = { action, error: failed };
      if (failed.kind === "session-ended") {
        this.fail(failed);
        this.tell("session-ended");
      }
      return false;
    } finally {
      this.busy.delete(action);
      this.requestUpdate();
      if (this.#isStale && this.busy.size === 0) void this.reload();
    }
  }

  /** Changes something in the API, as an action of the user. Returns whether it succeeded. */
  protected sendChange(action: string, method: string, path: string, body?: object): Promise<boolean> {
    return this.act(action, async (session) => {
      await session.change(method, path, { body });
    });
  }

  /** The name of a record, as a link to its page in the CRM if there is one. */
  protected linkRecord(entity: EntityKind, id: string, name: string): View {
    const url = safeUrl(this.session?.options.linkTo?.(...recordInCrm(entity, id)));
    return url ? html`<a href=${url}>${name}</a>` : name;
  }

  /** The name of a user. */
  protected nameOf(user: string): string {
    return this.session?.options.nameOf?.(user) ?? user;
  }

  /** A button for each answer to a question, whose address is `path`. `title` tells screen readers what it is about. */
  protected renderAnswers(path: string, title: string, answers: Answer[], settle: (isDone: boolean) => Promise<void>): View {
    const name = `answer-${path}`;
    return html`${this.refusalOf(`${name} `)}
      ${this.canChange
        ? html`<div class="actions answers">
            ${answers.map(({ label, body }, index) => {
              const action = `${name} ${index}`;
              const run = async () => {
                const isDone = await this.sendChange(action, "POST", path, body);
                if (isDone) this.tell("changed");
                await settle(isDone);
              };
              return this.button(label, action, run, { isSmall: true, busy: "Saving…", label: `${label} (${title})` });
            })}
          </div>`
        : nothing}`;
  }

  /** Why an action failed, beside the button that started it. */
  protected refusalOf(prefix: string): View {
    const refusal = this.refusal;
    if (!refusal?.action.startsWith(prefix)) return nothing;
    return html`<div role="alert">${this.notice("bad", refusal.error.message)}</div>`;
  }

  /** Why the newest reading failed, unless another element says so. */
  #renderFailure(failure: ApiError, affected: Part[]): View {
    const tone = failure.kind === "session-ended" ? "info" : "warn";
    return this.notice(
      tone,
      html`${failure.message} ${this.#renderAge(nothing)}`,
      // Without a session only the CRM's page can help.
      this.session
        ? this.button("Try again", "reload", () => this.act("reload", async () => void (await Promise.all(affected.map((one) => one.reload())))), { isSmall: true })
        : nothing,
    );
  }

  /** From when the content is, while it cannot be read again. */
  #renderAge(otherwise: View): View {
    const text = this.isLoaded && this.loadedAt ? `This is as of ${this.formats.clock(this.loadedAt)}.` : otherwise;
    return html`<span class="muted">${text}</span>`;
  }

  /** What stands beside the heading. */
  protected aside(): View {
    return nothing;
  }

  protected override render(): View {
    const { failure } = this;
    const isFirst = !this.isLoaded && !failure;
    const affected = failure ? this.#affected() : [];
    const isSpeaker = affected.find((one) => !one.hidden) === this;
    return html`<section class="card" aria-labelledby="title" aria-busy=${isFirst ? "true" : "false"}>
        <header>
          <h2 id="title" tabindex="-1">${this.heading()}</h2>
          <div class="aside">${this.isLoaded ? this.aside() : nothing}</div>
        </header>
        ${isFirst ? html`<p class="sr" role="status">Loading…</p>${this.skeleton()}` : nothing}
        <div role="status">${failure && isSpeaker ? this.#renderFailure(failure, affected) : nothing}</div>
        ${failure && !isSpeaker ? html`<p class="small age">${this.#renderAge("This cannot be shown at the moment.")}</p>` : nothing}
        ${this.isLoaded ? this.content() : nothing}
      </section>
      ${this.renderAround()}`;
  }
}

function asApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  // A fault of ours; the console has it.
  console.error(error);
  return new ApiError("refused", "Something went wrong on this page. Reload it.");
}
