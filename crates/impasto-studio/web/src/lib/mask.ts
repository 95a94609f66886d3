/** A mask: one grey value a pixel, 255 is white. Brushes, undo and redo. */

export interface Brush {
  /** Radius in px of the mask. */
  radius: number;
  /** Part of the radius that fades, 0 to 1. */
  softness: number;
  erases: boolean;
}

/** A rectangle of pixels: left, top, right, bottom, the last two exclusive. */
export type Rect = [number, number, number, number];

const MOST_UNDO = 30;

export class Mask {
  readonly data: Uint8ClampedArray;
  #undo: Uint8ClampedArray[] = [];
  #redo: Uint8ClampedArray[] = [];

  constructor(
    readonly width: number,
    readonly height: number,
  ) {
    this.data = new Uint8ClampedArray(width * height);
  }

  get all(): Rect {
    return [0, 0, this.width, this.height];
  }

  get isEmpty(): boolean {
    return this.data.every((value) => value === 0);
  }

  get canUndo(): boolean {
    return this.#undo.length > 0;
  }

  get canRedo(): boolean {
    return this.#redo.length > 0;
  }

  /** Stores the present state, which `undo` goes back to. Call it before a change. */
  remember(): void {
    this.#undo.push(this.data.slice());
    if (this.#undo.length > MOST_UNDO) this.#undo.shift();
    this.#redo = [];
  }

  undo(): void {
    this.#swap(this.#undo, this.#redo);
  }

  redo(): void {
    this.#swap(this.#redo, this.#undo);
  }

  #swap(from: Uint8ClampedArray[], to: Uint8ClampedArray[]): void {
    const state = from.pop();
    if (!state) return;
    to.push(this.data.slice());
    this.data.set(state);
  }

  invert(): void {
    this.remember();
    this.data.forEach((value, i) => (this.data[i] = 255 - value));
  }

  clear(): void {
    this.remember();
    this.data.fill(0);
  }

  /** Takes the grey values of an RGBA picture of the mask's size. */
  take(rgba: Uint8ClampedArray): void {
    this.remember();
    for (let i = 0; i < this.data.length; i++) {
      const [r = 0, g = 0, b = 0, a = 0] = rgba.subarray(4 * i, 4 * i + 4);
      // Rec. 709 luma. A transparent part counts as black, as in the program.
      this.data[i] = ((0.2126 * r + 0.7152 * g + 0.0722 * b) * a) / 255;
    }
  }

  /** Paints from one point to another. Returns what has changed. */
  stroke(from: readonly [number, number], to: readonly [number, number], brush: Brush): Rect {
    const [dx, dy] = [to[0] - from[0], to[1] - from[1]];
    const spacing = Math.max(1, brush.radius / 5);
    const stamps = Math.max(1, Math.ceil(Math.hypot(dx, dy) / spacing));
    for (let i = 1; i <= stamps; i++) {
      this.#stamp(from[0] + (dx * i) / stamps, from[1] + (dy * i) / stamps, brush);
    }
    const reach = brush.radius + 1;
    return [
      Math.max(0, Math.floor(Math.min(from[0], to[0]) - reach)),
      Math.max(0, Math.floor(Math.min(from[1], to[1]) - reach)),
      Math.min(this.width, Math.ceil(Math.max(from[0], to[0]) + reach)),
      Math.min(this.height, Math.ceil(Math.max(from[1], to[1]) + reach)),
    ];
  }

  /** One touch of the brush. Overlapping touches take the larger value, so soft edges stay soft. */
  #stamp(x: number, y: number, { radius, softness, erases }: Brush): void {
    // The edge fades over one pixel at least, or it would have steps.
    const fade = Math.max(1, radius * softness);
    const top = Math.max(0, Math.floor(y - radius));
    const bottom = Math.min(this.height - 1, Math.ceil(y + radius));
    const left = Math.max(0, Math.floor(x - radius));
    const right = Math.min(this.width - 1, Math.ceil(x + radius));
    for (let row = top; row <= bottom; row++) {
      for (let column = left; column <= right; column++) {
        const inside = radius - Math.hypot(column + 0.5 - x, row + 0.5 - y);
        if (inside <= 0) continue;
        const value = 255 * Math.min(1, inside / fade);
        const i = row * this.width + column;
        const now = this.data[i] ?? 0;
        this.data[i] = erases ? Math.min(now, 255 - value) : Math.max(now, value);
      }
    }
  }
}

/** Returns the size of a mask for a picture: its aspect, longest side at most `most`. */
export function maskSize(width: number, height: number, most: number): [number, number] {
  const scale = Math.min(1, most / Math.max(width, height));
  return [Math.max(1, Math.round(width * scale)), Math.max(1, Math.round(height * scale))];
}
