/** S2: the task list after the first connect. Its state follows from what the API knows. */
import { html, nothing } from "lit-html";
import type { Session } from "../api/session.js";
import { type AccountChoices, type AccountCodes, type AttentionPage, type Reconciliation, type SyncAll, walkState } from "../api/shapes.js";
import { count } from "../ui/format.js";
import { define, type View } from "../ui/part.js";
import type { Tone } from "../ui/words.js";
import { PreviewPart } from "./preview.js";
import { styles } from "../ui/styles.js";
import { previewStyles } from "./styles/preview.js";
import { setupStyles } from "./styles/setup.js";

interface Task {
  title: string;
  detail: View;
  state: "done" | "todo" | "check" | "running";
  actions: View;
}

const STATES: Record<Task["state"], { word: string; tone: Tone }> = {
  done: { word: "Done", tone: "good" },
  todo: { word: "To do", tone: "info" },
  check: { word: "Check", tone: "warn" },
  running: { word: "In progress", tone: "info" },
};

export class Setup extends PreviewPart {
  static override styles = [...styles, previewStyles, setupStyles];
  #codes: AccountCodes | undefined;
  #choices: AccountChoices | undefined;
  #run: Reconciliation | undefined;
  #syncAll: SyncAll | undefined;
  #attention: AttentionPage | undefined;
  #isNew = false;

  protected override heading(): string {
    return "Set up Xero";
  }

  protected override refreshAfter(): number {
    return walkState(this.#syncAll) === "running" || walkState(this.#run) === "running" ? 3 : 0;
  }

  protected override async load(session: Session): Promise<void> {
    const status = await this.readStatus(session);
    if (!isConnected(status.status)) {
      this.hidden = true;
      return;
    }
    const [codes, run, walk] = await Promise.all([
      session.get<AccountCodes>("/v1/account-codes"),
      session.get<Reconciliation>("/v1/reconciliation"),
      session.get<SyncAll>("/v1/sync-all"),
    ]);
    this.#codes = codes.value;
    this.#run = run.value;
    this.#syncAll = walk.value;
    this.#isNew ||= !this.#isFinished;
    // Later on, the sections themselves show what is open.
    this.hidden = !this.#isNew;
    if (this.hidden) return;
    const [choices, attention] = await Promise.all([
      session.get<AccountChoices>("/v1/account-codes/choices", { maxAge: 60_000 }).catch(() => undefined),
      session.get<AttentionPage>("/v1/attention?state=failing").catch(() => undefined),
    ]);
    this.#choices = choices?.value;
    this.#attention = attention?.value;
  }

  get #isFinished(): boolean {
    return walkState(this.#run) === "done" && this.#hasSynced;
  }

  get #hasSynced(): boolean {
    const state = walkState(this.#syncAll);
    return state === "done" || (state !== "running" && this.status?.last_sync_at !== undefined);
  }

  protected override aside(): View {
    const tasks = this.#tasks();
    return `${tasks.filter((task) => task.state === "done").length} of ${tasks.length} done`;
  }

  protected override content(): View {
    return html`<ol class="tasks">
        ${this.#tasks().map(
          (task) => html`<li>
            <div>
              <h3>${task.title}</h3>
              <div class="muted">${task.detail}</div>
            </div>
            <div class="task-side">
              ${task.actions === nothing ? nothing : html`<span class="actions">${task.actions}</span>`}
              ${this.badge(STATES[task.state].word, STATES[task.state].tone)}
            </div>
          </li>`,
        )}
      </ol>
      ${this.refusalOf("setup")}
      <p class="muted small after">You can complete these tasks in any order and leave at any time. Nothing is sent twice.</p>`;
  }

  #show(label: string, part: string): View {
    return this.button(label, `setup-show-${part}`, () => this.tell("show", { part }), { isSmall: true, label: `${label}: ${part}` });
  }

  #tasks(): Task[] {
    return [this.#organisation(), this.#accounts(), this.#tax(), this.#clients(), this.#firstSync()];
  }

