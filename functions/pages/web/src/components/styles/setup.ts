/** The look of the task list. */
import { css } from "../../ui/element.js";

export const setupStyles = css`
  .tasks {
    counter-reset: task;
  }
  .tasks > li {
    counter-increment: task;
    display: grid;
    grid-template-columns: 2.2em minmax(0, 1fr) auto;
    gap: 0.2em 0.8em;
    align-items: center;
    padding: 0.8em 0;
    border-top: 1px solid var(--line);
  }
  .tasks > li::before {
    content: counter(task);
    display: grid;
    place-items: center;
    width: 1.9em;
    height: 1.9em;
    border-radius: 50%;
    background: var(--subtle);
    color: var(--muted);
    font-weight: 600;
    font-size: 0.92em;
    font-variant-numeric: tabular-nums;
  }
  .task-side {
    display: flex;
    flex-wrap: wrap;
    gap: 0.5em 0.9em;
    align-items: center;
    justify-content: flex-end;
  }
  .task-side .badge {
    min-width: 7em;
  }
  @container (max-width: 40em) {
    .tasks > li {
      grid-template-columns: 2.2em minmax(0, 1fr);
    }
    .task-side {
      grid-column: 2;
      justify-content: flex-start;
    }
    .task-side .badge {
      order: -1;
      min-width: 0;
    }
  }
`;
