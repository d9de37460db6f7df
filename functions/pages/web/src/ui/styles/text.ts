/** Text and spacing. */
import { css } from "../element.js";

export const text = css`
  h2,
  h3,
  h4,
  p,
  dl,
  dd,
  ul,
  ol,
  figure,
  fieldset,
  legend {
    margin: 0;
    padding: 0;
    border: 0;
    min-width: 0;
  }
  ul,
  ol {
    list-style: none;
  }
  h2 {
    font-size: 1.2em;
    font-weight: 650;
    line-height: 1.3;
    letter-spacing: -0.005em;
  }
  h3 {
    font-size: 1.02em;
    font-weight: 650;
    line-height: 1.4;
  }
  h2:focus,
  h3:focus,
  [tabindex="-1"]:focus {
    outline: none;
  }
  h2:focus-visible,
  [tabindex="-1"]:focus-visible {
    outline: 2px solid var(--accent);
    outline-offset: 3px;
    border-radius: 3px;
  }
  p + p,
  .stack > * + * {
    margin-top: 0.7em;
  }
  .stack.loose > * + * {
    margin-top: 1.15em;
  }
  .lead {
    max-width: 74ch;
  }
  a,
  b {
    unicode-bidi: isolate;
  }
  .muted {
    color: var(--muted);
  }
  .small {
    font-size: 0.9em;
  }
  .strong {
    font-weight: 600;
  }
  .num {
    font-variant-numeric: tabular-nums;
    text-align: end;
    white-space: nowrap;
  }
  .nowrap {
    white-space: nowrap;
  }
  .sr {
    position: absolute;
    width: 1px;
    height: 1px;
    margin: -1px;
    overflow: hidden;
    clip-path: inset(50%);
    white-space: nowrap;
  }
  a {
    color: var(--accent);
    text-decoration-thickness: 1px;
    text-underline-offset: 0.18em;
    border-radius: 3px;
  }
  a .icon {
    width: 0.8em;
    height: 0.8em;
    margin-inline-start: 0.25em;
    vertical-align: -0.02em;
  }
  :focus-visible {
    outline: 2px solid var(--accent);
    outline-offset: 2px;
  }
  .icon {
    width: 1.1em;
    height: 1.1em;
    flex: none;
    fill: none;
    stroke: currentColor;
    stroke-width: 1.5;
    stroke-linecap: round;
    stroke-linejoin: round;
  }
  .stack.tight > * + * {
    margin-top: 0.25em;
  }
  .bullets {
    list-style: disc;
    padding-inline-start: 1.1em;
  }
`;
