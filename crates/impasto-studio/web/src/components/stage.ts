/**
 * The stage: the picture, zoomed and moved, with the photo and the mask over it.
 *
 * The layers lie in one box, the world. Each is stretched to it, whatever its own size is. If a
 * picture that grows is zoomed in, only the seen part is fetched, into a layer of its own.
 */

import { css, html, nothing, type PropertyValues, type TemplateResult } from "lit";

import { controls } from "../styles/controls";
import { changeMask, masks, setBrushSize } from "../state/masks";
import type { Scene } from "../state/scene";
import { view } from "../state/view";
import { StudioElement, debounce } from "../state/store";
import { urls } from "../api/client";
import { Gestures, type Actions } from "../lib/gestures";
import { isForPage } from "../lib/keys";
import { Swap } from "../lib/swap";
import {
  FIT,
  boxOf,
  clamped,
  fitScale,
  moved,
  seenPart,
  zoomOfPixels,
  zoomedAbout,
  type Box,
  type Pair,
  type Viewport,
} from "../lib/viewport";
import { text } from "../text";
import { MaskPainter } from "./mask-painter";
import "./divider";
import type { StudioDivider } from "./divider";

const ZOOM_STEP = 1.25;
const MOVE_STEP = 64;
/** A growing picture is fetched at most four times a second. */
const LIVE_MS = 250;
const SETTLE_MS = 120;
/** From this many CSS px for a picture's px, pixels are shown as squares. */
const SQUARES_FROM = 3;
const ARROWS: Record<string, Pair> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

type Region = [number, number, number, number];

export class StudioStage extends StudioElement {
  static override properties = { scene: { attribute: false }, narrow: { type: Boolean } };

  declare scene: Scene;
  declare narrow: boolean;

  #viewport: Viewport = FIT;
  #room: Pair = [1, 1];
  #swaps: { base: Swap; detail: Swap; photo: Swap } | null = null;
  #resize = new ResizeObserver(() => this.#measure());
  #lastLive = 0;
  #liveTimer = 0;
  /** The job whose live picture is shown. */
  #liveJob: string | null = null;
  #painter: MaskPainter | null = null;

  protected override stores() {
    return [view, masks];
  }

