/** The look of the list of records that need attention. */
import { css } from "../../ui/element.js";

export const attentionStyles = css`
  .groups > li {
    border: 1px solid var(--line);
    border-radius: var(--radius-small);
  }
  .groups > li + li {
    margin-top: 0.6em;
  }
  .groups summary {
    display: flex;
    flex-wrap: wrap;
    gap: 0.3em 1em;
    align-items: center;
    justify-content: space-between;
    width: auto;
    padding: 0.75em 1em;
    list-style: none;
    border-radius: calc(var(--radius) * 0.7);
  }
  .groups summary::-webkit-details-marker {
    display: none;
  }
  .groups summary:hover {
    background: var(--subtle);
  }
  .groups details[open] > summary {
    border-end-start-radius: 0;
    border-end-end-radius: 0;
  }
  .cause {
    flex: 1 1 18em;
    min-width: 0;
    display: grid;
    grid-template-columns: 1.2em minmax(0, 1fr);
    column-gap: 0.3em;
  }
  .cause::before {
    content: "";
    grid-row: span 2;
    width: 0.42em;
    height: 0.42em;
    margin: 0.5em 0 0 0.1em;
    border: solid var(--muted);
    border-width: 0 1.5px 1.5px 0;
    rotate: -45deg;
    transition: rotate 0.12s;
  }
  details[open] > summary .cause::before {
    rotate: 45deg;
  }
  .group-body {
    padding: 0.2em 1em 1em 2.5em;
  }
  .records > li {
    display: flex;
    flex-wrap: wrap;
    gap: 0.4em 1em;
    align-items: center;
    justify-content: space-between;
    padding: 0.65em 0;
    border-top: 1px solid var(--line);
  }
  .records > li:last-child {
    padding-bottom: 0;
  }
  .records .what {
    flex: 1 1 16em;
    min-width: 0;
    display: flex;
    flex-wrap: wrap;
    gap: 0 0.8em;
  }
  .records .what > .small,
  .records .what > [role="alert"],
  .records .what > .cause-own {
    flex-basis: 100%;
  }
  .records .answers {
    flex-basis: 100%;
  }
  .records .name {
    font-weight: 550;
  }
  @container (max-width: 40em) {
    .group-body {
      padding-inline: 1em;
    }
  }
`;
