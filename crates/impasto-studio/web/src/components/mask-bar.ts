/** The brush of a mask and what can be done with the whole mask. */

import { css, html, nothing, type TemplateResult } from "lit";

import { controls } from "../styles/controls";
import { form, type MaskKind } from "../state/form";
import { intake } from "../state/intake";
import { changeMask, maskOf, masks, setBrushSize } from "../state/masks";
import { StudioElement } from "../state/store";
import { toggleTool, view } from "../state/view";
import { text } from "../text";
import { icons } from "./icons";
import { pickFiles } from "./pick";

class StudioMaskBar extends StudioElement {
  protected override stores() {
    return [form, intake, masks, view];
  }

  protected override render(): TemplateResult | typeof nothing {
    const { tool } = view.value;
    if (!tool) return nothing;
    const mask = maskOf(tool);
    const { size, softness, erases, error } = masks.value;
    const refusal = intake.value.error?.role === "mask" ? intake.value.error.words : error;
    return html`<section aria-label=${text.masks.heading[tool]}>
      <p class="hint">
        <strong>${text.masks.heading[tool]}</strong>
        <span class="muted">${text.masks.hint[tool]}</span>
      </p>
      <div class="tools">
        <div class="pair" role="group" aria-label=${text.masks.heading[tool]}>
          ${this.#mode(false, erases, text.masks.paint, icons.brush)}
          ${this.#mode(true, erases, text.masks.erase, icons.eraser)}
        </div>
        ${this.#slider(text.masks.size, size, 60, (value) => setBrushSize(value))}
        ${this.#slider(text.masks.softness, softness, 100, (value) => masks.set({ softness: value }))}
        <div class="row buttons">
          ${this.#action(tool, text.masks.undo, icons.undo, !mask?.canUndo, (m) => m.undo())}
          ${this.#action(tool, text.masks.redo, icons.redo, !mask?.canRedo, (m) => m.redo())}
          ${this.#action(tool, text.masks.invert, icons.invert, false, (m) => m.invert())}
          ${this.#action(tool, text.masks.clear, icons.trash, false, (m) => m.clear())}
          <button
            class="button plain icon"
            aria-label=${text.masks.pick}
            title=${text.masks.pick}
            @click=${() => pickFiles("mask", false)}
          >
            ${icons.upload}
          </button>
        </div>
        <button class="button done" @click=${() => toggleTool(tool)}>
          ${icons.check}${text.masks.done}
        </button>
      </div>
      ${
        refusal
          ? html`<p class="error" role="alert">${icons.warning}<span>${refusal}</span></p>`
          : nothing
      }
    </section>`;
  }

  #mode(isEraser: boolean, erases: boolean, label: string, icon: TemplateResult): TemplateResult {
    return html`<button
      class="button plain"
      aria-pressed=${erases === isEraser}
      @click=${() => masks.set({ erases: isEraser })}
    >
      ${icon}${label}
    </button>`;
  }

  #slider(label: string, value: number, max: number, set: (value: number) => void): TemplateResult {
    return html`<label class="slider">
      <span class="small">${label}</span>
      <input
        type="range"
        min=${max === 100 ? 0 : 1}
        max=${max}
        .value=${String(value)}
        @input=${(event: Event) => set(Number((event.target as HTMLInputElement).value))}
      />
    </label>`;
  }

  #action(
    kind: MaskKind,
    label: string,
    icon: TemplateResult,
    isOff: boolean,
    change: Parameters<typeof changeMask>[1],
  ): TemplateResult {
    return html`<button
      class="button plain icon"
      aria-label=${label}
      title=${label}
      ?disabled=${isOff}
      @click=${() => changeMask(kind, change)}
    >
      ${icon}
    </button>`;
  }

  static override styles = [
    controls,
    css`
      section {
        padding: 8px 12px;
        border-bottom: 1px solid var(--line);
        background: var(--panel);
      }

      .hint {
        margin-bottom: 4px;
      }

      .tools {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        gap: 4px 16px;
      }

      .pair {
        display: flex;
        gap: 4px;
      }

      .slider {
        display: flex;
        align-items: center;
        gap: 8px;
      }

      .slider input {
        width: 96px;
      }

      .buttons {
        gap: 0;
      }

      .done {
        margin-left: auto;
      }

      @media (max-width: 600px) {
        .tools {
          gap: 4px 12px;
        }

        .pair .button {
          padding-inline: 8px;
        }

        .slider {
          order: 1;
          flex: 1 1 120px;
        }

        .slider input {
          min-width: 0;
          width: 100%;
        }

        .buttons {
          order: 2;
          flex: 1 1 100%;
          justify-content: space-between;
        }
      }
    `,
  ];
}

customElements.define("studio-mask-bar", StudioMaskBar);
