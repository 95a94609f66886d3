/** What all panels of the dialog share: they fill it, and scroll inside. */

import { css } from "lit";

import { controls, dialogs } from "../styles/controls";

export const panel = [
  controls,
  dialogs,
  css`
    :host {
      display: flex;
      flex-direction: column;
      min-height: 0;
    }
  `,
];
