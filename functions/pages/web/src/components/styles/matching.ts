/** The look of the comparison of clients. */
import { css } from "../../ui/element.js";

export const matchingStyles = css`
  .segments {
    display: flex;
    flex-wrap: wrap;
    gap: 0.45em;
  }
  .segments button {
    border: 1px solid var(--line);
    border-radius: 2em;
    background: none;
    padding: 0.25em 0.9em;
    min-height: 2.1em;
    cursor: pointer;
    font-weight: 550;
  }
  .segments button:hover {
    background: var(--subtle);
  }
  .segments button[aria-pressed="true"] {
    border-color: var(--accent);
    background: var(--info-bg);
    color: var(--info);
  }
  .pill {
    font-variant-numeric: tabular-nums;
    font-weight: 400;
    margin-inline-start: 0.2em;
  }
  .findings > li {
    border-top: 1px solid var(--line);
    padding: 1em 0;
  }
  .findings > li:last-child {
    padding-bottom: 0;
  }
  .findings fieldset.stack > * + * {
    margin-top: 0.45em;
  }
  .candidates {
    border: 1px solid var(--line);
    border-radius: var(--radius-small);
  }
  .candidates > li {
    padding: 0.6em 0.9em;
  }
  .candidates > li + li {
    border-top: 1px solid var(--line);
  }
`;
