/** The look of the connection. */
import { css } from "../../ui/element.js";

export const connectionStyles = css`
  .points {
    display: grid;
    gap: 0.35em;
  }
  .points b {
    font-weight: 600;
  }
  .points li {
    padding-inline-start: 1.1em;
    position: relative;
  }
  .points li::before {
    content: "";
    position: absolute;
    inset-inline-start: 0;
    top: 0.62em;
    width: 0.35em;
    height: 0.35em;
    border-radius: 50%;
    background: var(--accent);
  }
`;
