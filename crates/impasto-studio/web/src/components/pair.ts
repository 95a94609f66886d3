/** Two pictures side by side. */

import { css, html, nothing, type TemplateResult } from "lit";

import { controls } from "../styles/controls";
import { strengthOf } from "../state/form";
import { job, jobs, settingsOf } from "../state/jobs";
import { openJob } from "../state/make";
import { StudioElement } from "../state/store";
import { urls } from "../api/client";
import { size } from "../lib/format";
import { text } from "../text";

class StudioPair extends StudioElement {
  static override properties = { ids: { attribute: false } };

  declare ids: [string, string];

  protected override stores() {
    return [jobs];
  }

  protected override render(): TemplateResult {
    return html`<div class="pair">${this.ids.map((id) => this.#one(id))}</div>`;
  }

  #one(id: string): TemplateResult | typeof nothing {
    const view = job(id);
    if (!view) return nothing;
    const strength = text.history.strength(strengthOf(settingsOf(view).options ?? {}));
    const url = view.state === "done" ? urls.shown(id) : urls.job(id, 1024, view.state);
    return html`<figure>
      <div class="picture"><img src=${url} alt=${view.title} /></div>
      <figcaption class="row between">
        <span class="grow">
          <span class="title">${view.title}</span>
          <span class="small muted number"
            >${strength}${view.size ? `, ${size(view.size)}` : ""}</span
          >
        </span>
        <button class="button" @click=${() => openJob(id)}>${text.pair.open}</button>
      </figcaption>
    </figure>`;
  }

  static override styles = [
    controls,
    css`
      :host,
      .pair {
        height: 100%;
      }

      .pair {
        display: grid;
        grid-template-columns: repeat(2, minmax(0, 1fr));
        gap: 8px;
        padding: 12px;
      }

      figure {
        display: flex;
        flex-direction: column;
        gap: 8px;
        min-height: 0;
      }

      .picture {
        flex: 1;
        min-height: 0;
      }

      img {
        width: 100%;
        height: 100%;
        object-fit: contain;
      }

      .title {
        display: block;
        overflow: hidden;
        text-overflow: ellipsis;
        white-space: nowrap;
      }
    `,
  ];
}

customElements.define("studio-pair", StudioPair);