  #organisation(): Task {
    const { organisation, base_currency, is_demo } = this.status ?? {};
    return {
      title: "Organisation",
      detail: html`${organisation}${base_currency ? `, ${base_currency}` : ""}${is_demo ? ". This is a demo company." : ""}`,
      state: is_demo ? "check" : "done",
      actions: nothing,
    };
  }

  #accounts(): Task {
    const sales = this.#codes?.sales ?? "";
    const account = this.#choices?.income.find((one) => one.code === sales);
    const objections = (this.#choices?.objections ?? []).filter((one) => !one.field.startsWith("tax_types"));
    return {
      title: "Accounts",
      detail: objections.length
        ? `${count(objections.length, "choice")} cannot be used`
        : `Sales go to ${account ? `${account.code} – ${account.name}` : sales}`,
      state: objections.length ? "check" : "done",
      actions: this.#show(this.canChange ? "Change" : "Show", "accounts"),
    };
  }

  #tax(): Task {
    const used = this.#choices?.rates_used ?? [];
    const chosen = this.#codes?.tax_types ?? {};
    const open = used.filter((one) => !one.tax_type && !chosen[one.rate]);
    const names = used.map((one) => (one.rate === "none" ? "no tax" : `${one.rate}%`));
    const first = open[0];
    return {
      title: "Tax rates",
      detail: first
        ? `${first.rate === "none" ? "No tax" : `${first.rate}%`}: ${first.candidates.length || "no"} matching rates in Xero`
        : names.length
          ? names.join(", ")
          : this.#choices
            ? "Matched automatically by percentage"
            : "They cannot be read from Xero at the moment",
      state: first || !this.#choices ? "check" : "done",
      actions: first ? this.#show(this.canChange ? "Choose" : "Show", "accounts") : nothing,
    };
  }

  #clients(): Task {
    const run = this.#run;
    const matched = (run?.linked_before ?? 0) + (run?.linked ?? 0);
    const state = walkState(run);
    if (!run || state === "none") {
      return {
        title: "Clients",
        detail: "Not compared with the contacts in Xero yet",
        state: "todo",
        actions: this.#show(this.canChange ? "Match" : "Show", "contacts"),
      };
    }
    const open = run.ambiguous;
    return {
      title: "Clients",
      detail: `${matched} of ${run.clients} matched${open ? `, ${open} to decide` : ""}`,
      state: state === "running" ? "running" : open ? "todo" : "done",
      actions: open ? this.#show(this.canChange ? "Decide" : "Show", "contacts") : nothing,
    };
  }

  #firstSync(): Task {
    const walk = this.#syncAll;
    const waiting = this.status?.waiting ?? 0;
    const records = this.#attention?.groups.flatMap((group) => group.records) ?? [];
    const sample = records.find(({ record }) => record.entity === "invoice")?.record;
    const isRunning = walkState(walk) === "running";
    return {
      title: "First sync",
      detail: isRunning
        ? `${count(walk?.looked_at ?? 0, "record")} processed`
        : this.#hasSynced
          ? html`Last sync ${this.formats.timeAgo(this.status?.last_sync_at ?? walk?.finished_at)}`
          : waiting
            ? `${count(waiting, "record")} ${waiting === 1 ? "waits" : "wait"}`
            : "Sends everything that is not in Xero yet",
      state: isRunning ? "running" : this.#hasSynced ? "done" : "todo",
      actions:
        this.canChange && !isRunning && !this.#hasSynced
          ? html`${sample
              ? this.button("Preview one first", "setup-preview", () => this.showPreview("setup-preview", "invoice", sample.crm_id), { isSmall: true, kind: "quiet" })
              : nothing}${this.button("Sync now", "setup-sync", () => this.#sync(), { isSmall: true, kind: "primary", busy: "Starting…" })}`
          : nothing,
    };
  }

  async #sync(): Promise<void> {
    await this.sendChange("setup-sync", "POST", "/v1/sync-all");
    await this.reload();
  }

}

export function isConnected(status: string): boolean {
  return ["active", "error", "organisation_unavailable"].includes(status);
}

define("servicecortex-xero-setup", Setup);
