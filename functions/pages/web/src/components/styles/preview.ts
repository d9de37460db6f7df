/** The look of the preview of a document. */
import { css } from "../../ui/element.js";

export const previewStyles = css`
  .narrow {
    display: none;
  }
  @container (max-width: 40em) {
    .narrow {
      display: inline;
    }
    table.cards .not-narrow {
      display: none;
    }
  }
`;
