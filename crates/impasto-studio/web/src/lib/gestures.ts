/** Turns pointers and the wheel on an element into moves, zooms and strokes. */

import type { Pair } from "./viewport";

export interface Actions {
  move(by: Pair): void;
  zoom(at: Pair, factor: number): void;
  /** Begins a stroke, if the pointer paints. */
  begin(at: Pair): boolean;
  stroke(at: Pair): void;
  end(): void;
  /** A second finger turns the stroke into a pinch. */
  abandon(): void;
  hover(at: Pair | null): void;
  /** Whether the wheel zooms, rather than scrolls the page. */
  takesWheel(event: WheelEvent): boolean;
}

const WHEEL_PIXELS = 240;
const LINE_PIXELS = 24;

export class Gestures {
  #pointers = new Map<number, Pair>();
  #paints = false;

  constructor(
    private readonly element: HTMLElement,
    private readonly actions: Actions,
  ) {
    element.addEventListener("pointerdown", this.#down);
    element.addEventListener("pointermove", this.#move);
    element.addEventListener("pointerup", this.#up);
    element.addEventListener("pointercancel", this.#up);
    element.addEventListener("pointerleave", () => actions.hover(null));
    element.addEventListener("wheel", this.#wheel, { passive: false });
  }

  #at(event: MouseEvent): Pair {
    const box = this.element.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }

  #down = (event: PointerEvent): void => {
    const isFirst = this.#pointers.size === 0;
    if (event.button > 1 || this.#pointers.size > 1) return;
    const at = this.#at(event);
    this.#pointers.set(event.pointerId, at);
    this.element.setPointerCapture(event.pointerId);
    if (isFirst && event.button === 0) {
      this.#paints = this.actions.begin(at);
    } else if (this.#paints) {
      this.#paints = false;
      this.actions.abandon();
    }
  };

  #move = (event: PointerEvent): void => {
    const at = this.#at(event);
    this.actions.hover(at);
    const before = this.#pointers.get(event.pointerId);
    if (!before) return;
    if (this.#paints) {
      // Between two frames the pointer has been at more places than one.
      const passed = event.getCoalescedEvents?.() ?? [];
      for (const part of passed.length > 0 ? passed : [event]) this.actions.stroke(this.#at(part));
    } else if (this.#pointers.size === 1) {
      this.actions.move([at[0] - before[0], at[1] - before[1]]);
    } else {
      this.#pinch(event.pointerId, before, at);
    }
    this.#pointers.set(event.pointerId, at);
  };

  #pinch(id: number, before: Pair, at: Pair): void {
    const other = [...this.#pointers].find(([key]) => key !== id)?.[1];
    if (!other) return;
    const middle = (p: Pair): Pair => [(p[0] + other[0]) / 2, (p[1] + other[1]) / 2];
    const spread = (p: Pair): number => Math.max(1, Math.hypot(p[0] - other[0], p[1] - other[1]));
    const [from, to] = [middle(before), middle(at)];
    this.actions.move([to[0] - from[0], to[1] - from[1]]);
    this.actions.zoom(to, spread(at) / spread(before));
  }

  #up = (event: PointerEvent): void => {
    this.#pointers.delete(event.pointerId);
    if (!this.#paints || this.#pointers.size > 0) return;
    this.#paints = false;
    this.actions.end();
  };

  #wheel = (event: WheelEvent): void => {
    if (!this.actions.takesWheel(event)) return;
    event.preventDefault();
    const unit = event.deltaMode === WheelEvent.DOM_DELTA_PIXEL ? 1 : LINE_PIXELS;
    // A pinch on a touchpad comes as a wheel with Ctrl, in smaller steps.
    const speed = event.ctrlKey ? 4 : 1;
    const factor = 2 ** ((-event.deltaY * unit * speed) / WHEEL_PIXELS);
    this.actions.zoom(this.#at(event), factor);
  };
}
