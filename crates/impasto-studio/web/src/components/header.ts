/** The line at the top: the name of the program, and the ways to its panels. */

import { css, html, type TemplateResult } from "lit";

import { controls } from "../styles/controls";
import { nextTheme, theme } from "../state/theme";
import { openDialog, type Dialog } from "../state/view";
import { StudioElement } from "../state/store";
import { text } from "../text";
import { icons } from "./icons";

const THEME_ICONS = { system: icons.auto, light: icons.sun, dark: icons.moon };

class StudioHeader extends StudioElement {
  static override properties = { narrow: { type: Boolean } };

  declare narrow: boolean;

  protected override stores() {
    return [theme];
  }

  protected override render(): TemplateResult {
    const { choice } = theme.value;
    return html`<header>
      <h1>${text.program}</h1>
      <nav>
        ${this.#entry({ kind: "history" }, text.header.history, icons.clock)}
        ${this.#entry({ kind: "devices" }, text.header.devices, icons.device)}
        ${this.#entry({ kind: "help" }, text.header.help, icons.help)}
        <button
          class="button plain icon"
          aria-label=${text.header.theme[choice]}
          title=${text.header.theme[choice]}
          @click=${nextTheme}
        >
          ${THEME_ICONS[choice]}
        </button>
      </nav>
    </header>`;
  }

  #entry(dialog: Dialog, label: string, icon: TemplateResult): TemplateResult {
    return html`<button
      class="button plain ${this.narrow ? "icon" : ""}"
      aria-haspopup="dialog"
      title=${label}
      @click=${() => openDialog(dialog)}
    >
      ${icon}<span class=${this.narrow ? "hidden" : ""}>${label}</span>
    </button>`;
  }

  static override styles = [
    controls,
    css`
      header {
        display: flex;
        align-items: center;
        justify-content: space-between;
        min-height: 52px;
        padding: 4px 8px 4px 16px;
        border-bottom: 1px solid var(--line);
        background: var(--panel);
      }

      h1 {
        font-size: 1.125rem;
        line-height: 24px;
        font-weight: 600;
        letter-spacing: 0.01em;
      }

      nav {
        display: flex;
        gap: 4px;
      }

      nav .button {
        position: relative;
      }
    `,
  ];
}

customElements.define("studio-header", StudioHeader);
