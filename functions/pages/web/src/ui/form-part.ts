/** What the forms of settings share: a draft, refused fields, changes of someone else, and a question before changes are lost. */
import { html, nothing } from "lit-html";
import type { Session } from "../api/session.js";
import type { FieldProblem } from "../api/shapes.js";
import { isSame, mergeSettings, type OtherChange } from "./merge.js";
import { Part, type View } from "./part.js";
import { Widgets } from "./widgets.js";

/** The forms on the page with changes that are not saved. */
const edited = new Set<unknown>();

export abstract class FormPart<Settings extends object> extends Part {
  /** What is being edited. */
  protected formDraft: Settings | undefined;
  /** The fields that cannot be used as they are. */
  protected errors: FieldProblem[] = [];

  /** The newest version that was read, on which the draft is based, and its tag. */
  #saved: Settings | undefined;
  #etag: string | undefined;
  /** Whether someone else saved the settings while they were edited here. */
  #isConflict = false;
  #changes: OtherChange[] = [];
  #isSaved = false;
  #saves = 0;

  /** The path of the settings in the API. */
  protected abstract get path(): string;
  /** The label of a field. */
  protected abstract labelOf(field: string): string;
  /** What people read for the value of a field. */
  protected abstract wordOf(field: string, value: unknown): string;

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
    return !isSame(this.#saved, this.formDraft);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#watchLeaving(false);
  }

  protected override updated(): void {
    super.updated();
    this.#watchLeaving(this.isConnected && this.isEdited);
  }

  /**
   * While there are changes, the browser asks before the page is left, and this element before a link of
   * an element is followed: the CRM may show another page without leaving this one.
   */
  #watchLeaving(isEdited: boolean): void {
    if (isEdited === edited.has(this)) return;
    if (isEdited) edited.add(this);
    else edited.delete(this);
    const change = isEdited ? window.addEventListener : window.removeEventListener;
    change("beforeunload", this.#onLeave);
    change("click", this.#onClick, true);
    this.tell("unsaved", { isUnsaved: edited.size > 0 });
  }

  readonly #onLeave = (event: Event) => event.preventDefault();

  readonly #onClick = (event: Event) => {
    const path = event.composedPath();
    const link = path.find((one) => one instanceof HTMLAnchorElement);
    const isOurs = path.some((one) => one instanceof Widgets);
    const { ctrlKey, metaKey, shiftKey } = event as MouseEvent;
    // Neither a new tab nor a link to a field leaves the page.
    if (!isOurs || !link || link.target || link.hash.startsWith("#field-") || ctrlKey || metaKey || shiftKey) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    this.confirm({
      title: "Leave without saving?",
      body: `Your changes to “${this.heading()}” are not saved.`,
      cancel: "Stay on this page",
      confirm: "Leave",
      isDanger: true,
      run: async () => {
        this.#discard();
        await this.updateComplete;
        link.click();
      },
    });
  };

  protected override async load(session: Session): Promise<void> {
    await this.readStatus(session);
    const saves = this.#saves;
    const { value, etag } = await session.get<Settings>(this.path);
    // What was read before or during a save may be older than what is saved.
    if (saves !== this.#saves) return;
    const { formDraft } = this;
    if (this.#saved && formDraft && this.isEdited) this.#merge(this.#saved, formDraft, value);
    else this.formDraft = structuredClone(value);
    this.#saved = value;
    this.#etag = etag;
  }

  /** What the user has changed stays. The other fields show what someone else has saved. */
  #merge(before: Settings, draft: Settings, newest: Settings): void {
    if (isSame(before, newest)) return;
    const changes: OtherChange[] = [];
    this.formDraft = mergeSettings(before, draft, newest, changes);
    const isOlder = ({ field }: OtherChange) => !changes.some((one) => one.field === field);
    this.#changes = [...this.#changes.filter(isOlder), ...changes];
    this.#isConflict ||= changes.length > 0;
    // They name fields by places that may have moved.
    this.errors = [];
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
    return html`<div role="alert" id="conflict">
      ${this.notice(
        "warn",
        html`<p class="strong">Someone else changed these settings in the meantime.</p>
          <ul class="bullets">
            ${this.#changes.map(({ field, value, isOwn }) => {
              const word = this.wordOf(field, value);
              return html`<li>${this.labelOf(field)}: ${isOwn ? `they chose “${word}”. Your choice is kept.` : word}</li>`;
            })}
          </ul>
          <p>${this.isEdited ? "Your changes are kept, but not saved yet. Check the form, then save it." : "They are the same as yours, so there is nothing to save."}</p>`,
      )}
    </div>`;
  }

  #endConflict(): void {
    this.#isConflict = false;
    this.#changes = [];
  }

  #discard(): void {
    this.formDraft = structuredClone(this.#saved);
    this.#endConflict();
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
    const sent = structuredClone(draft);
    const isDone = await this.act("save", async (session) => {
      const { value, etag } = await session.change<Settings>("PUT", this.path, { body: draft, ifMatch: this.#etag });
      this.#saved = value;
      this.#etag = etag;
      // What a person changes during the save stays, and is not saved yet.
      if (isSame(this.formDraft, sent)) this.formDraft = structuredClone(value);
      this.errors = [];
      this.#endConflict();
    });
    this.#saves += 1;
    const error = this.refusal?.error;
    if (isDone) {
      this.#isSaved = !this.isEdited;
      this.tell("changed");
    } else if (error?.status === 412) {
      this.#isConflict = true;
      this.refusal = undefined;
      await this.reload();
      await this.focusOn("#conflict");
    } else if (error && error.errors.length > 0) await this.#refuse(error.errors);
    this.requestUpdate();
  }
}

/** The id of a field's control. */
export function fieldId(field: string): string {
  return `field-${field.replace(/[^A-Za-z0-9]/g, "-")}`;
}
