/**
 * Short messages at the bottom, with an undo where one is offered. An open dialog has a list of its
 * own, because all outside it cannot be reached.
 */

import { css, html, nothing, type TemplateResult } from "lit";
import { repeat } from "lit/directives/repeat.js";

import { controls } from "../styles/controls";
import { dismiss, toasts, type Toast } from "../state/notices";
import { StudioElement } from "../state/store";
import { text } from "../text";
import { icons } from "./icons";

class StudioToasts extends StudioElement {
  protected override stores() {
    return [toasts];
  }

  protected override render(): TemplateResult {
    return html`<div class="list" role="status">
      ${repeat(
        toasts.value.list,
        ({ id }) => id,
        (toast) => this.#toast(toast),
      )}
    </div>`;
  }

  #toast({ id, message, isError, undo }: Toast): TemplateResult {
    return html`<div class="toast ${isError ? "bad" : ""}">
      <span class="grow">${message}</span>
      ${
        undo
          ? html`<button
              class="button"
              @click=${() => {
                dismiss(id);
                undo();
              }}
            >
              ${icons.undo}${text.undo}
            </button>`
          : nothing
      }
      <button
        class="button plain icon"
        aria-label=${text.dismiss}
        title=${text.dismiss}
        @click=${() => dismiss(id)}
      >
        ${icons.close}
      </button>
    </div>`;
  }

  static override styles = [
    controls,
    css`
      .list {
        position: fixed;
        inset: auto 0 112px;
        z-index: 4;
        display: grid;
        gap: 8px;
        width: min(520px, calc(100vw - 32px));
        margin: 0 auto;
      }

      .toast {
        display: flex;
        align-items: center;
        gap: 8px;
        padding: 8px 8px 8px 16px;
        border: 1px solid var(--edge);
        border-radius: var(--radius);
        background: var(--raised);
        overflow-wrap: anywhere;
      }

      .bad {
        border-color: var(--error);
      }
    `,
  ];
}

customElements.define("studio-toasts", StudioToasts);
