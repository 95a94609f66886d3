/** Styles that every component shares: text, buttons, fields, focus. */

import { css } from "lit";

export const controls = css`
  :host {
    display: block;
    color: var(--text);
    font: var(--body) / 20px var(--font);
  }

  :host([hidden]) {
    display: none;
  }

  *,
  *::before,
  *::after {
    box-sizing: border-box;
  }

  h1,
  h2,
  h3,
  p,
  ul,
  ol,
  dl,
  dd,
  figure,
  fieldset {
    margin: 0;
    padding: 0;
    border: 0;
    min-width: 0;
  }

  h2,
  h3,
  legend {
    font-size: var(--body);
    line-height: 20px;
    font-weight: 600;
    padding: 0;
  }

  ul {
    list-style: none;
  }

  img {
    display: block;
  }

  svg {
    display: block;
    flex: none;
  }

  button,
  input,
  select,
  textarea {
    font: inherit;
    color: inherit;
    margin: 0;
  }

  a {
    color: var(--accent);
    text-underline-offset: 2px;
  }

  :focus-visible {
    outline: 2px solid var(--accent);
    outline-offset: 2px;
  }

  .button {
    display: inline-flex;
    align-items: center;
    justify-content: center;
    gap: 8px;
    min-height: var(--target);
    min-width: var(--target);
    padding: 4px 12px;
    border: 1px solid var(--line);
    border-radius: var(--radius);
    background: var(--raised);
    color: var(--text);
    text-decoration: none;
    text-align: center;
    cursor: pointer;
    touch-action: manipulation;
  }

  .button:hover:not(:disabled) {
    background: var(--hover);
  }

  .button.plain {
    border-color: transparent;
    background: transparent;
  }

  .button.plain:hover:not(:disabled) {
    background: var(--hover);
  }

  .button.icon {
    padding: 0;
  }

  .button.primary {
    border-color: var(--accent);
    background: var(--accent);
    color: var(--on-accent);
    font-weight: 600;
  }

  .button.primary:hover:not(:disabled) {
    background: var(--accent);
    text-decoration: underline;
    text-underline-offset: 4px;
  }

  .button[aria-pressed="true"],
  .button[aria-expanded="true"] {
    border-color: var(--accent);
    color: var(--accent);
  }

  .button:disabled {
    border: 1px dashed var(--edge);
    background: transparent;
    color: var(--muted);
    cursor: not-allowed;
  }

  .button.plain:disabled {
    border-color: transparent;
    opacity: 0.6;
  }

  .field {
    width: 100%;
    min-height: var(--target);
    padding: 4px 8px;
    border: 1px solid var(--edge);
    border-radius: var(--radius);
    background: var(--field);
    color: var(--text);
  }

  select.field {
    appearance: none;
    padding-right: 28px;
    /* Two triangles in the colour of the text make the arrow. */
    background-image:
      linear-gradient(45deg, transparent 50%, currentColor 50%),
      linear-gradient(135deg, currentColor 50%, transparent 50%);
    background-position:
      right 14px center,
      right 9px center;
    background-repeat: no-repeat;
    background-size: 5px 5px;
    text-overflow: ellipsis;
    cursor: pointer;
  }

  select.field option {
    background: var(--field);
    color: var(--text);
  }

  .field::placeholder {
    color: var(--muted);
    opacity: 1;
  }

  .field[aria-invalid="true"] {
    border-color: var(--error);
  }

  input[type="number"] {
    appearance: textfield;
  }

  input[type="number"]::-webkit-inner-spin-button,
  input[type="number"]::-webkit-outer-spin-button {
    appearance: none;
    margin: 0;
  }

  input[type="checkbox"] {
    width: 18px;
    height: 18px;
    flex: none;
    accent-color: var(--accent);
  }

  label.check {
    display: flex;
    align-items: center;
    gap: 8px;
    min-height: var(--target);
    cursor: pointer;
  }

  input[type="range"] {
    appearance: none;
    width: 100%;
    height: var(--target);
    background: transparent;
    cursor: pointer;
  }

  input[type="range"]::-webkit-slider-runnable-track {
    height: 4px;
    border-radius: 2px;
    background: var(--edge);
  }

  input[type="range"]::-moz-range-track {
    height: 4px;
    border-radius: 2px;
    background: var(--edge);
  }

  input[type="range"]::-webkit-slider-thumb {
    appearance: none;
    width: 16px;
    height: 16px;
    margin-top: -6px;
    border: 2px solid var(--panel);
    border-radius: 50%;
    background: var(--accent);
  }

  input[type="range"]::-moz-range-thumb {
    width: 12px;
    height: 12px;
    border: 2px solid var(--panel);
    border-radius: 50%;
    background: var(--accent);
  }

  .muted {
    color: var(--muted);
  }

  .small {
    font-size: var(--small);
    line-height: 16px;
  }

  .error {
    display: flex;
    gap: 8px;
    color: var(--error);
    overflow-wrap: anywhere;
  }

  .row {
    display: flex;
    align-items: center;
    gap: 8px;
  }

  .between {
    justify-content: space-between;
  }

  .grow {
    flex: 1;
    min-width: 0;
  }

  .number {
    font-variant-numeric: tabular-nums;
  }

  .hidden {
    position: absolute;
    width: 1px;
    height: 1px;
    margin: -1px;
    overflow: hidden;
    clip-path: inset(50%);
    white-space: nowrap;
  }

  @media (prefers-reduced-motion: no-preference) {
    .button,
    .field {
      transition: background-color 80ms linear;
    }
  }
`;

export const dialogs = css`
  dialog {
    width: min(560px, calc(100vw - 32px));
    max-height: calc(100dvh - 32px);
    padding: 0;
    border: 1px solid var(--edge);
    border-radius: 8px;
    background: var(--panel);
    color: var(--text);
    overflow: hidden;
  }

  dialog[open] {
    display: flex;
    flex-direction: column;
  }

  dialog.wide {
    width: min(1120px, calc(100vw - 32px));
  }

  dialog::backdrop {
    background: rgb(0 0 0 / 55%);
  }

  .dialog-head {
    display: flex;
    align-items: center;
    justify-content: space-between;
    gap: 16px;
    padding: 8px 8px 8px 20px;
    border-bottom: 1px solid var(--line);
  }

  .dialog-head h2 {
    font-size: 1rem;
    overflow-wrap: anywhere;
  }

  .dialog-body {
    padding: 20px;
    overflow: auto;
    overscroll-behavior: contain;
  }

  .dialog-foot {
    display: flex;
    flex-wrap: wrap;
    justify-content: flex-end;
    gap: 8px;
    padding: 12px 20px;
    border-top: 1px solid var(--line);
  }

  @media (max-width: 959px) {
    dialog,
    dialog.wide {
      width: calc(100vw - 16px);
      max-width: none;
      max-height: calc(100dvh - 16px);
    }

    .dialog-body {
      padding: 16px;
    }
  }
`;