  get zoomPercent(): number {
    const whole = zoomOfPixels(this.#room, this.scene.size, devicePixelRatio);
    return Math.round((100 * this.#viewport.zoom) / whole);
  }

  override connectedCallback(): void {
    super.connectedCallback();
    window.addEventListener("keydown", this.#pageKey);
    window.addEventListener("keyup", this.#keyUp);
    window.addEventListener("blur", this.#release);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#resize.disconnect();
    clearTimeout(this.#liveTimer);
    this.#painter?.stop();
    this.#painter = null;
    window.removeEventListener("keydown", this.#pageKey);
    window.removeEventListener("keyup", this.#keyUp);
    window.removeEventListener("blur", this.#release);
  }

  protected override firstUpdated(): void {
    const stage = this.#stage;
    const { picture, photo } = text.canvas.alt;
    this.#swaps = {
      base: new Swap(this.#find(".base"), picture),
      detail: new Swap(this.#find(".detail"), ""),
      photo: new Swap(this.#find(".photo"), photo),
    };
    this.#painter = new MaskPainter(this.#find("canvas"), this.#find(".cursor"));
    new Gestures(stage, this.#actions);
    this.#resize.observe(stage);
    this.#measure();
  }

  protected override updated(changed: PropertyValues): void {
    if (changed.has("scene")) this.#loadScene();
    this.#painter?.show(this.scene.paintsMask ? view.value.tool : null);
    this.#place();
  }

  get #stage(): HTMLElement {
    return this.#find("#stage");
  }

  #find<Kind extends HTMLElement = HTMLElement>(selector: string): Kind {
    const found = this.renderRoot.querySelector<Kind>(selector);
    if (!found) throw new Error(`The stage has no ${selector}.`);
    return found;
  }

  override focus(): void {
    this.#stage.focus();
  }

  fit(): void {
    this.#look(FIT);
  }

  showPixels(): void {
    const zoom = zoomOfPixels(this.#room, this.scene.size, devicePixelRatio);
    this.#zoom(this.#middle, zoom / this.#viewport.zoom);
  }

  zoomIn(): void {
    this.#zoom(this.#middle, ZOOM_STEP);
  }

  zoomOut(): void {
    this.#zoom(this.#middle, 1 / ZOOM_STEP);
  }

  get #middle(): Pair {
    return [this.#room[0] / 2, this.#room[1] / 2];
  }

  #zoom(at: Pair, factor: number): void {
    const { size } = this.scene;
    this.#look(zoomedAbout(this.#viewport, this.#room, size, at, factor, devicePixelRatio));
  }

  #move(by: Pair): void {
    this.#look(moved(this.#viewport, this.#room, this.scene.size, by, devicePixelRatio));
  }

  #look(viewport: Viewport): void {
    this.#viewport = clamped(viewport, this.#room, this.scene.size, devicePixelRatio);
    this.#place();
    this.#settled();
    this.dispatchEvent(new Event("zoomed"));
  }

  #measure(): void {
    const { clientWidth, clientHeight } = this.#stage;
    this.#room = [Math.max(1, clientWidth), Math.max(1, clientHeight)];
    this.#look(this.#viewport);
  }

  get #box(): Box {
    return boxOf(this.#viewport, this.#room, this.scene.size);
  }

  /** Puts the layers where the viewport says. */
  #place(): void {
    const box = this.#box;
    const { style, classList } = this.#find(".world");
    style.setProperty("left", `${box.left}px`);
    style.setProperty("top", `${box.top}px`);
    style.setProperty("width", `${box.width}px`);
    style.setProperty("height", `${box.height}px`);
    const scale = fitScale(this.#room, this.scene.size) * this.#viewport.zoom;
    classList.toggle("squares", scale >= SQUARES_FROM);
    this.#stage.classList.toggle("fits", this.#viewport.zoom <= 1.001);
    const { divider, showsPhoto } = view.value;
    const photo = this.#find(".photo");
    photo.hidden = !showsPhoto && divider === null;
    const hiddenPart = showsPhoto ? 0 : 100 - (divider ?? 0);
    photo.style.setProperty("clip-path", `inset(0 ${hiddenPart}% 0 0)`);
    const handle = this.renderRoot.querySelector<StudioDivider>("studio-divider");
    if (handle) Object.assign(handle, { left: box.left, width: box.width, room: this.#room[0] });
    this.#painter?.place(box);
  }

  #loadScene(): void {
    const swaps = this.#swaps;
    if (!swaps) return;
    void swaps.photo.show(this.scene.photo);
    const { base, live, holds } = this.scene;
    clearTimeout(this.#liveTimer);
    if (!live) {
      if (holds !== null && holds === this.#liveJob) {
        swaps.base.hold();
        swaps.detail.hold();
        return;
      }
      this.#liveJob = null;
      void swaps.base.show(base);
      void swaps.detail.show(null);
      return;
    }
    const wait = Math.max(0, this.#lastLive + LIVE_MS - Date.now());
    this.#liveTimer = window.setTimeout(() => this.#loadLive(), wait);
  }

  /** Fetches the newest live picture: all of it, or the seen part. */
  #loadLive(): void {
    const swaps = this.#swaps;
    const { base, live } = this.scene;
    if (!swaps || !live) return;
    this.#lastLive = Date.now();
    const box = this.#box;
    const isPart = box.width > 1.3 * this.#room[0] || box.height > 1.3 * this.#room[1];
    if (!isPart || !swaps.base.isShown) {
      // A job that was paused may have no live picture until it has gone on.
      const loaded = (): void => {
        this.#liveJob = live.id;
      };
      void swaps.base.show(base, { instead: this.scene.photo, loaded });
      if (!isPart) {
        void swaps.detail.show(null);
        return;
      }
    }
    // The live picture has the size of the result at every scale.
    const { size } = this.scene;
    const region = seenPart(box, this.#room, size);
    const loaded = (): void => this.#placeDetail(region, size);
    void swaps.detail.show(urls.live(live.id, live.version, region), { loaded });
  }

  #placeDetail([x, y, width, height]: Region, size: Pair): void {
    const { style } = this.#find(".detail");
    style.setProperty("left", `${(100 * x) / size[0]}%`);
    style.setProperty("top", `${(100 * y) / size[1]}%`);
    style.setProperty("width", `${(100 * width) / size[0]}%`);
    style.setProperty("height", `${(100 * height) / size[1]}%`);
  }

  #settled = debounce(SETTLE_MS, () => this.#loadLive());

  /** Returns a point of the stage, 0 to 1 of the picture. */
  #onPicture(at: Pair): Pair {
    const box = this.#box;
    return [(at[0] - box.left) / box.width, (at[1] - box.top) / box.height];
  }

  #actions: Actions = {
    move: (by) => this.#move(by),
    zoom: (at, factor) => this.#zoom(at, factor),
    begin: (at) => this.#painter?.begin(this.#onPicture(at)) ?? false,
    stroke: (at) => this.#painter?.stroke(this.#onPicture(at)),
    end: () => this.#painter?.end(),
    abandon: () => this.#painter?.abandon(),
    hover: (at) => {
      this.#painter?.moveTo(at && this.#onPicture(at));
      this.#painter?.place(this.#box);
    },
    takesWheel: (event) => !this.narrow || event.ctrlKey || this.#viewport.zoom > 1,
  };

  // Keys

  #pageKey = (event: KeyboardEvent): void => {
    if (!isForPage(event) || event.altKey) return;
    const { tool } = view.value;
    if (event.ctrlKey || event.metaKey) {
      if (tool && event.key.toLowerCase() === "z") {
        event.preventDefault();
        changeMask(tool, (mask) => (event.shiftKey ? mask.redo() : mask.undo()));
      }
      return;
    }
    const action = this.#keys[event.key];
    if (!action) return;
    event.preventDefault();
    action();
  };

  #keys: Record<string, () => void> = {
    "+": () => this.zoomIn(),
    "=": () => this.zoomIn(),
    "-": () => this.zoomOut(),
    "0": () => this.fit(),
    "1": () => this.showPixels(),
    " ": () => view.set({ showsPhoto: true }),
    b: () => view.set({ divider: view.value.divider === null ? 50 : null }),
    "[": () => setBrushSize(masks.value.size / 1.2 - 0.5),
    "]": () => setBrushSize(masks.value.size * 1.2 + 0.5),
    e: () => {
      if (view.value.tool) masks.set({ erases: !masks.value.erases });
    },
    i: () => {
      if (view.value.tool) changeMask(view.value.tool, (mask) => mask.invert());
    },
  };

  #keyUp = (event: KeyboardEvent): void => {
    if (event.key === " ") this.#release();
  };

  #release = (): void => {
    if (view.value.showsPhoto) view.set({ showsPhoto: false });
  };

  /** Arrows move the picture, or the brush in a mask. Enter paints. */
  #stageKey = (event: KeyboardEvent): void => {
    const painter = this.#painter?.isActive ? this.#painter : null;
    const way = ARROWS[event.key];
    if (way && painter) painter.step(way, event.shiftKey);
    else if (way) this.#move([-way[0] * MOVE_STEP, -way[1] * MOVE_STEP]);
    else if (painter && event.key === "Enter" && !event.ctrlKey) painter.dab();
    else return;
    painter?.place(this.#box);
    event.preventDefault();
  };

  protected override render(): TemplateResult {
    const { divider, tool } = view.value;
    return html`<div
      id="stage"
      tabindex="0"
      role="group"
      aria-label="${text.canvas.stage} ${tool ? text.masks.cursor : ""}"
      class=${tool && this.scene.paintsMask ? "paints" : ""}
      @keydown=${this.#stageKey}
    >
      <div class="world">
        <div class="layer base"></div>
        <div class="layer detail"></div>
        <div class="layer photo" hidden></div>
        <canvas class="layer" hidden></canvas>
      </div>
      <div class="cursor" hidden></div>
      ${divider === null ? nothing : html`<studio-divider></studio-divider>`}
    </div>`;
  }

  static override styles = [
    controls,
    css`
      :host {
        min-height: 0;
        height: 100%;
      }

      #stage {
        position: relative;
        height: 100%;
        overflow: hidden;
        background: var(--stage);
        cursor: grab;
        touch-action: none;
        user-select: none;
        -webkit-user-select: none;
      }

      /* A picture that fits cannot be moved, so the finger scrolls the page. */
      #stage.fits:not(.paints) {
        touch-action: pan-y;
      }

      #stage:active {
        cursor: grabbing;
      }

      #stage.paints {
        cursor: crosshair;
      }

      #stage:focus-visible {
        outline-offset: -2px;
      }

      .world {
        position: absolute;
      }

      .layer {
        position: absolute;
        left: 0;
        top: 0;
        width: 100%;
        height: 100%;
      }

      .layer[hidden],
      .cursor[hidden] {
        display: none;
      }

      .layer img {
        width: 100%;
        height: 100%;
      }

      .squares img {
        image-rendering: pixelated;
      }

      canvas {
        color: var(--mask);
        opacity: 0.5;
        pointer-events: none;
      }

      .cursor {
        position: absolute;
        translate: -50% -50%;
        border: 1px solid #ffffff;
        outline: 1px solid #000000;
        border-radius: 50%;
        pointer-events: none;
      }
    `,
  ];
}

customElements.define("studio-stage", StudioStage);
