/** The options that matter most, and the way to all others. */

import { css, html, nothing, type TemplateResult } from "lit";

import "./more";
import { controls } from "../styles/controls";
import { form, setOption } from "../state/form";
import { planned } from "../state/plan";
import { StudioElement } from "../state/store";
import type { ColorMode, JobOptions, Preset } from "../job-types";
import { text } from "../text";
import { icons } from "./icons";

const PRESETS: Preset[] = ["draft", "standard", "fine"];
const COLORS: ColorMode[] = ["style", "content", "luminance", "matched"];
const SIZES = [256, 512, 768, 1024, 2048];
const FINE_SIZE = 1024;
const USUAL_SIZE = 512;
/** Style scales from 1/4 to 4 lie evenly on a slider of powers of two. */
const SCALE_RANGE = 2;

class StudioOptions extends StudioElement {
  protected override stores() {
    return [form, planned];
  }

  protected override render(): TemplateResult {
    const { options } = form.value;
    return html`<div class="options">
      ${this.#preset(options.preset ?? "standard")} ${this.#size(options)}
      ${this.#colors(options.colors ?? "style")} ${this.#styleScale(options["style-scale"] ?? 1)}
      ${this.#brush(options.brush ?? 50)}
      <studio-more></studio-more>
    </div>`;
  }

