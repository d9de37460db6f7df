/** The look of the account mapping. */
import { css } from "../../ui/element.js";

export const accountsStyles = css`
  .mapping {
    display: grid;
    grid-template-columns: repeat(2, minmax(0, 1fr));
    gap: 1.1em 1.6em;
  }
  .mapping .field {
    align-content: start;
  }
  .control.fixed {
    border-color: var(--line);
    background: var(--subtle);
  }
  .section {
    border-top: 1px solid var(--line);
    padding-top: 1.15em;
  }
  .taxes > li {
    display: grid;
    grid-template-columns: 6em minmax(0, 26em);
    gap: 0.3em 1em;
    align-items: baseline;
    padding: 0.35em 0;
  }
  .taxes > li > div {
    display: grid;
    gap: 0.25em;
  }
  @container (max-width: 40em) {
    .mapping {
      grid-template-columns: minmax(0, 1fr);
    }
    .taxes > li {
      grid-template-columns: minmax(0, 1fr);
    }
  }
`;
