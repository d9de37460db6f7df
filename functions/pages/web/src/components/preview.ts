/** The document that would be sent to Xero, in a dialog. */
import { html, nothing } from "lit-html";
import type { EntityKind, Preview } from "../api/shapes.js";
import { Part, type View } from "../ui/part.js";
import { kindWord, recordPath } from "../ui/words.js";

export abstract class PreviewPart extends Part {
  #preview: Preview | undefined;

  /** Opens the document that would be sent for a record. */
  protected async showPreview(action: string, entity: EntityKind, id: string): Promise<void> {
    this.#preview = undefined;
    this.confirm({
      title: `The ${kindWord(entity)} as Xero would receive it`,
      isWide: true,
      body: () => this.#renderPreview(),
      cancel: "Close",
    });
    const isRead = await this.act(action, async (session) => {
      this.#preview = (await session.get<Preview>(`${recordPath(entity, id)}/preview`)).value;
    });
    if (!isRead) this.closeDialog();
  }

  #renderPreview(): View {
    const preview = this.#preview;
    if (!preview) return html`<p class="muted" role="status">Reading…</p>`;
    const { document, failure } = preview;
    if (failure || !document) {
      return html`<p><b>It cannot be sent yet.</b> ${failure?.message} ${failure?.remedy}</p>`;
    }
    const money = (amount: string) => this.formats.money({ amount, currency: document.currency });
    return html`<div class="stack loose">
      <p class="muted">This is what Xero would receive now. Nothing has been sent.</p>
      <dl class="facts">
        <dt>Number</dt>
        <dd><b>${document.number}</b></dd>
        <dt>Client</dt>
        <dd>
          ${document.client_id}${document.contact_id ? nothing : html`<span class="muted"> (a new contact is created)</span>`}
        </dd>
        <dt>Date</dt>
        <dd>${this.formats.date(document.date)}${document.due_date ? `, due ${this.formats.date(document.due_date)}` : nothing}</dd>
        ${document.reference ? html`<dt>Reference</dt><dd>${document.reference}</dd>` : nothing}
      </dl>
      <table class="cards" role="table">
        <caption class="sr">Lines</caption>
        <thead role="rowgroup">
          <tr role="row">
            <th scope="col" role="columnheader">Description</th>
            <th scope="col" role="columnheader">Account</th>
            <th scope="col" role="columnheader">Tax</th>
            <th scope="col" role="columnheader" class="num">Quantity</th>
            <th scope="col" role="columnheader" class="num">Price</th>
          </tr>
        </thead>
        <tbody role="rowgroup">
          ${document.lines.map(
            (line) => html`<tr role="row">
              <td role="cell" class="wide">
                ${line.description}
                <div class="muted small">
                  ${[
                    line.discount_rate && `less ${line.discount_rate}%`,
                    line.discount_amount && `less ${money(line.discount_amount)}`,
                    line.item_code && `Item ${line.item_code}`,
                    ...(line.tracking ?? []).map((one) => `${one.category}: ${one.option}`),
                  ]
                    .filter(Boolean)
                    .join(" · ")}
                </div>
              </td>
              <td role="cell" class="nowrap">${line.account_code}<span class="narrow muted"> ${line.tax_type}</span></td>
              <td role="cell" class="not-narrow nowrap">${line.tax_type}</td>
              <td role="cell" class="num not-narrow">${line.quantity}</td>
              <td role="cell" class="num"><span class="narrow muted">${line.quantity} × </span>${money(line.unit_amount)}</td>
            </tr>`,
          )}
        </tbody>
      </table>
      <p class="muted small">Prices ${document.is_tax_included ? "include" : "do not include"} tax.</p>
      ${(document.warnings ?? []).map((warning) => this.notice("warn", warning))}
    </div>`;
  }
}
