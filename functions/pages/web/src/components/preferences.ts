/** How documents are sent: their first status, whether they count as sent, and who leads contacts. */
import { html, nothing } from "lit-html";
import type { SyncPreferences } from "../api/shapes.js";
import { fieldId, FormPart } from "../ui/form-part.js";
import { define, type View } from "../ui/part.js";

type ChoiceName = "new_invoices" | "contacts";

interface Choice {
  label: string;
  hint: string;
  /** The label and the consequence of each value. */
  options: Record<string, [label: string, says: string]>;
}

const CHOICES: Record<ChoiceName, Choice> = {
  new_invoices: {
    label: "New invoices",
    hint: "The status in which an invoice is created in Xero",
    options: {
      authorised: ["Approved", "They can be paid immediately."],
      submitted: ["Awaiting approval", "Someone approves them in Xero. Their payments and credits wait until then."],
      draft: ["Draft", "Someone approves them in Xero. Their payments and credits wait until then."],
    },
  },
  contacts: {
    label: "Contacts changed on both sides",
    hint: "Whose values are kept. Fields that are empty in Xero are always filled.",
    options: {
      by_origin: ["By origin", "ServiceCortex’s for contacts that it created, Xero’s for contacts that already existed."],
      servicecortex: ["ServiceCortex’s", "Values changed in Xero are overwritten."],
      xero: ["Xero’s", "Values changed in Xero are kept."],
    },
  },
};

const SENT = "Mark them as sent";

export class Preferences extends FormPart<SyncPreferences> {
  protected override heading(): string {
    return "How documents are sent";
  }

  protected override get path(): string {
    return "/v1/sync-preferences";
  }

  protected override labelOf(field: string): string {
    return CHOICES[field as ChoiceName]?.label ?? SENT;
  }

  protected override wordOf(field: string, value: unknown): string {
    return CHOICES[field as ChoiceName]?.options[String(value)]?.[0] ?? (value ? "Yes" : "No");
  }

  protected override content(): View {
    const draft = this.formDraft;
    if (!draft) return nothing;
    return this.renderForm(
      html`${this.#renderChoice("new_invoices", draft)} ${draft.new_invoices === "authorised" ? this.#renderSent(draft) : nothing}
        ${this.#renderChoice("contacts", draft)}
        ${this.canChange
          ? html`<p class="muted small">Changes apply to records sent from now on. Documents in Xero stay as they are.</p>`
          : nothing}`,
      "Saving…",
      "Saved.",
    );
  }

  #renderChoice(name: ChoiceName, draft: SyncPreferences): View {
    const { label, hint, options } = CHOICES[name];
    const chosen = draft[name] ?? "";
    const id = fieldId(name);
    return html`<fieldset class="stack tight" id=${id} tabindex="-1" aria-describedby="${id}-hint">
      <legend class="label">${label}</legend>
      <p class="hint" id="${id}-hint">${hint}</p>
      <div class="options">
        ${Object.entries(options).map(([value, [word, says]]) => {
          const text = html`<span><span class="strong">${word}</span> <span class="muted">${says}</span></span>`;
          if (!this.canChange) return value === chosen ? html`<p>${text}</p>` : nothing;
          return html`<label class="option"
            ><input
              type="radio"
              name=${name}
              value=${value}
              .checked=${value === chosen}
              @change=${() => this.edit((edited) => Object.assign(edited, { [name]: value }))}
            />${text}</label
          >`;
        })}
      </div>
    </fieldset>`;
  }

  #renderSent(draft: SyncPreferences): View {
    const text = html`<span><span class="strong">${SENT}</span> <span class="muted">Xero then shows them as sent to the client. It does not send an e-mail.</span></span>`;
    if (!this.canChange) return draft.mark_as_sent ? html`<p>${text}</p>` : nothing;
    return html`<label class="option"
      ><input
        type="checkbox"
        .checked=${draft.mark_as_sent ?? false}
        @change=${(event: Event) => {
          const { checked } = event.target as HTMLInputElement;
          this.edit((edited) => (edited.mark_as_sent = checked));
        }}
      />${text}</label
    >`;
  }
}

define("servicecortex-xero-preferences", Preferences);
