/** The part of a style that counts: a rectangle, dragged or typed, and how it is looked at. */

import { css, html, nothing, type PropertyValues, type TemplateResult } from "lit";

import { changeStyle, form, type Crop, type StyleChoice } from "../state/form";
import { StudioElement } from "../state/store";
import { closeDialog } from "../state/view";
import { urls } from "../api/client";
import { text } from "../text";
import { panel } from "./panel";

const ROTATIONS = [1, 2, 4, 8] as const;
const WHOLE: Crop = [0, 0, 100, 100];
/** A drag that is shorter than this, in percent, is a click. */
const SHORTEST = 2;

class StudioCrop extends StudioElement {
  static override properties = { index: { attribute: false }, crop: { state: true } };

  declare index: number;
  declare crop: Crop | null;

  #from: [number, number] | null = null;

  constructor() {
    super();
    this.crop = null;
  }

  protected override stores() {
    return [form];
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.crop = this.#style?.crop ?? null;
  }

  get #style(): StyleChoice | null {
    return form.value.styles[this.index] ?? null;
  }

  /** Returns a point of the picture in percent. */
  #at(event: PointerEvent): [number, number] {
    const box = (event.currentTarget as HTMLElement).getBoundingClientRect();
    const within = (value: number): number => Math.min(Math.max(100 * value, 0), 100);
    return [
      within((event.clientX - box.left) / box.width),
      within((event.clientY - box.top) / box.height),
    ];
  }

  #down = (event: PointerEvent): void => {
    event.preventDefault();
    (event.currentTarget as HTMLElement).setPointerCapture(event.pointerId);
    this.#from = this.#at(event);
  };

  #move = (event: PointerEvent): void => {
    if (!this.#from) return;
    const [x0, y0] = this.#from;
    const [x1, y1] = this.#at(event);
    const [width, height] = [Math.abs(x1 - x0), Math.abs(y1 - y0)];
    if (width < SHORTEST || height < SHORTEST) return;
    this.crop = [Math.min(x0, x1), Math.min(y0, y1), width, height].map(rounded) as Crop;
  };

  #up = (): void => {
    this.#from = null;
  };

  /** Takes a typed side. The others give way, so that the rectangle stays inside. */
  #typed(side: number, input: HTMLInputElement): void {
    const crop: Crop = [...(this.crop ?? WHOLE)];
    const isPlace = side < 2;
    const value = Math.min(Math.max(Number(input.value), isPlace ? 0 : 1), isPlace ? 99 : 100);
    const other = isPlace ? side + 2 : side - 2;
    crop[side] = value;
    if ((crop[other] ?? 0) + value > 100) crop[other] = rounded(100 - value);
    this.crop = crop;
    input.value = String(value);
  }

  #done = (): void => {
    const isWhole = this.crop?.every((side, i) => side === WHOLE[i]) ?? true;
    changeStyle(this.index, { crop: isWhole ? null : this.crop });
    closeDialog();
  };

  protected override updated(_: PropertyValues): void {
    const frame = this.renderRoot.querySelector<HTMLElement>(".frame");
    const [left, top, width, height] = this.crop ?? WHOLE;
    frame?.style.setProperty("left", `${left}%`);
    frame?.style.setProperty("top", `${top}%`);
    frame?.style.setProperty("width", `${width}%`);
    frame?.style.setProperty("height", `${height}%`);
  }

  protected override render(): TemplateResult | typeof nothing {
    const style = this.#style;
    if (!style) return nothing;
    const { file, rotations, trim } = style;
    const crop = this.crop ?? WHOLE;
    return html`<div class="dialog-body">
        <div class="columns">
          <div
            class="picture"
            @pointerdown=${this.#down}
            @pointermove=${this.#move}
            @pointerup=${this.#up}
            @pointercancel=${this.#up}
          >
            <img
              src=${urls.file(file.sha256, 1024)}
              width=${file.width}
              height=${file.height}
              alt=${text.styles.alt(file.name)}
              draggable="false"
            />
            <div class="frame"></div>
          </div>
          <div class="side">
            <p class="muted">${text.crop.hint}</p>
            <div class="numbers">
              ${text.crop.sides.map(
                (label, side) =>
                  html`<label>
                    <span>${label}</span>
                    <input
                      class="field number"
                      type="number"
                      min=${side < 2 ? 0 : 1}
                      max="100"
                      step="1"
                      inputmode="decimal"
                      .value=${String(crop[side])}
                      @change=${(event: Event) => {
                        this.#typed(side, event.target as HTMLInputElement);
                      }}
                    />
                  </label>`,
              )}
            </div>
            <label>
              <span>${text.crop.rotations}</span>
              <select
                class="field"
                @change=${(event: Event) => {
                  const index = (event.target as HTMLSelectElement).selectedIndex;
                  changeStyle(this.index, { rotations: ROTATIONS[index] ?? 1 });
                }}
              >
                ${ROTATIONS.map(
                  (count) => html`<option .selected=${count === rotations}>${count}</option>`,
                )}
              </select>
            </label>
            <p class="small muted">${text.crop.rotationsHint}</p>
            <label>
              <span>${text.crop.trim}</span>
              <select
                class="field"
                @change=${(event: Event) => {
                  const index = (event.target as HTMLSelectElement).selectedIndex;
                  changeStyle(this.index, { trim: index === 0 ? "auto" : "none" });
                }}
              >
                <option .selected=${trim === "auto"}>${text.crop.trimWords.auto}</option>
                <option .selected=${trim === "none"}>${text.crop.trimWords.none}</option>
              </select>
            </label>
          </div>
        </div>
      </div>
      <div class="dialog-foot">
        <button class="button" @click=${() => (this.crop = null)}>${text.crop.all}</button>
        <button class="button primary" @click=${this.#done}>${text.crop.done}</button>
      </div>`;
  }

  static override styles = [
    ...panel,
    css`
      .columns {
        display: flex;
        flex-wrap: wrap;
        gap: 20px;
      }

      .picture {
        position: relative;
        align-self: flex-start;
        max-width: 100%;
        overflow: hidden;
        cursor: crosshair;
        touch-action: none;
        user-select: none;
        -webkit-user-select: none;
      }

      img {
        width: auto;
        height: auto;
        max-width: min(100%, 720px);
        max-height: 62dvh;
      }

      /* The wide outline darkens what is left out. */
      .frame {
        position: absolute;
        border: 2px solid #ffffff;
        outline: 2000px solid rgb(0 0 0 / 55%);
        pointer-events: none;
      }

      .side {
        flex: 1 1 240px;
        display: flex;
        flex-direction: column;
        gap: 12px;
      }

      .numbers {
        display: grid;
        grid-template-columns: 1fr 1fr;
        gap: 8px;
      }

      label span {
        display: block;
        margin-bottom: 4px;
      }
    `,
  ];
}

function rounded(value: number): number {
  return Math.round(value * 10) / 10;
}

customElements.define("studio-crop", StudioCrop);
