/** The look of the comparison of the books. */
import { css } from "../../ui/element.js";

export const booksStyles = css`
  table {
    max-width: 34em;
  }
  tbody > tr > * {
    font-size: 1em;
    vertical-align: baseline;
  }
  td.num {
    white-space: normal;
  }
  .differences > li {
    padding: 0.65em 0;
    border-top: 1px solid var(--line);
  }
  .differences > li:last-child {
    padding-bottom: 0;
  }
  .name {
    font-weight: 550;
  }
  @container (max-width: 24em) {
    table {
      font-size: 0.9em;
    }
    th,
    td {
      padding-inline-end: 0.4em;
      white-space: normal;
    }
  }
  .reasons > li {
    display: grid;
    grid-template-columns: minmax(5.5em, max-content) minmax(0, 1fr);
    gap: 1em;
  }
`;
