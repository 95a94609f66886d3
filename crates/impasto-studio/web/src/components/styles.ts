/** The styles: their weights and parts, and the gallery to choose from. */

import { css, html, nothing, type TemplateResult } from "lit";
import { repeat } from "lit/directives/repeat.js";

import { controls } from "../styles/controls";
import {
  addStyle,
  changeStyle,
  form,
  removeStyle,
  takeStyle,
  type StyleChoice,
} from "../state/form";
import { intake } from "../state/intake";
import { planned } from "../state/plan";
import { StudioElement } from "../state/store";
import { system } from "../state/system";
import { openDialog } from "../state/view";
import { urls } from "../api/client";
import type { GalleryEntry } from "../api/types";
import { text } from "../text";
import "./crop-view";
import { icons } from "./icons";
import { dropFiles, pickFiles } from "./pick";

class StudioStyles extends StudioElement {
  static override properties = { dragging: { type: Boolean } };

  declare dragging: boolean;

  protected override stores() {
    return [form, intake, planned, system];
  }

  protected override render(): TemplateResult {
    const { styles } = form.value;
    const gallery = system.value.info?.gallery ?? [];
    return html`<section @drop=${(event: DragEvent) => dropFiles(event, "style")}>
      <div class="row between head">
        <h2>${text.styles.heading}</h2>
        <button class="button plain" @click=${() => pickFiles("style", true)}>
          ${icons.add}${text.styles.pick}
        </button>
      </div>
      <div class="drop ${this.dragging ? "target" : ""}">
        ${styles.length === 0 ? html`<p class="muted empty">${text.styles.empty}</p>` : nothing}
        <ul>
          ${repeat(
            styles,
            (style) => style.file.sha256,
            (style, index) => this.#style(style, index),
          )}
        </ul>
        ${this.dragging ? html`<p class="over">${text.intake.dropStyle}</p>` : nothing}
      </div>
      ${this.#problem()}
      ${
        gallery.length > 0
          ? html`<h3 class="small muted">${text.styles.gallery}</h3>
              <ul class="gallery">
                ${gallery.map((entry) => this.#entry(entry))}
              </ul>`
          : nothing
      }
    </section>`;
  }

  #style(style: StyleChoice, index: number): TemplateResult {
    const { styles } = form.value;
    const { file, weight, crop } = style;
    const total = styles.reduce((sum, other) => sum + other.weight, 0);
    const share = total > 0 ? Math.round((100 * weight) / total) : 0;
    return html`<li class="style">
      <button
        class="thumb"
        title=${text.styles.part(file.name)}
        @click=${() => openDialog({ kind: "crop", index })}
      >
        <crop-view .file=${file} .crop=${crop} alt=${text.styles.part(file.name)}></crop-view>
      </button>
      <div class="grow">
        <div class="name" title=${file.name}>${file.name}</div>
        <div class="small muted">${crop ? text.styles.cropped : text.styles.whole}</div>
      </div>
      <button
        class="button plain icon"
        aria-label=${text.styles.part(file.name)}
        title=${text.styles.part(file.name)}
        @click=${() => openDialog({ kind: "crop", index })}
      >
        ${icons.crop}
      </button>
      <button
        class="button plain icon"
        aria-label=${text.styles.remove(file.name)}
        title=${text.styles.remove(file.name)}
        @click=${() => removeStyle(index)}
      >
        ${icons.close}
      </button>
      ${
        styles.length > 1
          ? html`<label class="weight">
              <span class="small muted">${text.styles.weightLabel}</span>
              <input
                type="range"
                min="0"
                max="4"
                step="0.1"
                .value=${String(weight)}
                aria-label=${text.styles.weight(file.name)}
                aria-valuetext="${weight}, ${text.styles.share(share)}"
                @input=${(event: Event) => {
                  changeStyle(index, { weight: Number((event.target as HTMLInputElement).value) });
                }}
              />
              <span class="small number share">${text.styles.share(share)}</span>
            </label>`
          : nothing
      }
    </li>`;
  }

  #entry({ title, by, file }: GalleryEntry): TemplateResult {
    const isUsed = form.value.styles.some((style) => style.file.sha256 === file.sha256);
    return html`<li>
      <button
        class="pick"
        aria-pressed=${isUsed}
        aria-label=${text.styles.use(title, by)}
        title=${text.styles.use(title, by)}
        @click=${() => takeStyle({ ...file, name: file.name || title })}
      >
        <img src=${urls.file(file.sha256, 128)} alt="" loading="lazy" />
      </button>
      ${
        isUsed
          ? nothing
          : html`<button
              class="add"
              aria-label=${text.styles.add(title)}
              title=${text.styles.add(title)}
              @click=${() => addStyle(file)}
            >
              ${icons.add}
            </button>`
      }
    </li>`;
  }

