/** The strength dial, from photo to painting. */

import { css, html, nothing, type TemplateResult } from "lit";

import "./crop-view";
import { controls } from "../styles/controls";
import { adjustable, adjusting, isAdjusting, setStrength } from "../state/adjust";
import { form, setOption, strengthOf } from "../state/form";
import { jobs } from "../state/jobs";
import { planned } from "../state/plan";
import { preview } from "../state/preview";
import { StudioElement } from "../state/store";
import { text } from "../text";
import { icons } from "./icons";

const TICKS = [0, 25, 50, 75, 100];

class StudioDial extends StudioElement {
  protected override stores() {
    return [form, jobs, adjusting, planned, preview];
  }

  protected override render(): TemplateResult {
    const { photo, styles, options } = form.value;
    const strength = strengthOf(options);
    const weight = options["content-weight"];
    const style = styles[0];
    return html`<div class="dial">
      <div class="row between top">
        <h2><label for="number">${text.dial.heading}</label></h2>
        <input
          id="number"
          class="big"
          type="number"
          min="0"
          max="100"
          step="1"
          inputmode="numeric"
          aria-label=${text.dial.number}
          .value=${String(strength)}
          ?disabled=${weight != null}
          @change=${this.#typed}
          @keydown=${this.#pageKeys}
        />
      </div>
      <div class="track">
        <span class="end">
          ${photo ? html`<crop-view .file=${photo} .crop=${null} alt=""></crop-view>` : nothing}
        </span>
        <div class="slide">
          <input
            type="range"
            min="0"
            max="100"
            step="1"
            aria-label=${text.dial.heading}
            aria-valuetext=${text.dial.value(strength)}
            .value=${String(strength)}
            ?disabled=${weight != null}
            @input=${this.#moved}
            @keydown=${this.#pageKeys}
          />
          <div class="ticks" aria-hidden="true">${TICKS.map(() => html`<i></i>`)}</div>
        </div>
        <span class="end">
          ${
            style
              ? html`<crop-view .file=${style.file} .crop=${style.crop} alt=""></crop-view>`
              : nothing
          }
        </span>
      </div>
      <div class="row between small muted" aria-hidden="true">
        <span>${text.dial.photo}</span><span>${text.dial.painting}</span>
      </div>
      ${weight == null ? this.#running() : this.#overruled(weight)} ${this.#problem()}
    </div>`;
  }

  #running(): TemplateResult | typeof nothing {
    const view = adjustable();
    if (!view) return nothing;
    return html`<div class="row between">
      <label class="check small">
        <input
          type="checkbox"
          .checked=${adjusting.value.wanted}
          @change=${(event: Event) =>
            adjusting.set({ wanted: (event.target as HTMLInputElement).checked })}
        />
        ${text.dial.adjusts}
      </label>
      ${isAdjusting(view) ? html`<span class="small busy">${text.dial.adjusting}</span>` : nothing}
    </div>`;
  }

  #overruled(weight: number): TemplateResult {
    return html`<p class="small">${text.dial.byWeight(weight)}</p>
      <button class="button" @click=${() => setOption("content-weight", undefined)}>
        ${text.dial.clearWeight}
      </button>`;
  }

  #problem(): TemplateResult | typeof nothing {
    const { field, error } = planned.value;
    if (field !== "options.strength") return nothing;
    return html`<p class="error">${icons.warning}<span>${error}</span></p>`;
  }

  #moved = (event: Event): void => {
    setStrength(Number((event.target as HTMLInputElement).value));
  };

  #typed = (event: Event): void => {
    const input = event.target as HTMLInputElement;
    const value = Number(input.value);
    const isGood = input.value.trim() !== "" && Number.isFinite(value);
    const strength = isGood ? Math.min(Math.max(value, 0), 100) : strengthOf(form.value.options);
    input.value = String(strength);
    setStrength(strength);
  };

  /** Page keys move by 10. Browsers do not agree on it. */
  #pageKeys = (event: KeyboardEvent): void => {
    const step = event.key === "PageUp" ? 10 : event.key === "PageDown" ? -10 : 0;
    if (step === 0) return;
    event.preventDefault();
    setStrength(Math.min(Math.max(strengthOf(form.value.options) + step, 0), 100));
  };

  static override styles = [
    controls,
    css`
      .dial {
        padding: 8px 16px 16px;
      }

      .top {
        min-height: 64px;
      }

      h2 {
        font-size: 1rem;
      }

      .big {
        width: 104px;
        height: 56px;
        padding: 0 4px;
        border: 1px solid transparent;
        border-radius: var(--radius);
        background: transparent;
        font-size: 2.5rem;
        line-height: 56px;
        font-weight: 300;
        font-variant-numeric: tabular-nums;
        text-align: right;
      }

      .big:hover,
      .big:focus {
        border-color: var(--edge);
        background: var(--field);
      }

      .track {
        display: flex;
        align-items: center;
        gap: 8px;
        margin: 4px 0;
      }

      .end {
        flex: none;
        width: 52px;
        height: 52px;
        border: 1px solid var(--line);
        border-radius: var(--radius);
        background: var(--stage);
        overflow: hidden;
      }

      .slide {
        position: relative;
        flex: 1;
        min-width: 0;
      }

      .slide input {
        position: relative;
        z-index: 1;
        display: block;
        height: 52px;
        margin: 0;
      }

      .slide input::-webkit-slider-runnable-track {
        height: 6px;
        border-radius: 3px;
      }

      .slide input::-moz-range-track {
        height: 6px;
        border-radius: 3px;
      }

      .slide input::-webkit-slider-thumb {
        width: 28px;
        height: 28px;
        margin-top: -11px;
        border-width: 3px;
      }

      .slide input::-moz-range-thumb {
        width: 22px;
        height: 22px;
        border-width: 3px;
      }

      /* Ticks stand where the middle of the thumb comes to. */
      .ticks {
        position: absolute;
        inset: auto 13px 0;
        display: flex;
        justify-content: space-between;
      }

      .ticks i {
        width: 1px;
        height: 8px;
        background: var(--edge);
      }

      .busy {
        color: var(--accent);
      }

      .error {
        margin-top: 8px;
      }
    `,
  ];
}

customElements.define("studio-dial", StudioDial);
