/** The activity of the last days, as a chart and as figures. */
import { html, nothing, svg } from "lit-html";
import type { Activity } from "../api/shapes.js";
import type { Formats } from "../ui/format.js";
import type { View } from "../ui/part.js";

/** How many days the log, and so the chart, goes back. */
export const ACTIVITY_DAYS = 30;

interface Day {
  key: string;
  at: Date;
  synced: number;
  waiting: number;
  givenUp: number;
}

function daysOf(activity: Activity, formats: Formats): Day[] {
  const days = new Map<string, Day>();
  // From noon to noon, so that a day of 23 or 25 hours is neither left out nor counted twice.
  const noon = Date.parse(formats.startOf(formats.dayKey(new Date()))) + 43_200_000;
  for (let back = ACTIVITY_DAYS - 1; back >= 0; back -= 1) {
    const at = new Date(noon - back * 86_400_000);
    const key = formats.dayKey(at);
    days.set(key, { key, at, synced: 0, waiting: 0, givenUp: 0 });
  }
  for (const hour of activity.hours) {
    const day = days.get(formats.dayKey(new Date(hour.at)));
    if (!day) continue;
    day.synced += hour.synced;
    day.waiting += hour.waiting;
    day.givenUp += hour.given_up;
  }
  return [...days.values()];
}


/** Bars of local days: what was synced, and what was given up. */
export function renderActivity(activity: Activity | undefined, formats: Formats): View {
  if (!activity) return nothing;
  const days = daysOf(activity, formats);
  const most = Math.max(1, ...days.map((day) => day.synced + day.givenUp));
  const sum = days.reduce((total, day) => total + day.synced, 0);
  const failed = days.reduce((total, day) => total + day.givenUp, 0);
  const height = 56;
  const bars = days.map((day, index) => {
    const given = day.givenUp ? Math.max(3, (day.givenUp / most) * height) : 0;
    const synced = day.synced ? Math.max(2, (day.synced / most) * (height - (day.givenUp ? 5 : 0))) : 0;
    const x = index * 10 + 1.5;
    const rest = height - synced;
    return svg`<g><title>${formats.day(day.at)}: ${day.synced} synced${day.givenUp ? `, ${day.givenUp} given up` : ""}</title>
      <rect class="hit" x=${index * 10} y="0" width="10" height=${height}></rect>
      ${day.synced + day.givenUp === 0 ? svg`<rect class="none" x=${x} y=${height - 1} width="7" height="1"></rect>` : nothing}
      ${synced ? svg`<rect class="synced" x=${x} y=${rest} width="7" height=${synced} rx="1"></rect>` : nothing}
      ${given ? svg`<rect class="given" x=${x} y=${Math.max(0, rest - given - 1)} width="7" height=${Math.min(given, Math.max(3, rest - 1))} rx="1"></rect>` : nothing}
    </g>`;
  });
  const summary = `${formats.number(sum)} synced${failed ? `, ${formats.number(failed)} given up` : ""} in ${ACTIVITY_DAYS} days`;
  const first = days[0];
  return html`<figure class="chart">
    <figcaption class="row">
      <span class="strong">Activity</span>
      <span class="legend muted small"
        ><span class="key synced">Synced ${formats.number(sum)}</span
        ><span class="key given">Given up ${formats.number(failed)}</span></span
      >
    </figcaption>
    <svg viewBox="0 0 ${ACTIVITY_DAYS * 10} ${height}" preserveAspectRatio="none" role="img" aria-label=${summary}>${bars}</svg>
    <div class="axis muted small" aria-hidden="true">
      <span>${first ? formats.day(first.at) : ""}</span><span>Today</span>
    </div>
    <details class="small">
      <summary class="muted">Show figures</summary>
      <div class="figures" tabindex="0" role="group" aria-label="Figures by day">
        <table>
          <caption class="sr">${summary}</caption>
          <thead>
            <tr><th scope="col">Day</th><th scope="col" class="num">Synced</th><th scope="col" class="num">Waiting</th><th scope="col" class="num">Given up</th></tr>
          </thead>
          <tbody>
            ${days
              .filter((day) => day.synced + day.waiting + day.givenUp > 0)
              .reverse()
              .map((day) => html`<tr><th scope="row">${formats.day(day.at)}</th><td class="num">${day.synced}</td><td class="num">${day.waiting}</td><td class="num">${day.givenUp}</td></tr>`)}
          </tbody>
        </table>
      </div>
      ${activity.complete_since
        ? html`<p class="muted">Complete since ${formats.timeOf(activity.complete_since)}.</p>`
        : nothing}
    </details>
  </figure>`;
}
