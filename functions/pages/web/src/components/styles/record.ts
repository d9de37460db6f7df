/** The look of the sections of a client and an invoice. */
import { css } from "../../ui/element.js";

export const recordStyles = css`
  .figures-row {
    display: flex;
    flex-wrap: wrap;
    gap: 0.8em 2.4em;
  }
  .figures-row dt {
    color: var(--muted);
    font-size: 0.9em;
  }
  .figures-row dd {
    text-align: start;
    font-size: 1.1em;
    font-weight: 550;
  }
  .figures-row .main dd {
    font-weight: 700;
  }
  .money > li {
    display: grid;
    grid-template-columns: minmax(5.5em, max-content) 7em minmax(0, 1fr) auto;
    gap: 0.3em 1.1em;
    align-items: baseline;
    padding: 0.6em 0;
    border-top: 1px solid var(--line);
  }
  .money .below {
    grid-column: 1 / -1;
    padding: 0.8em 1em;
    border-radius: var(--radius-small);
    background: var(--warn-bg);
  }
  .timeline > li {
    display: grid;
    grid-template-columns: 7.5em max-content minmax(0, 1fr);
    gap: 0.2em 0.9em;
    align-items: baseline;
    padding: 0.45em 0;
  }
  .history > summary {
    font-size: 0.93em;
  }
  .history[open] > summary {
    margin-bottom: 0.4em;
  }
  @container (max-width: 40em) {
    .money > li {
      grid-template-columns: minmax(0, 1fr) auto;
    }
    .money .num {
      text-align: start;
    }
    .money .what {
      grid-column: 1 / -1;
      grid-row: 2;
    }
    .money .side {
      grid-column: 1 / -1;
    }
    .timeline > li {
      grid-template-columns: minmax(0, 1fr) auto;
    }
    .timeline .says {
      grid-column: 1 / -1;
    }
  }
`;
