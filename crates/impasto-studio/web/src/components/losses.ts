/** The losses of a job over its steps, on a logarithmic scale. */

import { css, html, unsafeCSS, type TemplateResult } from "lit";
import type uPlot from "uplot";
import plotStyles from "uplot/dist/uPlot.min.css?inline";

import { controls } from "../styles/controls";
import { losses, type Losses } from "../state/jobs";
import { StudioElement, debounce } from "../state/store";
import { loss } from "../lib/format";
import { theme } from "../state/theme";
import { text } from "../text";

const HEIGHT = 180;
/** The plot is drawn again at most this often. */
const DRAW_MS = 200;
const DARK = window.matchMedia("(prefers-color-scheme: dark)");

class StudioLosses extends StudioElement {
  static override properties = { jobId: {}, at: { state: true } };

  declare jobId: string;
  /** The point under the pointer. */
  declare at: number | null;

  #plot: uPlot | null = null;
  #resize = new ResizeObserver(() => this.#fit());
  #colours = debounce(0, () => void this.#build());

  constructor() {
    super();
    this.at = null;
  }

  protected override stores() {
    return [losses];
  }

  override connectedCallback(): void {
    super.connectedCallback();
    DARK.addEventListener("change", this.#colours);
    this.#stopTheme = theme.subscribe(this.#colours);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    DARK.removeEventListener("change", this.#colours);
    this.#stopTheme();
    this.#resize.disconnect();
    this.#plot?.destroy();
    this.#plot = null;
  }

  #stopTheme = (): void => {};

  get #points(): Losses[] {
    return losses.value.byId[this.jobId] ?? [];
  }

  get #host(): HTMLElement | null {
    return this.renderRoot.querySelector<HTMLElement>(".plot");
  }

  protected override firstUpdated(): void {
    void this.#build();
  }

  protected override updated(): void {
    this.#draw();
  }

  #draw = debounce(DRAW_MS, () => this.#plot?.setData(this.#data()));

  /** A logarithm has no place for 0. */
  #data(): uPlot.AlignedData {
    const column = (name: "total" | "content" | "style"): (number | null)[] =>
      this.#points.map((point) => (point[name] > 0 ? point[name] : null));
    const steps = this.#points.map(({ step }) => step);
    return [steps, column("total"), column("content"), column("style")];
  }

  async #build(): Promise<void> {
    const host = this.#host;
    if (!host) return;
    // The plot is a file of its own. It is loaded when it is first opened.
    const { default: Plot } = await import("uplot");
    if (!this.isConnected) return;
    this.#plot?.destroy();
    const colour = (name: string): string => {
      // A token may hold `light-dark()`, which only a property of an element resolves.
      host.style.setProperty("color", `var(${name})`);
      return getComputedStyle(host).color;
    };
    const [line, muted, accent, strong] = ["--line", "--muted", "--accent", "--text"].map(colour);
    host.style.removeProperty("color");
    const axis: uPlot.Axis = {
      stroke: muted ?? "",
      font: "12px system-ui, sans-serif",
      grid: { stroke: line ?? "", width: 1 },
      ticks: { stroke: line ?? "", width: 1, size: 4 },
    };
    const series = (label: string, stroke = "", dash: number[] = []): uPlot.Series => ({
      label,
      stroke,
      width: 1.5,
      dash,
      points: { show: false },
    });
    this.#plot = new Plot(
      {
        width: Math.max(200, host.clientWidth),
        height: HEIGHT,
        scales: { x: { time: false }, y: { distr: 3 } },
        axes: [
          { ...axis, size: 28 },
          { ...axis, size: 48, values: (_, splits) => splits.map(label) },
        ],
        series: [
          { label: text.losses.step },
          series(text.losses.total, strong),
          series(text.losses.content, accent),
          series(text.losses.style, accent, [6, 4]),
        ],
        cursor: { drag: { x: false, y: false } },
        legend: { show: false },
        hooks: {
          draw: [(plot) => this.#markScales(plot, muted ?? "")],
          setCursor: [(plot) => (this.at = plot.cursor.idx ?? null)],
        },
      },
      this.#data(),
      host,
    );
    this.#resize.observe(host);
  }

  #fit(): void {
    const width = this.#host?.clientWidth ?? 0;
    if (width > 0) this.#plot?.setSize({ width, height: HEIGHT });
  }

  /** A line at each step that a new scale begins with. */
  #markScales(plot: uPlot, stroke: string): void {
    const { ctx, bbox } = plot;
    ctx.save();
    ctx.strokeStyle = stroke;
    ctx.lineWidth = 1;
    ctx.setLineDash([2, 4]);
    this.#points.forEach((point, i) => {
      const before = this.#points[i - 1];
      if (!before || before.scale === point.scale) return;
      const x = Math.round(plot.valToPos(point.step - 0.5, "x", true));
      ctx.beginPath();
      ctx.moveTo(x, bbox.top);
      ctx.lineTo(x, bbox.top + bbox.height);
      ctx.stroke();
    });
    ctx.restore();
  }

  protected override render(): TemplateResult {
    const points = this.#points;
    const [start, end] = [points[0], points.at(-1)];
    const summary =
      start && end
        ? text.losses.summary(points.length, loss(start.total), loss(end.total))
        : text.losses.none;
    return html`<figure role="img" aria-label=${summary}>
      ${points.length === 0 ? html`<p class="muted">${text.losses.none}</p>` : ""}
      <div class="legend small number" aria-hidden="true">${this.#legend()}</div>
      <div class="plot" aria-hidden="true"></div>
    </figure>`;
  }

  /** The values under the pointer, or the newest. */
  #legend(): TemplateResult[] {
    const points = this.#points;
    const point = points[this.at ?? points.length - 1];
    const entry = (name: "total" | "content" | "style"): TemplateResult =>
      html`<span class=${name}>
        <i></i>${text.losses[name]} <b>${point ? loss(point[name]) : "–"}</b>
      </span>`;
    return [
      html`<span class="muted">${text.losses.step} ${point?.step ?? "–"}</span>`,
      entry("total"),
      entry("content"),
      entry("style"),
    ];
  }

  static override styles = [
    unsafeCSS(plotStyles),
    controls,
    css`
      figure {
        position: relative;
        padding: 8px 12px;
        border-top: 1px solid var(--line);
        background: var(--panel);
      }

      p {
        position: absolute;
        inset: 40% 0 auto;
        text-align: center;
      }

      .plot {
        min-height: 180px;
      }

      .legend {
        display: flex;
        flex-wrap: wrap;
        gap: 4px 20px;
        padding-left: 48px;
      }

      .legend span {
        display: flex;
        align-items: center;
        gap: 8px;
      }

      .legend b {
        min-width: 48px;
        font-weight: 600;
      }

      i {
        width: 20px;
        border-top: 2px solid var(--text);
      }

      .content i {
        border-color: var(--accent);
      }

      .style i {
        border-color: var(--accent);
        border-top-style: dashed;
      }
    `,
  ];
}

/** Labels 1, 2 and 5 times a power of ten. All would crowd the axis. */
function label(value: number | null): string {
  if (value == null || value <= 0) return "";
  const digit = value / 10 ** Math.floor(Math.log10(value) + 1e-9);
  const isLabelled = [1, 2, 5].some((wanted) => Math.abs(digit - wanted) < 1e-6);
  return isLabelled ? String(Number(value.toPrecision(1))) : "";
}

customElements.define("studio-losses", StudioLosses);
