/** The canvas: its tools, the stage or a grid of pictures, and a bar about the picture below. */

import { css, html, nothing, type TemplateResult } from "lit";

import "./losses";
import "./mask-bar";
import "./pair";
import "./picture-bar";
import "./stage";
import "./variants";
import type { StudioStage } from "./stage";
import { controls } from "../styles/controls";
import { form, type MaskKind } from "../state/form";
import { loadLosses, jobs } from "../state/jobs";
import { planned } from "../state/plan";
import { preview } from "../state/preview";
import { insetOf, sceneOf, type Scene } from "../state/scene";
import { StudioElement } from "../state/store";
import { show, toggleTool, view } from "../state/view";
import { text } from "../text";
import { icons } from "./icons";

export class StudioCanvas extends StudioElement {
  static override properties = {
    narrow: { type: Boolean },
    dragging: { type: Boolean },
    zoom: { state: true },
  };

  declare narrow: boolean;
  declare dragging: boolean;
  declare zoom: number;

  constructor() {
    super();
    this.zoom = 100;
  }

  protected override stores() {
    return [form, jobs, planned, preview, view];
  }

  get #stage(): StudioStage | null {
    return this.renderRoot.querySelector("studio-stage");
  }

  focusStage(): void {
    this.#stage?.focus();
  }

  protected override render(): TemplateResult {
    const { subject, tool, showsLosses } = view.value;
    const scene = sceneOf();
    return html`
      ${scene ? this.#tools() : nothing}
      ${tool && scene?.paintsMask ? html`<studio-mask-bar></studio-mask-bar>` : nothing}
      <div class="middle ${this.dragging ? "target" : ""}">
        ${subject.kind === "variants" ? html`<studio-variants></studio-variants>` : nothing}
        ${subject.kind === "pair" ? html`<studio-pair .ids=${subject.ids}></studio-pair>` : nothing}
        ${scene ? this.#scene(scene) : nothing}
        ${
          !scene && subject.kind === "form"
            ? html`<p class="empty muted">${text.canvas.empty}</p>`
            : nothing
        }
        ${this.dragging ? html`<p class="chip drop">${text.intake.drop}</p>` : nothing}
      </div>
      ${
        showsLosses && subject.kind === "job"
          ? html`<studio-losses .jobId=${subject.id}></studio-losses>`
          : nothing
      }
      <studio-picture-bar></studio-picture-bar>
    `;
  }

  #scene(scene: Scene): TemplateResult {
    const inset = insetOf();
    return html`
      <studio-stage
        .scene=${scene}
        .narrow=${this.narrow}
        @zoomed=${() => (this.zoom = this.#stage?.zoomPercent ?? 100)}
      ></studio-stage>
      <span class="chip label">${view.value.showsPhoto ? text.canvas.photo : scene.label}</span>
      ${
        scene.message
          ? html`<p class="chip message ${scene.isError ? "error" : ""}">
              ${scene.isError ? icons.warning : nothing}<span>${scene.message}</span>
            </p>`
          : nothing
      }
      ${
        inset
          ? html`<button
              class="inset ${inset.isSmall ? "small-inset" : ""}"
              aria-label=${inset.toJob ? text.canvas.toLive : text.canvas.toPreview}
              title=${inset.toJob ? text.canvas.toLive : text.canvas.toPreview}
              @click=${() => show(inset.toJob ? { kind: "job", id: inset.toJob } : { kind: "form" })}
            >
              <img src=${inset.url} alt="" />
              <span class="chip">${inset.label}</span>
            </button>`
          : nothing
      }
    `;
  }

  #tools(): TemplateResult {
    const { divider, showsLosses, showsPhoto, subject } = view.value;
    const hold = (showsPhoto: boolean) => (): void => view.set({ showsPhoto });
    return html`<div class="tools" role="toolbar" aria-label=${text.regions.canvas}>
      <div class="group">
        ${this.#icon(icons.less, text.canvas.zoomOut, () => this.#stage?.zoomOut())}
        <span class="number zoom" aria-label=${text.canvas.zoom}>${this.zoom} %</span>
        ${this.#icon(icons.add, text.canvas.zoomIn, () => this.#stage?.zoomIn())}
        ${this.#icon(icons.fit, text.canvas.fit, () => this.#stage?.fit())}
        <button class="button plain" @click=${() => this.#stage?.showPixels()}>
          ${text.canvas.full}
        </button>
      </div>
      <div class="group">
        <button
          class="button plain"
          title=${text.canvas.holdPhotoHint}
          aria-pressed=${showsPhoto}
          @pointerdown=${hold(true)}
          @pointerup=${hold(false)}
          @pointercancel=${hold(false)}
          @pointerleave=${hold(false)}
          @contextmenu=${(event: Event) => event.preventDefault()}
          @keydown=${(event: KeyboardEvent) => {
            if (event.key === " " || event.key === "Enter") hold(true)();
          }}
          @keyup=${hold(false)}
          @blur=${hold(false)}
        >
          ${icons.eye}<span>${text.canvas.holdPhoto}</span>
        </button>
        <button
          class="button plain"
          title=${text.canvas.divider}
          aria-pressed=${divider !== null}
          @click=${() => view.set({ divider: divider === null ? 50 : null })}
        >
          ${icons.split}<span>${text.canvas.dividerShort}</span>
        </button>
      </div>
      <div class="group">
        ${
          subject.kind === "form"
            ? [this.#mask("region", icons.brush), this.#mask("keep", icons.keep)]
            : html`<button
                class="button plain"
                aria-expanded=${showsLosses}
                @click=${() => {
                  if (subject.kind === "job") loadLosses(subject.id);
                  view.set({ showsLosses: !showsLosses });
                }}
              >
                ${icons.chart}<span>${text.canvas.losses}</span>
              </button>`
        }
      </div>
    </div>`;
  }

  #mask(kind: MaskKind, icon: TemplateResult): TemplateResult {
    const needsStyles = kind === "region" && form.value.styles.length < 2;
    const hint = needsStyles ? text.canvas.regionNeeds : text.canvas[`${kind}Hint`];
    const isUsed = form.value[kind] !== null;
    return html`<button
      class="button plain ${isUsed ? "used" : ""}"
      title=${hint}
      aria-label=${hint}
      aria-pressed=${view.value.tool === kind}
      ?disabled=${needsStyles}
      @click=${() => toggleTool(kind)}
    >
      ${icon}<span>${text.canvas[kind]}</span>
    </button>`;
  }

  #icon(icon: TemplateResult, label: string, action: () => void): TemplateResult {
    return html`<button
      class="button plain icon"
      aria-label=${label}
      title=${label}
      @click=${action}
    >
      ${icon}
    </button>`;
  }

  static override styles = [
    controls,
    css`
      :host {
        display: flex;
        flex-direction: column;
        min-width: 0;
        min-height: 0;
        background: var(--stage);
      }

      .tools {
        display: flex;
        flex-wrap: wrap;
        justify-content: space-between;
        gap: 0 8px;
        padding: 4px 8px;
        border-bottom: 1px solid var(--line);
        background: var(--panel);
      }

      .group {
        display: flex;
        align-items: center;
        gap: 4px;
      }

      .zoom {
        min-width: 52px;
        text-align: center;
      }

      .used::after {
        content: "";
        width: 6px;
        height: 6px;
        border-radius: 50%;
        background: var(--accent);
      }

      .middle {
        position: relative;
        flex: 1;
        min-height: 0;
      }

      :host([narrow]) .middle {
        flex: none;
        height: min(64dvh, 100vw);
        min-height: 280px;
      }

      .target {
        outline: 2px dashed var(--accent);
        outline-offset: -8px;
      }

      .empty {
        display: grid;
        place-items: center;
        height: 100%;
        padding: 24px;
        text-align: center;
      }

      .chip {
        padding: 2px 8px;
        border: 1px solid var(--line);
        border-radius: var(--radius);
        background: var(--panel);
        font-size: var(--small);
        line-height: 16px;
      }

      .label {
        position: absolute;
        left: 12px;
        top: 12px;
        pointer-events: none;
      }

      .message {
        position: absolute;
        left: 12px;
        right: 12px;
        bottom: 12px;
        width: fit-content;
        max-width: 480px;
        margin: 0 auto;
        padding: 8px 12px;
        font-size: var(--body);
        line-height: 20px;
      }

      .drop {
        position: absolute;
        left: 50%;
        top: 50%;
        translate: -50% -50%;
        padding: 12px 16px;
        border-color: var(--accent);
        color: var(--accent);
        font-size: var(--body);
        line-height: 20px;
        pointer-events: none;
      }

      .inset {
        position: absolute;
        right: 12px;
        top: 12px;
        padding: 0;
        border: 1px solid var(--edge);
        border-radius: var(--radius);
        background: var(--panel);
        overflow: hidden;
        cursor: pointer;
      }

      .inset img {
        width: auto;
        height: auto;
        max-width: 144px;
        max-height: 144px;
        min-width: 96px;
      }

      .inset .chip {
        position: absolute;
        left: 4px;
        top: 4px;
      }

      .small-inset .chip {
        display: none;
      }

      @media (max-width: 959px) {
        .tools {
          flex-wrap: nowrap;
          overflow-x: auto;
          padding: 0 4px;
          gap: 0;
        }

        .group {
          gap: 0;
        }

        .inset img {
          max-width: 104px;
          max-height: 104px;
        }
      }

      .small-inset img {
        min-width: 48px;
        max-width: 64px;
        max-height: 64px;
      }

      @media (max-width: 760px) {
        .tools .button span,
        .zoom {
          position: absolute;
          width: 1px;
          height: 1px;
          overflow: hidden;
          clip-path: inset(50%);
          white-space: nowrap;
        }

        .tools .button {
          position: relative;
          padding: 0;
          min-width: 40px;
        }
      }
    `,
  ];
}

customElements.define("studio-canvas", StudioCanvas);
