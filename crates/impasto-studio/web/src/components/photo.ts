/** The photo: shown, dropped, picked. */

import { css, html, nothing, type TemplateResult } from "lit";

import { controls } from "../styles/controls";
import { form, isExamplePhoto } from "../state/form";
import { intake } from "../state/intake";
import { planned } from "../state/plan";
import { StudioElement } from "../state/store";
import { system } from "../state/system";
import { urls } from "../api/client";
import { text } from "../text";
import { icons } from "./icons";
import { dropFiles, pickFiles } from "./pick";

class StudioPhoto extends StudioElement {
  static override properties = { dragging: { type: Boolean } };

  declare dragging: boolean;

  protected override stores() {
    return [form, intake, planned, system];
  }

  protected override render(): TemplateResult {
    const { photo } = form.value;
    return html`<section @drop=${(event: DragEvent) => dropFiles(event, "photo")}>
      <div class="row between head">
        <h2>${text.photo.heading}</h2>
        ${
          photo
            ? html`<button class="button plain" @click=${() => pickFiles("photo", false)}>
                ${icons.upload}${text.photo.change}
              </button>`
            : nothing
        }
      </div>
      <div class="drop ${this.dragging ? "target" : ""}">
        ${
          photo
            ? html`<img
                  src=${urls.file(photo.sha256, 512)}
                  width=${photo.width}
                  height=${photo.height}
                  alt=${text.photo.alt(photo.name)}
                />
                ${this.dragging ? html`<p class="over">${text.intake.dropPhoto}</p>` : nothing}`
            : html`<button class="button plain empty" @click=${() => pickFiles("photo", false)}>
                ${icons.upload}${text.photo.empty}
              </button>`
        }
      </div>
      ${
        photo
          ? html`<p class="row between small muted">
              <span class="name" title=${photo.name}>${photo.name}</span>
              <span class="number">
                ${isExamplePhoto() ? `${text.photo.example}, ` : ""}${photo.width}×${photo.height}
              </span>
            </p>`
          : nothing
      }
      ${this.#problem()}
    </section>`;
  }

  #problem(): TemplateResult | typeof nothing {
    const { busy, error } = intake.value;
    const { field, error: refusal } = planned.value;
    const words =
      error && error.role !== "style" && error.role !== "mask"
        ? error.words
        : field?.startsWith("inputs.content")
          ? refusal
          : null;
    if (words) return html`<p class="error" role="alert">${icons.warning}<span>${words}</span></p>`;
    if (busy.length > 0) return html`<p class="small muted">${text.intake.uploading(busy)}</p>`;
    return nothing;
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
        display: grid;
        place-items: center;
        min-height: 96px;
        border: 1px solid var(--line);
        border-radius: var(--radius);
        background: var(--stage);
        overflow: hidden;
      }

      .target {
        outline: 2px dashed var(--accent);
        outline-offset: 2px;
      }

      .over {
        position: absolute;
        inset: auto 0 0;
        padding: 8px;
        background: var(--panel);
        color: var(--accent);
        text-align: center;
      }

      img {
        width: auto;
        height: auto;
        max-width: 100%;
        max-height: 176px;
      }

      .empty {
        width: 100%;
        min-height: 96px;
        color: var(--muted);
      }

      .small {
        margin-top: 8px;
      }

      .name {
        overflow: hidden;
        text-overflow: ellipsis;
        white-space: nowrap;
      }

      .number {
        flex: none;
      }

      .error {
        margin-top: 8px;
      }
    `,
  ];
}

customElements.define("studio-photo", StudioPhoto);
