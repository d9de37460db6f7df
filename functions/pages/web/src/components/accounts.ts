/** S3: which accounts and tax rates in Xero the documents use. */
import { html, nothing } from "lit-html";
import { ApiError, type Session } from "../api/session.js";
import type { AccountChoices, AccountCodes, FieldProblem } from "../api/shapes.js";
import { fieldId, FormPart } from "../ui/form-part.js";
import { define, type View } from "../ui/part.js";
import { capitalise } from "../ui/words.js";
import { styles } from "../ui/styles.js";
import { byType, type CodeField, type Field, FIELDS, labelled, labelOf, METHODS, type OptionGroup, rateLabel, type TaxRow, taxRows } from "./account-fields.js";
import { accountsStyles } from "./styles/accounts.js";

export class Accounts extends FormPart<AccountCodes> {
  static override styles = [...styles, accountsStyles];
  #choices: AccountChoices | undefined;
  #choicesFailure: ApiError | undefined;
  /** The organisation whose accounts are shown. */
  #organisation: string | undefined;

  protected override heading(): string {
    return "Account mapping";
  }

  protected override get path(): string {
    return "/v1/account-codes";
  }

  protected override labelOf(field: string): string {
    const index = /^tracking\[(\d+)\]$/.exec(field)?.[1];
    return index === undefined ? labelOf(field) : (this.formDraft?.tracking?.[Number(index)]?.category ?? "Tracking");
  }

