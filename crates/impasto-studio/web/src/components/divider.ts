/** The slider between before and after, over the picture. */

import { css, html, nothing, type PropertyValues, type TemplateResult } from "lit";

import { controls } from "../styles/controls";
import { StudioElement } from "../state/store";
import { view } from "../state/view";
import { text } from "../text";

const STEPS: Record<string, number> = {
  ArrowLeft: -1,
  ArrowDown: -1,
  ArrowRight: 1,
  ArrowUp: 1,
  PageDown: -10,
  PageUp: 10,
  Home: -100,
  End: 100,
};

export class StudioDivider extends StudioElement {
  static override properties = {
    left: { attribute: false },
    width: { attribute: false },
    room: { attribute: false },
  };

  /** Left edge and width of the picture on the stage, and the width of the stage, in CSS px. */
  declare left: number;
  declare width: number;
  declare room: number;

  protected override stores() {
    return [view];
  }

  #set(percent: number): void {
    view.set({ divider: Math.min(Math.max(Math.round(percent), 0), 100) });
  }

  #key = (event: KeyboardEvent): void => {
    const step = STEPS[event.key];
    if (step === undefined) return;
    event.preventDefault();
    // The stage would move the picture.
    event.stopPropagation();
    this.#set((view.value.divider ?? 0) + step);
  };

  #down = (event: PointerEvent): void => {
    event.stopPropagation();
    (event.currentTarget as HTMLElement).setPointerCapture(event.pointerId);
  };

  #move = (event: PointerEvent): void => {
    event.stopPropagation();
    const handle = event.currentTarget as HTMLElement;
    if (!handle.hasPointerCapture(event.pointerId)) return;
    const stage = this.offsetParent?.getBoundingClientRect().left ?? 0;
    this.#set((100 * (event.clientX - stage - this.left)) / this.width);
  };

  protected override updated(_: PropertyValues): void {
    const x = this.left + (this.width * (view.value.divider ?? 0)) / 100;
    this.style.setProperty("left", `${Math.min(Math.max(x, 0), this.room)}px`);
  }

  protected override render(): TemplateResult | typeof nothing {
    const { divider } = view.value;
    if (divider === null) return nothing;
    return html`<div
      class="divider"
      role="slider"
      tabindex="0"
      aria-label=${text.canvas.divider}
      aria-orientation="horizontal"
      aria-valuemin="0"
      aria-valuemax="100"
      aria-valuenow=${divider}
      aria-valuetext=${text.canvas.dividerValue(divider)}
      @keydown=${this.#key}
      @pointerdown=${this.#down}
      @pointermove=${this.#move}
    >
      <span class="side left">${text.canvas.before}</span>
      <span class="grip"></span>
      <span class="side right">${text.canvas.after}</span>
    </div>`;
  }

  static override styles = [
    controls,
    css`
      :host {
        position: absolute;
        top: 0;
        bottom: 0;
        width: 44px;
        margin-left: -22px;
      }

      .divider {
        position: absolute;
        inset: 0;
        cursor: ew-resize;
        touch-action: none;
      }

      .divider::before {
        content: "";
        position: absolute;
        left: 21px;
        top: 0;
        bottom: 0;
        width: 2px;
        background: #ffffff;
        outline: 1px solid rgb(0 0 0 / 60%);
      }

      .grip {
        position: absolute;
        left: 6px;
        top: 50%;
        width: 32px;
        height: 32px;
        translate: 0 -50%;
        border: 1px solid rgb(0 0 0 / 60%);
        border-radius: 50%;
        background: #ffffff;
      }

      .grip::before,
      .grip::after {
        content: "";
        position: absolute;
        top: 11px;
        width: 8px;
        height: 8px;
        border: solid #1a1a1a;
        border-width: 0 0 1.5px 1.5px;
      }

      .grip::before {
        left: 6px;
        rotate: 45deg;
      }

      .grip::after {
        right: 6px;
        rotate: 225deg;
      }

      .divider:focus-visible {
        outline: none;
      }

      .divider:focus-visible .grip {
        outline: 3px solid var(--accent);
        outline-offset: 1px;
      }

      .side {
        position: absolute;
        bottom: 12px;
        padding: 2px 8px;
        border-radius: var(--radius);
        background: rgb(0 0 0 / 70%);
        color: #ffffff;
        font-size: var(--small);
        line-height: 16px;
        pointer-events: none;
      }

      .side.left {
        right: 32px;
      }

      .side.right {
        left: 32px;
      }
    `,
  ];
}

customElements.define("studio-divider", StudioDivider);