  #preset(chosen: Preset): TemplateResult {
    return html`<fieldset>
      <legend>${text.options.preset}</legend>
      <div class="segments">
        ${PRESETS.map(
          (preset) =>
            html`<label>
              <input
                type="radio"
                name="preset"
                .checked=${preset === chosen}
                @change=${() => setOption("preset", preset === "standard" ? undefined : preset)}
              />
              <span>${text.options.presets[preset]}</span>
            </label>`,
        )}
      </div>
      <p class="small muted">${text.options.presetHelp[chosen]}</p>
      ${this.#problem("preset")}
    </fieldset>`;
  }

  #size({ size, preset, upscale }: JobOptions): TemplateResult {
    const usual = preset === "fine" ? FINE_SIZE : USUAL_SIZE;
    const { photo } = form.value;
    const own = photo ? Math.max(photo.width, photo.height) : 0;
    const wanted = size === "original" ? own : Number(size ?? usual);
    return html`<div class="group">
      <div class="row between">
        <label class="title" for="size">${text.options.size}</label>
        <span class="small muted">${text.options.sizeHint}</span>
      </div>
      <div class="row">
        <span class="unit">
          <input
            id="size"
            class="field number"
            type="number"
            min="16"
            step="1"
            inputmode="numeric"
            placeholder=${usual}
            aria-invalid=${planned.value.field === "options.size" ? "true" : "false"}
            .value=${size === "original" ? String(own) : size == null ? "" : String(size)}
            @change=${(event: Event) => this.#sizeTyped(event.target as HTMLInputElement)}
          />
          <span class="muted" aria-hidden="true">${text.units.px}</span>
        </span>
        <button
          class="button grow"
          aria-pressed=${size === "original"}
          @click=${() => setOption("size", "original")}
        >
          ${text.options.original}
        </button>
      </div>
      <div class="sizes" role="group" aria-label=${text.options.size}>
        ${SIZES.map(
          (choice) =>
            html`<button
              class="button number"
              aria-pressed=${choice === wanted && size !== "original"}
              @click=${() => setOption("size", choice === usual ? undefined : choice)}
            >
              ${choice}
            </button>`,
        )}
      </div>
      ${
        own > 0 && (wanted > own || upscale)
          ? html`<label class="check small">
              <input
                type="checkbox"
                .checked=${upscale ?? false}
                @change=${(event: Event) =>
                  setOption("upscale", (event.target as HTMLInputElement).checked || undefined)}
              />
              ${text.options.upscale(own)}
            </label>`
          : nothing
      }
      ${this.#problem("size")}
    </div>`;
  }

  #sizeTyped(input: HTMLInputElement): void {
    const value = Math.round(Number(input.value));
    setOption("size", input.value.trim() === "" || !(value >= 1) ? undefined : value);
  }

  #colors(chosen: ColorMode): TemplateResult {
    return html`<div class="group">
      <label class="title" for="colors">${text.options.colors}</label>
      <select
        id="colors"
        class="field"
        @change=${(event: Event) => {
          const value = COLORS[(event.target as HTMLSelectElement).selectedIndex];
          setOption("colors", value === "style" ? undefined : value);
        }}
      >
        ${COLORS.map(
          (mode) =>
            html`<option .selected=${mode === chosen}>${text.options.colorWords[mode]}</option>`,
        )}
      </select>
      ${this.#problem("colors")}
    </div>`;
  }

  #styleScale(scale: number): TemplateResult {
    const set = (value: number): void => {
      setOption("style-scale", value === 1 || !(value > 0) ? undefined : value);
    };
    return this.#slider({
      id: "style-scale",
      label: text.options.styleScale,
      value: scale,
      position: Math.log2(scale),
      range: [-SCALE_RANGE, SCALE_RANGE, 0.05],
      ends: [text.options.fine, text.options.broad],
      moved: (position) => set(Number((2 ** position).toFixed(2))),
      typed: set,
      step: "any",
    });
  }

  #brush(brush: number): TemplateResult {
    const set = (value: number): void => {
      setOption("brush", value === 50 ? undefined : Math.min(Math.max(value, 0), 100));
    };
    return this.#slider({
      id: "brush",
      label: text.options.brush,
      value: brush,
      position: brush,
      range: [0, 100, 1],
      ends: [text.options.fine, text.options.broad],
      moved: set,
      typed: set,
      step: "1",
    });
  }

  #slider(slider: {
    id: keyof JobOptions;
    label: string;
    value: number;
    position: number;
    range: [number, number, number];
    ends: [string, string];
    moved: (position: number) => void;
    typed: (value: number) => void;
    step: string;
  }): TemplateResult {
    const { id, label, value, position, range, ends, moved, typed, step } = slider;
    const valueOf = (event: Event): number => Number((event.target as HTMLInputElement).value);
    return html`<div class="group">
      <div class="row between">
        <label class="title" for=${id}>${label}</label>
        <input
          class="field number value"
          type="number"
          min=${id === "brush" ? 0 : 0.05}
          step=${step}
          inputmode="decimal"
          aria-label=${label}
          .value=${String(value)}
          @change=${(event: Event) => typed(valueOf(event))}
        />
      </div>
      <input
        id=${id}
        type="range"
        min=${range[0]}
        max=${range[1]}
        step=${range[2]}
        aria-valuetext=${value}
        .value=${String(position)}
        @input=${(event: Event) => moved(valueOf(event))}
      />
      <div class="row between small muted ends" aria-hidden="true">
        <span>${ends[0]}</span><span>${ends[1]}</span>
      </div>
      ${this.#problem(id)}
    </div>`;
  }

  #problem(name: keyof JobOptions): TemplateResult | typeof nothing {
    const { field, error } = planned.value;
    if (field !== `options.${name}`) return nothing;
    return html`<p class="error small">${icons.warning}<span>${error}</span></p>`;
  }

  static override styles = [
    controls,
    css`
      .options {
        padding: 0 16px;
      }

      fieldset,
      .group {
        padding: 12px 0;
        border-top: 1px solid var(--line);
      }

      .title,
      legend {
        font-weight: 600;
      }

      legend {
        float: left;
        width: 100%;
        margin-bottom: 8px;
      }

      legend + * {
        clear: both;
      }

      .group > .row {
        margin-bottom: 4px;
      }

      .sizes {
        margin-top: 8px;
      }

      .segments {
        display: grid;
        grid-template-columns: repeat(3, 1fr);
        border: 1px solid var(--edge);
        border-radius: var(--radius);
        overflow: hidden;
      }

      .segments label {
        position: relative;
        cursor: pointer;
      }

      .segments input {
        position: absolute;
        inset: 0;
        width: 100%;
        height: 100%;
        opacity: 0;
        cursor: pointer;
      }

      .segments span {
        display: grid;
        place-items: center;
        min-height: var(--target);
        background: var(--raised);
        border-left: 1px solid var(--line);
      }

      .segments label:first-child span {
        border-left: 0;
      }

      .segments input:checked + span {
        background: var(--accent);
        color: var(--on-accent);
        font-weight: 600;
      }

      .segments input:focus-visible + span {
        outline: 2px solid var(--text);
        outline-offset: -4px;
      }

      fieldset p {
        margin-top: 8px;
      }

      .unit {
        position: relative;
        flex: 1.4;
        min-width: 0;
      }

      .unit input {
        padding-right: 32px;
      }

      .unit span {
        position: absolute;
        right: 8px;
        top: 50%;
        translate: 0 -50%;
      }

      .sizes {
        display: grid;
        grid-template-columns: repeat(5, 1fr);
        gap: 4px;
      }

      .sizes .button {
        padding: 4px 0;
        min-width: 0;
      }

      select {
        margin-top: 8px;
      }

      .value {
        width: 72px;
        text-align: right;
      }

      .group > .ends {
        margin: 0;
      }

      .group > input[type="range"] {
        display: block;
        height: 28px;
      }

      @media (pointer: coarse), (max-width: 959px) {
        .group > input[type="range"] {
          height: var(--target);
        }
      }

      .error {
        margin-top: 8px;
      }
    `,
  ];
}

customElements.define("studio-options", StudioOptions);
