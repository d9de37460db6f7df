/** The look of the sync log. */
import { css } from "../../ui/element.js";

export const syncLogStyles = css`
  .chart svg {
    display: block;
    width: 100%;
    height: 4.6em;
    margin-top: 0.6em;
  }
  .chart .hit {
    fill: transparent;
  }
  .chart g:hover .hit {
    fill: var(--subtle);
  }
  .chart .synced {
    fill: var(--accent);
  }
  .chart rect.none {
    fill: var(--line);
  }
  .chart .given {
    fill: var(--bad);
  }
  .chart .axis {
    display: flex;
    justify-content: space-between;
    margin-top: 0.2em;
  }
  .legend {
    display: flex;
    flex: none;
    gap: 1.1em;
  }
  .chart .row > :first-child {
    flex: 1 1 auto;
  }
  .key::before {
    content: "";
    display: inline-block;
    width: 0.65em;
    height: 0.65em;
    border-radius: 2px;
    margin-inline-end: 0.45em;
    background: var(--accent);
  }
  .key.given::before {
    background: var(--bad);
  }
  .figures {
    max-height: 16em;
    overflow: auto;
    margin-top: 0.5em;
    max-width: 32em;
  }
  .figures td,
  .figures th {
    padding-block: 0.25em;
  }
  .filters {
    display: grid;
    grid-template-columns: minmax(9em, 1.4fr) repeat(4, minmax(8em, 1fr));
    gap: 0.8em;
    align-items: end;
  }
  .filters label {
    font-size: 0.92em;
  }
  .log .record {
    min-width: 10.5em;
  }
  .log + .actions {
    margin-top: 1em;
  }
  @container (max-width: 58em) {
    .filters {
      grid-template-columns: repeat(4, minmax(0, 1fr));
    }
    .filters .grow {
      grid-column: 1 / -1;
    }
  }
  @container (max-width: 40em) {
    .filters {
      grid-template-columns: repeat(2, minmax(0, 1fr));
    }
    .log .took {
      grid-column: 2;
      grid-row: 2;
      font-size: 0.93em;
    }
    .log br {
      display: none;
    }
    .log .record {
      grid-column: 1;
      grid-row: 1;
      font-weight: 550;
    }
    .log .result {
      grid-column: 2;
      grid-row: 1;
    }
    .log td.when {
      grid-column: 1;
      grid-row: 2;
      font-size: 0.93em;
    }
  }
  @container (max-width: 24em) {
    .filters {
      grid-template-columns: minmax(0, 1fr);
    }
  }
`;
