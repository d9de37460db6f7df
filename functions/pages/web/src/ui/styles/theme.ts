/** Colours and fonts. The CRM changes them with the custom properties listed first. */
import { css } from "../element.js";

export const theme = css`
  :host {
    --accent: var(--servicecortex-xero-accent, light-dark(#1459c7, #79b0ff));
    --on-accent: var(--servicecortex-xero-on-accent, light-dark(#fff, #07182f));
    --surface: var(--servicecortex-xero-surface, light-dark(#fff, #171c24));
    --text: var(--servicecortex-xero-text, light-dark(#1a2332, #e7ebf1));
    --muted: var(--servicecortex-xero-muted, light-dark(#566073, #a0acbd));
    --line: var(--servicecortex-xero-line, light-dark(#dde2ea, #2e3745));
    --radius: var(--servicecortex-xero-radius, 0.6em);
    --subtle: light-dark(#f5f7fa, #1f2630);
    --control: light-dark(#848da0, #6b788c);
    --good: light-dark(#0d6b3c, #74dca2);
    --good-bg: light-dark(#e4f5eb, #14301f);
    --info: light-dark(#1a4f9e, #a3caff);
    --info-bg: light-dark(#e9f1fd, #182b47);
    --warn: light-dark(#854900, #f6c374);
    --warn-bg: light-dark(#fdf2de, #35280f);
    --bad: light-dark(#b1201b, #ffa19a);
    --bad-bg: light-dark(#fdecea, #3e1a1a);
    --radius-small: calc(var(--radius) * 0.75);
    display: block;
    container-type: inline-size;
    font-family: var(--servicecortex-xero-font, inherit);
    line-height: 1.5;
    overflow-wrap: anywhere;
    color: var(--text);
    text-align: start;
    direction: ltr;
  }
  :host([hidden]) {
    display: none;
  }
  :host([theme="light"]) {
    color-scheme: light;
  }
  :host([theme="dark"]) {
    color-scheme: dark;
  }
  .quiet {
    --tone: var(--muted);
    --tone-bg: var(--subtle);
  }
  .good {
    --tone: var(--good);
    --tone-bg: var(--good-bg);
  }
  .info {
    --tone: var(--info);
    --tone-bg: var(--info-bg);
  }
  .warn {
    --tone: var(--warn);
    --tone-bg: var(--warn-bg);
  }
  .bad {
    --tone: var(--bad);
    --tone-bg: var(--bad-bg);
  }
  *,
  ::before,
  ::after {
    box-sizing: border-box;
  }
  @media (prefers-reduced-motion: reduce) {
    * {
      transition: none !important;
    }
  }
  @media (forced-colors: active) {
    .badge,
    .notice {
      border: 1px solid;
    }
  }
`;
