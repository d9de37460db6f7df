/** Buttons, fields and dialogs. */
import { css } from "../element.js";

export const controls = css`
  button,
  input,
  select {
    font: inherit;
    color: inherit;
  }
  .button {
    display: inline-flex;
    align-items: center;
    justify-content: center;
    gap: 0.45em;
    min-height: 2.4em;
    padding: 0.3em 0.95em;
    border: 1px solid var(--control);
    border-radius: var(--radius-small);
    background: var(--surface);
    color: var(--text);
    font-weight: 550;
    line-height: 1.3;
    cursor: pointer;
    text-align: start;
    text-decoration: none;
  }
  .button:hover {
    background: var(--subtle);
  }
  .button.primary {
    background: var(--accent);
    border-color: var(--accent);
    color: var(--on-accent);
  }
  .button.primary:hover {
    background: color-mix(in oklab, var(--accent) 88%, var(--text));
  }
  .button.danger {
    border-color: var(--bad);
    color: var(--bad);
  }
  .button.danger:hover {
    background: var(--bad-bg);
  }
  .button.quiet {
    border-color: transparent;
    background: none;
    color: var(--accent);
    padding-inline: 0.5em;
  }
  .button.quiet:hover {
    background: var(--subtle);
  }
  .button.small {
    min-height: 2.1em;
    padding: 0.15em 0.7em;
  }
  .button.quiet.small {
    padding-inline: 0.4em;
  }
  .button.subdued {
    color: var(--muted);
    font-weight: 450;
  }
  .actions > .button.quiet:first-child {
    margin-inline-start: -0.4em;
  }
  .actions > .push:last-child > .button.quiet,
  .records > li > .actions > .button.quiet:last-child {
    margin-inline-end: -0.4em;
  }
  .button[aria-disabled="true"] {
    opacity: 0.65;
    cursor: progress;
  }
  .actions {
    display: flex;
    flex-wrap: wrap;
    gap: 0.6em;
    align-items: center;
  }
  .actions.end {
    justify-content: flex-end;
  }
  .actions .push {
    margin-inline-start: auto;
  }
  .answers {
    margin-top: 0.5em;
  }
  .bar {
    border-top: 1px solid var(--line);
    margin-top: 1.2em;
    padding-top: 1em;
  }
  dialog {
    width: min(34em, calc(100vw - 2em));
    max-height: calc(100vh - 3em);
    padding: 1.4em;
    border: 1px solid var(--line);
    border-radius: var(--radius);
    background: var(--surface);
    color: var(--text);
    box-shadow: 0 1em 3em rgb(0 0 0 / 28%);
    overflow: auto;
    container-type: inline-size;
  }
  dialog.wide {
    width: min(46em, calc(100vw - 2em));
  }
  dialog::backdrop {
    background: rgb(10 16 26 / 50%);
  }
  .dialog-body {
    margin: 0.7em 0 1.3em;
  }
  .field {
    display: grid;
    gap: 0.25em;
  }
  label,
  .label {
    font-weight: 550;
  }
  .hint {
    color: var(--muted);
    font-size: 0.92em;
  }
  .control {
    width: 100%;
    min-height: 2.4em;
    padding: 0.3em 0.65em;
    border: 1px solid var(--control);
    border-radius: var(--radius-small);
    background: var(--surface);
    color: var(--text);
  }
  select.control {
    appearance: none;
    padding-inline-end: 2em;
    background:
      linear-gradient(45deg, transparent 50%, var(--muted) 50%) calc(100% - 1.1em) 52% / 0.36em 0.36em no-repeat,
      linear-gradient(-45deg, transparent 50%, var(--muted) 50%) calc(100% - 0.79em) 52% / 0.36em 0.36em no-repeat,
      var(--surface);
    text-overflow: ellipsis;
  }
  option,
  optgroup {
    background: var(--surface);
    color: var(--text);
  }
  .control[aria-invalid="true"] {
    border-color: var(--bad);
    box-shadow: 0 0 0 1px var(--bad);
  }
  .hint:empty,
  .error:empty {
    display: none;
  }
  .error {
    color: var(--bad);
    font-weight: 550;
    font-size: 0.93em;
  }
  progress {
    width: 100%;
    height: 0.55em;
    border: 0;
    border-radius: 1em;
    overflow: hidden;
    background: var(--subtle);
    accent-color: var(--accent);
  }
  progress::-webkit-progress-bar {
    background: var(--line);
  }
  progress::-webkit-progress-value {
    background: var(--accent);
    border-radius: 1em;
  }
  progress::-moz-progress-bar {
    background: var(--accent);
  }
  .options {
    display: grid;
    gap: 0.2em;
  }
  .option {
    display: flex;
    gap: 0.65em;
    align-items: baseline;
    padding: 0.3em 0;
    font-weight: 400;
    cursor: pointer;
  }
  .option input {
    accent-color: var(--accent);
    width: 1.05em;
    height: 1.05em;
    margin: 0;
    flex: none;
    translate: 0 0.12em;
  }
`;
