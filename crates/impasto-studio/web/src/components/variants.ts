/** Nine variants as a grid. One click or Enter takes the settings of one. */

import { css, html, nothing, type TemplateResult } from "lit";

import "./progress";
import { controls } from "../styles/controls";
import { job, jobs } from "../state/jobs";
import { making, refreshVariants, takeVariant, variants, type Variant } from "../state/make";
import { StudioElement } from "../state/store";
import { urls } from "../api/client";
import type { JobView } from "../api/types";
import { isOver } from "../lib/states";
import { text } from "../text";
import { icons } from "./icons";

const POLL_MS = 1000;

class StudioVariants extends StudioElement {
  #timer = 0;

  protected override stores() {
    return [jobs, making, variants];
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.#timer = window.setInterval(() => this.#poll(), POLL_MS);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    clearInterval(this.#timer);
  }

  #poll(): void {
    const { cells } = variants.value;
    const views = cells.map((cell) => (cell.id === null ? null : job(cell.id)));
    if (views.every((view) => view && isOver(view.state))) return;
    refreshVariants().catch(() => {
      // The line at the top says that there is no answer. The next poll asks again.
    });
  }

  protected override render(): TemplateResult {
    const { cells } = variants.value;
    const { error } = making.value;
    return html`
      ${
        error
          ? html`<p class="error" role="alert">${icons.warning}<span>${error}</span></p>`
          : nothing
      }
      <ul @keydown=${this.#arrows}>
        ${cells.map((cell) => this.#cell(cell))}
      </ul>
    `;
  }

  #cell(cell: Variant): TemplateResult {
    const view = cell.id === null ? null : job(cell.id);
    const name = text.variants.cell(cell.strength, cell.scale);
    return html`<li>
      <button @click=${() => void takeVariant(cell)}>
        <span class="picture">${view ? this.#picture(view) : nothing}</span>
        <span class="small number">${name}</span>
        ${
          view && !isOver(view.state)
            ? html`<progress
                max=${view.progress?.steps ?? 1}
                value=${view.progress?.step ?? 0}
                aria-hidden="true"
              ></progress>`
            : nothing
        }
      </button>
    </li>`;
  }

  #picture(view: JobView): TemplateResult {
    if (view.error) return html`<span class="error small">${icons.warning}${view.error}</span>`;
    const version = `${view.state}-${view.picture ?? 0}`;
    return html`<img src=${urls.job(view.id, 384, version)} alt="" />`;
  }

  /** Arrows move between the cells. Tab does too. */
  #arrows = (event: KeyboardEvent): void => {
    const steps: Record<string, number> = {
      ArrowLeft: -1,
      ArrowRight: 1,
      ArrowUp: -3,
      ArrowDown: 3,
    };
    const step = steps[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const buttons = [...this.renderRoot.querySelectorAll("button")];
    const at = buttons.findIndex((button) => button === this.shadowRoot?.activeElement);
    buttons[at + step]?.focus();
  };

  static override styles = [
    controls,
    css`
      :host {
        height: 100%;
        padding: 12px;
        overflow: auto;
      }

      ul {
        display: grid;
        grid-template: repeat(3, minmax(0, 1fr)) / repeat(3, minmax(0, 1fr));
        gap: 8px;
        height: 100%;
        min-height: 260px;
      }

      li {
        min-height: 0;
        min-width: 0;
      }

      button {
        display: flex;
        flex-direction: column;
        gap: 4px;
        width: 100%;
        height: 100%;
        padding: 4px;
        border: 1px solid var(--line);
        border-radius: var(--radius);
        background: transparent;
        cursor: pointer;
      }

      button:hover {
        border-color: var(--accent);
      }

      .picture {
        flex: 1;
        min-height: 0;
        display: grid;
        place-items: center;
      }

      img {
        width: 100%;
        height: 100%;
        object-fit: contain;
        min-height: 0;
      }

      progress {
        appearance: none;
        width: 100%;
        height: 3px;
        border: 0;
        background: var(--hover);
        color: var(--accent);
      }

      progress::-webkit-progress-bar {
        background: var(--hover);
      }

      progress::-webkit-progress-value {
        background: var(--accent);
      }

      progress::-moz-progress-bar {
        background: var(--accent);
      }
    `,
  ];
}

customElements.define("studio-variants", StudioVariants);
