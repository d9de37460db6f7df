/** Cards, messages and facts. */
import { css } from "../element.js";

export const blocks = css`
  .card {
    background: var(--surface);
    border: 1px solid var(--line);
    border-radius: var(--radius);
    padding: 1.25em 1.4em 1.4em;
  }
  header {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    justify-content: space-between;
    gap: 0.4em 1em;
    min-height: 2.1em;
    margin-bottom: 0.6em;
  }
  header .aside {
    display: flex;
    flex-wrap: wrap;
    gap: 0.4em 0.9em;
    align-items: center;
    color: var(--muted);
    font-size: 0.93em;
  }
  .badge {
    display: inline-flex;
    align-items: center;
    gap: 0.45em;
    padding: 0.1em 0.7em;
    border-radius: 1em;
    font-size: 0.88em;
    font-weight: 600;
    white-space: nowrap;
    background: var(--tone-bg);
    color: var(--tone);
  }
  .badge .dot {
    width: 0.5em;
    height: 0.5em;
    border-radius: 50%;
    background: currentColor;
  }
  .notice {
    display: flex;
    gap: 0.7em;
    padding: 0.75em 0.95em;
    border-radius: var(--radius-small);
    background: var(--tone-bg);
  }
  .notice > .icon {
    margin-top: 0.2em;
    color: var(--tone);
  }
  .notice-body {
    flex: 1;
    min-width: 0;
    display: flex;
    flex-wrap: wrap;
    gap: 0.6em 1.2em;
    align-items: center;
    justify-content: space-between;
  }
  .notice-body > :first-child {
    flex: 1 1 22em;
    min-width: 0;
  }
  .notice .muted {
    color: color-mix(in oklab, var(--text) 82%, transparent);
  }
  .age,
  .card > [role="status"] > .notice {
    margin-bottom: 1em;
  }
  .facts {
    display: grid;
    grid-template-columns: max-content minmax(0, 1fr);
    gap: 0.45em 1.6em;
  }
  .facts dt {
    color: var(--muted);
  }
  .skeleton {
    display: grid;
    gap: 0.75em;
    min-height: 6.5em;
    align-content: start;
  }
  .skeleton i {
    height: 1em;
    border-radius: 0.4em;
    background: var(--subtle);
  }
  .skeleton i:nth-child(2) {
    width: 72%;
  }
  .skeleton i:nth-child(3) {
    width: 48%;
  }
  .panel {
    border: 1px solid var(--line);
    border-radius: var(--radius-small);
    padding: 1em 1.1em;
  }
  .empty {
    color: var(--muted);
    padding: 0.4em 0;
  }
  .row,
  .head {
    display: flex;
    flex-wrap: wrap;
    gap: 0.5em 1.2em;
    align-items: center;
    justify-content: space-between;
  }
  .row > :first-child {
    flex: 1 1 16em;
    min-width: 0;
  }
  .head {
    justify-content: flex-start;
    gap: 0.2em 0.7em;
  }
  .after {
    margin-top: 1em;
  }
  @container (max-width: 34em) {
    .card {
      padding: 1.05em 1.05em 1.15em;
    }
    .facts {
      grid-template-columns: minmax(0, 1fr);
      gap: 0;
    }
    .facts dt {
      font-size: 0.9em;
    }
    .facts dd {
      margin-bottom: 0.6em;
    }
  }
`;
