/** S3: which accounts and tax rates in Xero the documents use. */
import { html, nothing } from "lit";
import { ApiError, type Session } from "../api/session.js";
import type { AccountChoices, AccountCodes, FieldProblem } from "../api/shapes.js";
import { define, Part, safeUrl, type View } from "../ui/part.js";
import { capitalise } from "../ui/words.js";
import { styles } from "../ui/styles.js";
import {
  byType,
  type CodeField,
  type Field,
  fieldId,
  FIELDS,
  labelled,
  labelOf,
  rateLabel,
  type TaxRow,
  taxRows,
} from "./account-fields.js";
import { accountsStyles } from "./styles/accounts.js";

export class Accounts extends Part {
  static override styles = [...styles, accountsStyles];
  #codes: AccountCodes | undefined;
  #etag: string | undefined;
  #draft: AccountCodes | undefined;
  #choices: AccountChoices | undefined;
  #choicesFailure: ApiError | undefined;
  #errors: FieldProblem[] = [];
  #isConflict = false;
  #isSaved = false;

  protected override heading(): string {
    return "Account mapping";
  }

  protected override async load(session: Session): Promise<void> {
    const status = await this.readStatus(session);
    const { value, etag } = await session.get<AccountCodes>("/v1/account-codes");
    // What is being edited is not replaced.
    if (!this.#isEdited) this.#draft = structuredClone(value);
    if (!this.#isEdited || !this.#codes) this.#etag = etag;
    this.#codes = value;
    const isConnected = !["disconnected", "pending", "token_expired"].includes(status.status);
    if (isConnected && !this.#choices) void this.#readChoices(session, false);
  }

  get #isEdited(): boolean {
    return this.#codes !== undefined && JSON.stringify(this.#codes) !== JSON.stringify(this.#draft);
  }

  async #readChoices(session: Session, refresh: boolean): Promise<void> {
    try {
      const path = `/v1/account-codes/choices${refresh ? "?refresh=true" : ""}`;
      this.#choices = (await session.get<AccountChoices>(path, { maxAge: refresh ? 0 : 2_000 })).value;
      this.#choicesFailure = undefined;
      if (!this.#isEdited) this.#errors = this.#choices?.objections ?? [];
    } catch (error) {
      this.#choicesFailure = error instanceof ApiError ? error : undefined;
    }
    this.requestUpdate();
  }

  protected override aside(): View {
    if (!this.#choices) return nothing;
    return html`${this.#choices.read_at
      ? html`<span>Read from Xero ${this.formats.timeAgo(this.#choices.read_at)}</span>`
      : nothing}
    ${this.button("Refresh", "choices", () => this.#refresh(), {
      kind: "quiet",
      isSmall: true,
      icon: "sync",
      busy: "Reading…",
      label: "Refresh the accounts from Xero",
    })}`;
  }

  async #refresh(): Promise<void> {
    await this.act("choices", (session) => this.#readChoices(session, true));
    this.announce("The accounts were read from Xero.");
  }

  protected override content(): View {
    const draft = this.#draft;
    if (!draft) return nothing;
    const isConnected = !["disconnected", "pending", "token_expired"].includes(this.status?.status ?? "");
    return html`<form
      class="stack loose"
      novalidate
      @submit=${(event: Event) => {
        event.preventDefault();
        void this.#save();
      }}
    >
      ${this.#renderSummary()} ${this.#renderConflict()}
      ${isConnected
        ? this.#choicesFailure
          ? this.notice("warn", this.#choicesFailure.message, this.button("Try again", "choices", () => this.#refresh(), { isSmall: true }))
          : nothing
        : this.notice("info", "Connect to Xero to choose accounts. Until then these stay in use.")}
      <div class="mapping">${FIELDS.map((field) => this.#renderField(field, draft))}</div>
      ${this.#renderTaxes(draft)} ${this.refusal?.error.errors.length ? nothing : this.refusalOf("save")}
      ${this.canChange && this.#choices
        ? html`<div class="actions">
            <button class="button primary" type="submit" aria-disabled=${this.busy.has("save") ? "true" : nothing}>
              ${this.busy.has("save") ? "Checking with Xero…" : "Save"}
            </button>
            ${this.#isEdited
              ? this.button("Discard changes", "discard", () => this.#discard(), { kind: "quiet" })
              : nothing}
            <span class="muted" role="status">${this.#isSaved ? "Saved. Records that waited for this are on their way." : nothing}</span>
          </div>`
        : this.canChange || !isConnected
          ? nothing
          : html`<p class="muted small">Only an Owner or Admin can change these.</p>`}
    </form>`;
  }

  #renderSummary(): View {
    if (this.#errors.length === 0) return nothing;
    return html`<div class="notice bad" id="summary" tabindex="-1" role="group" aria-labelledby="summary-title">
      <div class="stack tight">
        <h3 id="summary-title">There is a problem</h3>
        <ul class="bullets">
          ${this.#errors.map(
            (error) => html`<li>
              <a
                href="#${fieldId(error.field)}"
                @click=${(event: Event) => {
                  event.preventDefault();
                  void this.focusOn(`#${CSS.escape(fieldId(error.field))}`);
                }}
                >${labelOf(error.field)} ${error.detail}</a
              >
            </li>`,
          )}
        </ul>
      </div>
    </div>`;
  }

  #renderConflict(): View {
    if (!this.#isConflict) return nothing;
    return html`<div role="alert">
      ${this.notice(
        "warn",
        "Someone else changed these settings in the meantime. Your changes are not saved.",
        this.button("Load the newest settings", "newest", () => this.#loadNewest()),
      )}
    </div>`;
  }

  async #loadNewest(): Promise<void> {
    this.#isConflict = false;
    this.#discard();
    await this.reload();
    await this.focusOn("#title");
  }

  #discard(): void {
    this.#draft = structuredClone(this.#codes);
    this.#errors = this.#choices?.objections ?? [];
    this.requestUpdate();
  }

  #edit(change: (draft: AccountCodes) => void): void {
    if (!this.#draft) return;
    change(this.#draft);
    this.#isSaved = false;
    this.requestUpdate();
  }

  #renderField(field: Field, draft: AccountCodes): View {
    const value = draft[field.name] ?? "";
    const options = this.#choices?.[field.list] ?? [];
    const suggested = this.#choices?.suggested?.[field.name];
    const error = this.#errors.find((one) => one.field === field.name);
    const id = fieldId(field.name);
    const isRequired = field.name === "sales";
    const missing = value !== "" && !options.some((one) => one.code === value);
    const without = field.name === "stripe_bank" ? (this.#choices?.without_code ?? []) : [];
    const described = [`${id}-hint`, error ? `${id}-error` : ""].join(" ").trim();
    return html`<div class="field">
      <label for=${id}>${field.label}</label>
      <span class="hint" id="${id}-hint">${field.hint}</span>
      ${error ? html`<span class="error" id="${id}-error">${capitalise(error.detail)}</span>` : nothing}
      ${this.canChange && this.#choices
        ? html`<select
            class="control"
            id=${id}
            aria-describedby=${described}
            aria-invalid=${error ? "true" : nothing}
            ?required=${isRequired}
            @change=${(event: Event) => this.#choose(field.name, (event.target as HTMLSelectElement).value)}
          >
            ${isRequired
              ? value === ""
                ? html`<option value="" selected>Choose an account</option>`
                : nothing
              : html`<option value="" ?selected=${value === ""}>Not used</option>`}
            ${missing ? html`<option value=${value} selected>${value} – cannot be used</option>` : nothing}
            ${byType(options).map(([type, accounts]) => {
              const items = accounts.map(
                (one) => html`<option value=${one.code} ?selected=${one.code === value}>${one.code} – ${one.name}</option>`,
              );
              return type ? html`<optgroup label=${type}>${items}</optgroup>` : items;
            })}
          </select>`
        : html`<div class="control fixed" id=${id} tabindex="-1">
            ${value ? labelled(value, options) : html`<span class="muted">Not used</span>`}${!this.#choices && !this.#choicesFailure && this.#isReading
              ? html`<span class="muted"> · reading the accounts from Xero…</span>`
              : nothing}
          </div>`}
      ${suggested && value === "" && this.canChange
        ? html`<span class="hint">Suggestion:
            ${this.button(labelled(suggested, options), `suggest-${field.name}`, () => this.#choose(field.name, suggested), { kind: "quiet", isSmall: true, label: `Use ${labelled(suggested, options)} for ${field.label}` })}</span>`
        : nothing}
      ${without.length > 0
        ? html`<span class="hint"
            >Without a code in Xero, ${without.length === 1 ? "this bank account" : "these bank accounts"} cannot be chosen: ${without.join(", ")}.
            ${safeUrl(this.#choices?.chart_url) ? this.outside(this.#choices?.chart_url, "Open the chart of accounts") : "Give them a code in Xero, then refresh."}</span
          >`
        : nothing}
    </div>`;
  }

  get #isReading(): boolean {
    return !["disconnected", "pending", "token_expired"].includes(this.status?.status ?? "");
  }

  #choose(field: CodeField, code: string): void {
    this.#edit((draft) => {
      if (field === "sales") draft.sales = code;
      else if (code === "") delete draft[field];
      else draft[field] = code;
    });
  }

  #renderTaxes(draft: AccountCodes): View {
    const rows = taxRows(this.#choices, draft);
    if (rows.length === 0) return nothing;
    return html`<div class="stack section">
      <h3>Tax rates</h3>
      <ul class="taxes">
        ${rows.map((row) => this.#renderTax(row, draft))}
      </ul>
    </div>`;
  }

  #renderTax(row: TaxRow, draft: AccountCodes): View {
    const field = `tax_types.${row.rate}`;
    const id = fieldId(field);
    const chosen = draft.tax_types?.[row.rate] ?? "";
    const error = this.#errors.find((one) => one.field === field);
    const isOpen = !chosen && !row.automatic;
    const isUnlisted = chosen !== "" && !row.options.some((one) => one.tax_type === chosen);
    const name = rateLabel(row.rate);
    const empty = row.automatic
      ? `${row.automatic} (found automatically)`
      : row.options.length === 0
        ? "No rate in Xero fits"
        : `${this.canChange ? "Choose" : "Not chosen"}: ${row.options.length} rates fit`;
    const shown = chosen ? (row.options.find((one) => one.tax_type === chosen)?.name ?? chosen) : empty;
    return html`<li>
      <label for=${id}>${name}</label>
      ${this.canChange
        ? html`<div>
            <select
              class="control"
              id=${id}
              aria-invalid=${error ? "true" : nothing}
              aria-describedby=${error ? `${id}-error` : isOpen ? `${id}-open` : nothing}
              @change=${(event: Event) => {
                const { value } = event.target as HTMLSelectElement;
                this.#edit((edited) => {
                  const types = { ...edited.tax_types };
                  if (value) types[row.rate] = value;
                  else delete types[row.rate];
                  if (Object.keys(types).length > 0) edited.tax_types = types;
                  else delete edited.tax_types;
                });
              }}
            >
              <option value="" ?selected=${chosen === ""}>${empty}</option>
              ${isUnlisted ? html`<option value=${chosen} selected>${chosen} – cannot be used</option>` : nothing}
              ${row.options.map((tax) => html`<option value=${tax.tax_type} ?selected=${tax.tax_type === chosen}>${tax.name}</option>`)}
            </select>
            ${error
              ? html`<span class="error" id="${id}-error">${capitalise(error.detail)}</span>`
              : isOpen
                ? html`<span class="hint" id="${id}-open">${this.#choices?.rates_used ? "Documents with this rate wait until it is chosen." : "Choose one if your documents have this rate."}</span>`
                : nothing}
          </div>`
        : html`<span id=${id} tabindex="-1">${shown}</span>`}
    </li>`;
  }

  async #save(): Promise<void> {
    const draft = this.#draft;
    if (!draft) return;
    if (draft.sales === "") {
      this.#errors = [{ field: "sales", detail: "needs an account" }];
      this.requestUpdate();
      await this.focusOn("#summary");
      return;
    }
    this.#isSaved = false;
    const isDone = await this.act("save", async (session) => {
      const { value, etag } = await session.change<AccountCodes>("PUT", "/v1/account-codes", {
        body: draft,
        ifMatch: this.#etag,
      });
      this.#codes = value;
      this.#draft = structuredClone(value);
      this.#etag = etag;
      this.#errors = [];
      this.#isConflict = false;
    });
    if (isDone) {
      this.#isSaved = true;
      this.tell("changed");
      this.requestUpdate();
      return;
    }
    const error = this.refusal?.error;
    if (error?.status === 412) {
      this.#isConflict = true;
      this.refusal = undefined;
    } else if (error && error.errors.length > 0) {
      this.#errors = error.errors;
      this.requestUpdate();
      await this.focusOn("#summary");
    }
    this.requestUpdate();
  }
}

define("servicecortex-xero-accounts", Accounts);
