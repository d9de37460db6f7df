/** The document that would be sent to Xero, for a dialog. */
import { html, nothing } from "lit";
import type { Preview } from "../api/shapes.js";
import type { Formats } from "../ui/format.js";
import type { View } from "../ui/part.js";

export function renderPreview(preview: Preview | undefined, formats: Formats): View {
  if (!preview) return html`<p class="muted" role="status">Reading…</p>`;
  const { document, failure } = preview;
  if (failure || !document) {
    return html`<p><b>It cannot be sent yet.</b> ${failure?.message} ${failure?.remedy}</p>`;
  }
  const money = (amount: string) => formats.money({ amount, currency: document.currency });
  return html`<div class="stack loose">
    <p class="muted">This is what Xero would receive now. Nothing has been sent.</p>
    <dl class="facts">
      <dt>Number</dt>
      <dd><b>${document.number}</b></dd>
      <dt>Client</dt>
      <dd>
        ${document.client_id}${document.contact_id ? nothing : html`<span class="muted">, for whom a new contact is created</span>`}
      </dd>
      <dt>Date</dt>
      <dd>${formats.date(document.date)}${document.due_date ? `, due ${formats.date(document.due_date)}` : nothing}</dd>
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
            <td role="cell" class="break wide">
              ${line.description}
              ${line.discount_rate ? html`<div class="muted small">less ${line.discount_rate} %</div>` : nothing}
              ${line.discount_amount ? html`<div class="muted small">less ${money(line.discount_amount)}</div>` : nothing}
              ${line.item_code ? html`<div class="muted small">Item ${line.item_code}</div>` : nothing}
              ${(line.tracking ?? []).map((one) => html`<div class="muted small">${one.category}: ${one.option}</div>`)}
            </td>
            <td role="cell">${line.account_code}<span class="narrow muted"> ${line.tax_type}</span></td>
            <td role="cell" class="not-narrow">${line.tax_type}</td>
            <td role="cell" class="num not-narrow">${line.quantity}</td>
            <td role="cell" class="num"><span class="narrow muted">${line.quantity} × </span>${money(line.unit_amount)}</td>
          </tr>`,
        )}
      </tbody>
    </table>
    <p class="muted small">Prices ${document.is_tax_included ? "include" : "do not include"} tax.</p>
    ${(document.warnings ?? []).map((warning) => html`<p class="small">${warning}</p>`)}
  </div>`;
}
