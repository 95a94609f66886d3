/** Paints on a mask with the pointer or the keys, and draws it over the picture. */

import { maskOf, masks, painted, touch, upload } from "../state/masks";
import type { MaskKind } from "../state/form";
import type { Mask, Rect } from "../lib/mask";
import type { Box, Pair } from "../lib/viewport";

/** A step of the keys, as a part of the picture. */
const STEP = 0.02;
const LONG_STEP = 0.1;

/** Points are 0 to 1 of the picture. */
export class MaskPainter {
  #kind: MaskKind | null = null;
  #mask: Mask | null = null;
  #cursor: Pair | null = null;
  #last: Pair | null = null;

  constructor(
    private readonly canvas: HTMLCanvasElement,
    private readonly ring: HTMLElement,
  ) {
    painted.addEventListener("change", this.#repaint);
  }

  stop(): void {
    painted.removeEventListener("change", this.#repaint);
  }

  get isActive(): boolean {
    return this.#mask !== null;
  }

  /** Shows a mask, or none. */
  show(kind: MaskKind | null): void {
    const mask = kind && maskOf(kind);
    this.canvas.hidden = mask === null;
    this.#kind = kind;
    if (mask === this.#mask) return;
    this.#mask = mask;
    if (!mask) return;
    this.canvas.width = mask.width;
    this.canvas.height = mask.height;
    touch(mask.all);
  }

  /** Puts the ring of the brush where it is on the stage. */
  place(box: Box): void {
    this.ring.hidden = !this.isActive || this.#cursor === null;
    if (!this.#cursor) return;
    const { style } = this.ring;
    const diameter = (masks.value.size / 100) * Math.max(box.width, box.height);
    style.setProperty("left", `${box.left + this.#cursor[0] * box.width}px`);
    style.setProperty("top", `${box.top + this.#cursor[1] * box.height}px`);
    style.setProperty("width", `${diameter}px`);
    style.setProperty("height", `${diameter}px`);
  }

  moveTo(point: Pair | null): void {
    this.#cursor = point;
  }

  step(way: Pair, isLong: boolean): void {
    const length = isLong ? LONG_STEP : STEP;
    const within = (value: number): number => Math.min(Math.max(value, 0), 1);
    const [x, y] = this.#cursor ?? [0.5, 0.5];
    this.#cursor = [within(x + way[0] * length), within(y + way[1] * length)];
  }

  /** Paints at the cursor. */
  dab(): void {
    this.#cursor ??= [0.5, 0.5];
    if (this.begin(this.#cursor)) this.end();
  }

  begin(point: Pair): boolean {
    if (!this.#mask) return false;
    this.#mask.remember();
    this.#last = point;
    this.#paint(point, point);
    return true;
  }

  stroke(point: Pair): void {
    this.#paint(this.#last ?? point, point);
    this.#last = point;
  }

  end(): void {
    this.#last = null;
    if (this.#kind) void upload(this.#kind);
  }

  abandon(): void {
    this.#last = null;
    this.#mask?.undo();
    if (this.#mask) touch(this.#mask.all);
  }

  #paint(from: Pair, to: Pair): void {
    const mask = this.#mask;
    if (!mask) return;
    const { size, softness, erases } = masks.value;
    const brush = {
      radius: Math.max(0.5, (size / 200) * Math.max(mask.width, mask.height)),
      softness: softness / 100,
      erases,
    };
    const inMask = ([x, y]: Pair): Pair => [x * mask.width, y * mask.height];
    touch(mask.stroke(inMask(from), inMask(to), brush));
  }

  /** Draws the part of the mask that has changed, in the colour of the canvas element. */
  #repaint = (event: Event): void => {
    const mask = this.#mask;
    const context = this.canvas.getContext("2d");
    if (!mask || !context) return;
    const [left, top, right, bottom]: Rect = (event as CustomEvent<Rect>).detail;
    const [width, height] = [right - left, bottom - top];
    if (width <= 0 || height <= 0) return;
    const { color } = getComputedStyle(this.canvas);
    const [r = 0, g = 0, b = 0] = (color.match(/[\d.]+/g) ?? []).map(Number);
    const image = context.createImageData(width, height);
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const value = mask.data[(top + y) * mask.width + left + x] ?? 0;
        image.data.set([r, g, b, value], 4 * (y * width + x));
      }
    }
    context.putImageData(image, left, top);
  };
}