  protected override wordOf(field: string, value: unknown): string {
    const code = String(value ?? "");
    if (!code) return "None";
    const rate = this.#choices?.tax.find((tax) => field.startsWith("tax_types") && tax.tax_type === code);
    const one = [...FIELDS, ...METHODS].find(({ name }) => name === field);
    return rate?.name ?? labelled(code, (one && this.#choices?.[one.list]) ?? []);
  }

  protected override get objections(): FieldProblem[] {
    return this.#choices?.objections ?? [];
  }

  protected override faultsOf(draft: AccountCodes): FieldProblem[] {
    return draft.sales === "" ? [{ field: "sales", detail: "needs an account" }] : [];
  }

  protected override get canSave(): boolean {
    return this.canChange && this.#choices !== undefined;
  }

  /** Whether the accounts can be read from Xero. */
  get #isConnected(): boolean {
    return !["disconnected", "pending", "token_expired"].includes(this.status?.status ?? "");
  }

  protected override async load(session: Session): Promise<void> {
    await super.load(session);
    const organisation = this.status?.organisation;
    if (organisation !== this.#organisation) this.#choices = undefined;
    this.#organisation = organisation;
    const before = this.#choicesFailure;
    if (!this.#isConnected || (this.#choices && !before)) return;
    const reading = this.#readChoices(session, false);
    // The first reading may take long, and what the API knows is shown meanwhile.
    if (before) await reading;
    if (before?.isPassing && this.#choicesFailure) throw this.#choicesFailure;
  }

  async #readChoices(session: Session, refresh: boolean): Promise<void> {
    const organisation = this.#organisation;
    try {
      const path = `/v1/account-codes/choices${refresh ? "?refresh=true" : ""}`;
      const { value } = await session.get<AccountChoices>(path, { maxAge: refresh ? 0 : 2_000 });
      if (organisation !== this.#organisation) return;
      this.#choices = value;
      this.#choicesFailure = undefined;
      if (!this.isEdited) this.errors = this.objections;
    } catch (error) {
      this.#choicesFailure = error instanceof ApiError ? error : undefined;
      if (this.#choicesFailure?.isPassing) this.fail(this.#choicesFailure);
    }
    this.requestUpdate();
  }

  protected override aside(): View {
    if (!this.#choices) return nothing;
    const refresh = this.button("Refresh", "choices", () => this.#refresh(), {
      kind: "quiet",
      isSmall: true,
      icon: "sync",
      busy: "Reading…",
      label: "Refresh the accounts from Xero",
    });
    return html`<span>Read from Xero ${this.formats.timeAgo(this.#choices.read_at)}</span>
    ${this.canChange ? refresh : nothing}`;
  }

  async #refresh(): Promise<void> {
    await this.act("choices", (session) => this.#readChoices(session, this.canChange));
    this.announce(this.#choicesFailure?.message ?? "The accounts were read from Xero.");
  }

  protected override content(): View {
    const draft = this.formDraft;
    if (!draft) return nothing;
    return this.renderForm(
      html`${this.#isConnected
          ? this.#choicesFailure && !this.#choicesFailure.isPassing
            ? this.notice("warn", this.#choicesFailure.message, this.button("Try again", "choices", () => this.#refresh(), { isSmall: true }))
            : nothing
          : this.notice("info", "Connect to Xero to choose accounts. Until then, these remain in use.")}
        <div class="mapping">${FIELDS.map((field) => this.#renderField(field, draft))}</div>
        <div class="stack section">
          <h3>Payments by other methods</h3>
          <p class="hint lead">
            Payments by a method that has an account are sent to Xero. Other payments stay here, and are recognised if someone enters them in Xero.
          </p>
          <div class="mapping">${METHODS.map((field) => this.#renderField(field, draft))}</div>
        </div>
        ${this.#renderTracking(draft)} ${this.#renderTaxes(draft)}`,
      "Checking with Xero…",
      "Saved. Records that were waiting for this are now being sent.",
    );
  }

  #renderField(field: Field, draft: AccountCodes): View {
    const choices = this.#choices;
    const value = draft[field.name] ?? "";
    const options = choices?.[field.list] ?? [];
    const suggested = choices?.suggested?.[field.name];
    const without = field.name === "stripe_bank" ? (choices?.without_code ?? []) : [];
    const id = fieldId(field.name);
    const empty = field.name === "sales" ? "Choose an account" : field.hint ? "Not used" : "Not sent to Xero";
    return html`<div class="field">
      <label for=${id}>${field.label}</label>
      <span class="hint" id="${id}-hint">${field.hint}</span>
      ${this.#renderSelect(field.name, value, empty, byType(options), (code) => this.#choose(field.name, code))}
      ${suggested && value === "" && this.canChange
        ? html`<span class="hint">Suggestion:
            ${this.button(labelled(suggested, options), `suggest-${field.name}`, () => this.#choose(field.name, suggested), { kind: "quiet", isSmall: true, label: `Use ${labelled(suggested, options)} for ${field.label}` })}</span>`
        : nothing}
      ${without.length > 0
        ? html`<span class="hint"
            >${without.length === 1 ? "This bank account has" : "These bank accounts have"} no code in Xero and cannot be chosen: ${without.join(", ")}.
            ${this.outside(choices?.chart_url, "Open the chart of accounts")}</span
          >`
        : nothing}
    </div>`;
  }

  /** The choices of a field, with what is wrong with the one in use. People who may only read see that one alone. */
  #renderSelect(field: string, value: string, empty: string, groups: OptionGroup[], choose: (value: string) => void): View {
    const id = fieldId(field);
    const error = this.errors.find((one) => one.field === field);
    const known = groups.flatMap(({ options }) => options).find((one) => one.value === value);
    const isRequired = field === "sales";
    const option = (name: string, label: string) => html`<option value=${name} ?selected=${name === value}>${label}</option>`;
    return html`<span class="error" id="${id}-error">${error ? capitalise(error.detail) : nothing}</span>
      ${this.canSave
        ? html`<select
            class="control"
            id=${id}
            aria-describedby="${id}-hint ${id}-error"
            aria-invalid=${error ? "true" : nothing}
            ?required=${isRequired}
            @change=${(event: Event) => choose((event.target as HTMLSelectElement).value)}
          >
            ${isRequired && value ? nothing : option("", empty)} ${value && !known ? option(value, `${value} – cannot be used`) : nothing}
            ${groups.map(
              ({ label, options }) => html`<optgroup label=${label}>
                ${options.map((one) => option(one.value, one.label))}
              </optgroup>`,
            )}
          </select>`
        : html`<div class="control fixed" id=${id} tabindex="-1">
            ${value ? (known?.label ?? value) : html`<span class="muted">${empty}</span>`}${!this.#choices && !this.#choicesFailure && this.#isConnected
              ? html`<span class="muted"> · reading the accounts from Xero…</span>`
              : nothing}
          </div>`}`;
  }

  #choose(field: CodeField, code: string): void {
    this.edit((draft) => {
      if (field === "sales") draft.sales = code;
      else if (code === "") delete draft[field];
      else draft[field] = code;
    });
  }

  /** A field for each tracking category in use in Xero, and for each that only the draft names. */
  #renderTracking(draft: AccountCodes): View {
    const chosen = draft.tracking ?? [];
    const live = this.#choices?.tracking ?? [];
    const categories = [...new Set([...live, ...chosen].map((one) => one.category))];
    if (categories.length === 0) return nothing;
    const choose = (category: string, option: string) => {
      // The API refuses options by their place in the list, which a change may move.
      this.errors = this.errors.filter(({ field }) => !field.startsWith("tracking"));
      this.edit((edited) => {
        const others = (name: string) => chosen.filter((one) => one.category === name);
        edited.tracking = categories.flatMap((name) => (name !== category ? others(name) : option ? [{ category, option }] : []));
        if (edited.tracking.length === 0) delete edited.tracking;
      });
    };
    return html`<div class="stack section">
      <h3>Default tracking</h3>
      <p class="hint lead">Used for lines that have no tracking options of their own.</p>
      <div class="mapping">
        ${categories.map((category, position) => {
          const index = chosen.findIndex((one) => one.category === category);
          const field = index < 0 ? `tracking-none-${position}` : `tracking[${index}]`;
          const options = live.find((one) => one.category === category)?.options ?? [];
          const groups = [{ label: "Options in Xero", options: options.map((name) => ({ value: name, label: name })) }];
          return html`<div class="field">
            <label for=${fieldId(field)}>${category}</label>
            ${this.#renderSelect(field, chosen[index]?.option ?? "", "None", groups, (option) => choose(category, option))}
          </div>`;
        })}
      </div>
    </div>`;
  }

  #renderTaxes(draft: AccountCodes): View {
    const rows = taxRows(this.#choices, draft.tax_types ?? {});
    if (rows.length === 0) return nothing;
    return html`<div class="stack section">
      <h3>Tax rates</h3>
      <ul class="taxes">
        ${rows.map((row) => this.#renderTax(row, draft))}
      </ul>
    </div>`;
  }

  #renderTax({ rate, automatic, options }: TaxRow, draft: AccountCodes): View {
    const field = `tax_types.${rate}`;
    const id = fieldId(field);
    const chosen = draft.tax_types?.[rate] ?? "";
    const empty = automatic
      ? `${automatic} (found automatically)`
      : options.length === 0
        ? "No matching rate in Xero"
        : `${this.canChange ? "Choose" : "Not chosen"}: ${options.length} matching rates`;
    const choose = (type: string) =>
      this.edit((edited) => {
        const types = { ...edited.tax_types };
        if (type) types[rate] = type;
        else delete types[rate];
        if (Object.keys(types).length > 0) edited.tax_types = types;
        else delete edited.tax_types;
      });
    return html`<li>
      <label for=${id}>${rateLabel(rate)}</label>
      <div>
        ${this.#renderSelect(field, chosen, empty, [{ label: "Tax rates in Xero", options }], choose)}
        <span class="hint" id="${id}-hint">${chosen || automatic ? nothing : "Documents with this rate wait until a rate is chosen."}</span>
      </div>
    </li>`;
  }
}

define("servicecortex-xero-accounts", Accounts);
