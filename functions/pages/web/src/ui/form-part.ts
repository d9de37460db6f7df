/** What the forms of settings share: a draft, refused fields, and changes of someone else. */
import { html, nothing } from "lit";
import type { Session } from "../api/session.js";
import type { FieldProblem } from "../api/shapes.js";
import { Part, type View } from "./part.js";

export abstract class FormPart<Settings extends object> extends Part {
  /** What is being edited. */
  protected formDraft: Settings | undefined;
  /** The fields that cannot be used as they are. */
  protected errors: FieldProblem[] = [];

  #saved: Settings | undefined;
  /** The tag of the version that the draft is based on, and that of the newest version. */
  #etag: string | undefined;
  #newest: string | undefined;
  #isConflict = false;
  #isSaved = false;
  #saves = 0;

  /** The path of the settings in the API. */
  protected abstract get path(): string;
  /** The label of a field that is refused. */
  protected abstract labelOf(field: string): string;

  /** What is wrong with the settings in use. */
  protected get objections(): FieldProblem[] {
    return [];
  }

  /** What is wrong with the draft, as far as this page knows. */
  protected faultsOf(_draft: Settings): FieldProblem[] {
    return [];
  }

  protected get canSave(): boolean {
    return this.canChange;
  }

  protected get isEdited(): boolean {
    return this.#saved !== undefined && JSON.stringify(this.#saved) !== JSON.stringify(this.formDraft);
  }

  protected override async load(session: Session): Promise<void> {
    await this.readStatus(session);
    const saves = this.#saves;
    const { value, etag } = await session.get<Settings>(this.path);
    // What was read before or during a save may be older than what is saved.
    if (saves !== this.#saves) return;
    // What is being edited is not replaced.
    const isEdited = this.isEdited;
    this.#saved = value;
    this.#newest = etag;
    if (!isEdited) this.#renew();
  }

  protected edit(change: (draft: Settings) => void): void {
    if (!this.formDraft) return;
    change(this.formDraft);
    this.#isSaved = false;
    this.requestUpdate();
  }

  /** The form with its fields. `saving` and `saved` are what it says while and after it saves. */
  protected renderForm(fields: View, saving: string, saved: string): View {
    const isBusy = this.busy.has("save");
    return html`<form
      class="stack loose"
      novalidate
      @submit=${(event: Event) => {
        event.preventDefault();
        void this.#save();
      }}
    >
      ${this.#renderSummary()} ${this.#renderConflict()} ${fields}
      ${this.refusal?.error.errors.length ? nothing : this.refusalOf("save")}
      ${this.canSave
        ? html`<div class="actions">
            <button class="button primary" type="submit" aria-disabled=${isBusy ? "true" : nothing}>${isBusy ? saving : "Save"}</button>
            ${this.isEdited ? this.button("Discard changes", "discard", () => this.#discard(), { kind: "quiet" }) : nothing}
            <span class="muted" role="status">${this.#isSaved ? saved : nothing}</span>
          </div>`
        : this.canChange
          ? nothing
          : html`<p class="muted small">Only an Owner or Admin can change these.</p>`}
    </form>`;
  }

  #renderSummary(): View {
    if (this.errors.length === 0) return nothing;
    return html`<div class="notice bad" id="summary" tabindex="-1" role="group" aria-labelledby="summary-title">
      <div class="stack tight">
        <h3 id="summary-title">There is a problem</h3>
        <ul class="bullets">
          ${this.errors.map(
            (error) => html`<li>
              <a
                href="#${fieldId(error.field)}"
                @click=${(event: Event) => {
                  event.preventDefault();
                  void this.focusOn(`#${fieldId(error.field)}`);
                }}
                >${this.labelOf(error.field)} ${error.detail}</a
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
        "Someone else changed these settings in the meantime. Your changes are not saved. Load the latest settings, then make your changes again.",
        this.button("Load the latest settings", "newest", () => this.#loadNewest()),
      )}
    </div>`;
  }

  async #loadNewest(): Promise<void> {
    this.#isConflict = false;
    this.#discard();
    await this.reload();
    await this.focusOn("#title");
  }

  /** Begins with the newest version. */
  #renew(): void {
    this.formDraft = structuredClone(this.#saved);
    this.#etag = this.#newest;
  }

  #discard(): void {
    this.#renew();
    this.errors = this.objections;
    this.requestUpdate();
  }

  async #refuse(errors: FieldProblem[]): Promise<void> {
    this.errors = errors;
    this.requestUpdate();
    await this.focusOn("#summary");
  }

  async #save(): Promise<void> {
    const draft = this.formDraft;
    if (!draft) return;
    const faults = this.faultsOf(draft);
    if (faults.length > 0) return this.#refuse(faults);
    this.#isSaved = false;
    this.#saves += 1;
    const sent = JSON.stringify(draft);
    const isDone = await this.act("save", async (session) => {
      const { value, etag } = await session.change<Settings>("PUT", this.path, { body: draft, ifMatch: this.#etag });
      this.#saved = value;
      this.#etag = this.#newest = etag;
      // What a person changes during the save stays, and is not saved yet.
      if (JSON.stringify(this.formDraft) === sent) this.#renew();
      this.errors = [];
      this.#isConflict = false;
    });
    this.#saves += 1;
    const error = this.refusal?.error;
    if (isDone) {
      this.#isSaved = !this.isEdited;
      this.tell("changed");
    } else if (error?.status === 412) {
      this.#isConflict = true;
      this.refusal = undefined;
    } else if (error && error.errors.length > 0) await this.#refuse(error.errors);
    this.requestUpdate();
  }
}

/** The id of a field's control. */
export function fieldId(field: string): string {
  return `field-${field.replace(/[^A-Za-z0-9]/g, "-")}`;
}
