/** A style's thumbnail, of its crop alone if it has one. It fills its box. */

import { css, html, LitElement, type PropertyValues, type TemplateResult } from "lit";

import type { Crop, FileRef } from "../state/form";
import { urls } from "../api/client";

class CropView extends LitElement {
  static override properties = {
    file: { attribute: false },
    crop: { attribute: false },
    alt: {},
  };

  declare file: FileRef;
  declare crop: Crop | null;
  declare alt: string;

  protected override render(): TemplateResult {
    return html`<img src=${urls.file(this.file.sha256, 256)} alt=${this.alt} />`;
  }

  protected override updated(_: PropertyValues): void {
    const image = this.renderRoot.querySelector("img");
    if (!image) return;
    const [left, top, width, height] = this.crop ?? [0, 0, 100, 100];
    // The crop is scaled to cover the box, as `object-fit: cover` does with a whole picture.
    const aspect = (this.file.width * width) / (this.file.height * height);
    const [coverWidth, coverHeight] = aspect > 1 ? [aspect, 1] : [1, 1 / aspect];
    const [x, y] = [(1 - coverWidth) / 2, (1 - coverHeight) / 2];
    const put = (name: string, value: number): void =>
      image.style.setProperty(name, `${value.toFixed(3)}%`);
    put("width", (coverWidth * 10_000) / width);
    put("height", (coverHeight * 10_000) / height);
    put("left", 100 * (x - (coverWidth * left) / width));
    put("top", 100 * (y - (coverHeight * top) / height));
  }

  static override styles = css`
    :host {
      display: block;
      position: relative;
      width: 100%;
      height: 100%;
      overflow: hidden;
    }

    img {
      position: absolute;
      max-width: none;
    }
  `;
}

customElements.define("crop-view", CropView);
