/** The few icons, drawn with the text's colour. */
import { svg, html, type TemplateResult } from "lit-html";

const PATHS = {
  alert: svg`<path d="M8 4.6v4.2M8 11.2v.2M6.9 1.9 1.2 12a1.3 1.3 0 0 0 1.1 1.9h11.4a1.3 1.3 0 0 0 1.1-1.9L9.1 1.9a1.3 1.3 0 0 0-2.2 0Z"/>`,
  info: svg`<circle cx="8" cy="8" r="6.6"/><path d="M8 7.4v3.8M8 4.8v.2"/>`,
  check: svg`<circle cx="8" cy="8" r="6.6"/><path d="m5.2 8.2 2 2 3.6-4.2"/>`,
  out: svg`<path d="M9.5 2.5h4v4M13.5 2.5 7.5 8.5M6.5 3.5h-3a1 1 0 0 0-1 1v8a1 1 0 0 0 1 1h8a1 1 0 0 0 1-1v-3"/>`,
  down: svg`<path d="M8 2v8.5M4.5 7.2 8 10.7l3.5-3.5M2.5 13.5h11"/>`,
  sync: svg`<path d="M13.5 6.5A5.8 5.8 0 0 0 3 5M2.5 2v3.2h3.2M2.5 9.5A5.8 5.8 0 0 0 13 11M13.5 14v-3.2h-3.2"/>`,
  search: svg`<circle cx="7" cy="7" r="4.7"/><path d="m10.5 10.5 3.3 3.3"/>`,
};

export type Icon = keyof typeof PATHS;

export function icon(name: Icon): TemplateResult {
  return html`<svg class="icon" viewBox="0 0 16 16" aria-hidden="true" focusable="false">${PATHS[name]}</svg>`;
}
