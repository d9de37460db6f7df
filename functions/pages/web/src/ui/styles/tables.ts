/** Tables, which become cards in a narrow column. */
import { css } from "../element.js";

export const tables = css`
  table {
    width: 100%;
    border-collapse: collapse;
    font-size: 0.95em;
  }
  caption {
    text-align: start;
  }
  th {
    text-align: start;
    font-weight: 550;
    color: var(--muted);
    font-size: 0.93em;
    padding: 0.45em 0.9em 0.45em 0;
    border-bottom: 1px solid var(--line);
    white-space: nowrap;
  }
  td,
  tbody th {
    padding: 0.6em 0.9em 0.6em 0;
    border-bottom: 1px solid var(--line);
    vertical-align: top;
  }
  tbody tr:last-child > * {
    border-bottom: 0;
  }
  td:last-child,
  th:last-child {
    padding-inline-end: 0;
  }
  th.num {
    text-align: end;
  }
  details > summary {
    cursor: pointer;
    border-radius: 3px;
    width: fit-content;
  }
  @container (max-width: 40em) {
    table.cards thead {
      position: absolute;
      width: 1px;
      height: 1px;
      overflow: hidden;
      clip-path: inset(50%);
    }
    table.cards,
    table.cards tbody {
      display: block;
    }
    table.cards tr {
      display: grid;
      grid-template-columns: minmax(0, 1fr) auto;
      gap: 0.1em 0.8em;
      padding: 0.75em 0;
      border-bottom: 1px solid var(--line);
    }
    table.cards tr:last-child {
      border-bottom: 0;
    }
    table.cards td,
    table.cards tbody th {
      display: block;
      padding: 0;
      border: 0;
    }
    table.cards .wide {
      grid-column: 1 / -1;
    }
  }
`;