  #problem(): TemplateResult | typeof nothing {
    const { error } = intake.value;
    const { field, error: refusal } = planned.value;
    const isMine = field?.startsWith("inputs.styles") || field?.startsWith("inputs.mask");
    const words = error?.role === "style" ? error.words : isMine ? refusal : null;
    if (!words) return nothing;
    return html`<p class="error" role="alert">${icons.warning}<span>${words}</span></p>`;
  }

  static override styles = [
    controls,
    css`
      section {
        padding: 8px 16px 16px;
      }

      .head {
        min-height: 44px;
      }

      .head .button {
        margin-right: -12px;
      }

      .drop {
        position: relative;
        border-radius: var(--radius);
      }

      .target {
        outline: 2px dashed var(--accent);
        outline-offset: 2px;
      }

      .over {
        padding: 8px;
        color: var(--accent);
        text-align: center;
      }

      .empty {
        padding: 24px 16px;
        border: 1px dashed var(--edge);
        border-radius: var(--radius);
        text-align: center;
      }

      .style {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        column-gap: 4px;
        padding: 8px 0;
        border-top: 1px solid var(--line);
      }

      .style:first-child {
        border-top: 0;
        padding-top: 0;
      }

      .thumb {
        width: 64px;
        height: 64px;
        margin-right: 8px;
        padding: 0;
        border: 1px solid var(--line);
        border-radius: var(--radius);
        background: var(--stage);
        overflow: hidden;
        cursor: pointer;
      }

      /* Two lines hold most names. */
      .name {
        display: -webkit-box;
        -webkit-box-orient: vertical;
        -webkit-line-clamp: 2;
        overflow: hidden;
        overflow-wrap: anywhere;
        line-height: 18px;
      }

      .weight {
        flex-basis: 100%;
        display: flex;
        align-items: center;
        gap: 8px;
      }

      .share {
        min-width: 36px;
        text-align: right;
      }

      .gallery {
        display: grid;
        grid-template-columns: repeat(auto-fill, minmax(72px, 1fr));
        gap: 8px;
      }

      h3 {
        margin: 16px 0 8px;
        font-weight: 400;
      }

      .gallery li {
        position: relative;
      }

      .pick {
        display: block;
        width: 100%;
        aspect-ratio: 1;
        padding: 0;
        border: 1px solid var(--line);
        border-radius: var(--radius);
        background: var(--stage);
        overflow: hidden;
        cursor: pointer;
      }

      .pick img {
        width: 100%;
        height: 100%;
        object-fit: cover;
      }

      .pick[aria-pressed="true"] {
        border-color: var(--accent);
        box-shadow: inset 0 0 0 1px var(--accent);
        padding: 2px;
      }

      .add {
        position: absolute;
        right: 4px;
        bottom: 4px;
        display: grid;
        place-items: center;
        width: 24px;
        height: 24px;
        padding: 0;
        border: 1px solid var(--edge);
        border-radius: var(--radius);
        background: var(--panel);
        cursor: pointer;
      }

      /* The target is larger than what is drawn. */
      .add::after {
        content: "";
        position: absolute;
        inset: -10px -4px -4px -10px;
      }

      .error {
        margin-top: 8px;
      }
    `,
  ];
}

customElements.define("studio-styles", StudioStyles);
