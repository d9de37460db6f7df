/** The look of the search for a contact. */
import { css } from "../../ui/element.js";

export const contactSearchStyles = css`
  .results {
    min-height: 12em;
    max-height: 22em;
    overflow-y: auto;
    scrollbar-gutter: stable;
  }
  .results > li {
    display: flex;
    gap: 0.4em 1em;
    align-items: center;
    justify-content: space-between;
    padding: 0.6em 0.2em;
    border-top: 1px solid var(--line);
  }
  .results > li > :last-child {
    flex: none;
    max-width: 45%;
  }
  @container (max-width: 24em) {
    .results > li {
      flex-wrap: wrap;
    }
    .results > li > :last-child {
      max-width: none;
    }
  }
`;
