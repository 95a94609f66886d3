/** The film strip: the last pictures, with the progress of those that run. */

import { css, html, nothing, type PropertyValues, type TemplateResult } from "lit";
import { repeat } from "lit/directives/repeat.js";

import { controls } from "../styles/controls";
import { jobs, recentJobs } from "../state/jobs";
import { openJob } from "../state/make";
import { StudioElement } from "../state/store";
import { openDialog, view } from "../state/view";
import { urls } from "../api/client";
import type { JobView } from "../api/types";
import { isActive } from "../lib/states";
import { text } from "../text";
import { icons } from "./icons";

class StudioStrip extends StudioElement {
  protected override stores() {
    return [jobs, view];
  }

  protected override render(): TemplateResult {
    const list = recentJobs();
    if (list.length === 0) return html`<p class="none muted small">${text.strip.none}</p>`;
    return html`<ul>
      ${repeat(
        list,
        ({ id }) => id,
        (entry) => html`<li>${this.#entry(entry)}</li>`,
      )}
      <li>
        <button class="all" @click=${() => openDialog({ kind: "history" })}>
          ${icons.dots}<span class="small">${text.strip.all}</span>
        </button>
      </li>
    </ul>`;
  }

  #entry(entry: JobView): TemplateResult {
    const { subject } = view.value;
    const isShown = subject.kind === "job" && subject.id === entry.id;
    const name = text.strip.open(entry.title, text.state[entry.state]);
    const active = isActive(entry.state);
    // The live thumbnail is fetched again with every twentieth of the job.
    const { progress } = entry;
    const twentieth = progress ? Math.floor((20 * progress.step) / progress.steps) : 0;
    const version = active ? `${entry.state}-${twentieth}` : entry.state;
    return html`<button
      aria-label=${name}
      title=${name}
      aria-pressed=${isShown}
      @click=${() => openJob(entry.id)}
    >
      <img src=${urls.job(entry.id, 192, version)} alt="" loading="lazy" />
      ${entry.favourite ? html`<span class="mark">${icons.starred}</span>` : nothing}
      ${
        entry.state === "failed" || entry.state === "set-aside"
          ? html`<span class="mark bad">${icons.warning}</span>`
          : nothing
      }
      ${
        active
          ? html`<span class="state small">
                ${entry.state === "queued" ? text.state.queued : nothing}
                ${entry.state === "paused" ? text.state.paused : nothing}
              </span>
              <span class="bar"
                ><span data-part=${progress ? progress.step / progress.steps : 0}></span
              ></span>`
          : nothing
      }
    </button>`;
  }

  protected override updated(_: PropertyValues): void {
    for (const bar of this.renderRoot.querySelectorAll<HTMLElement>("[data-part]")) {
      bar.style.setProperty("width", `${100 * Number(bar.dataset["part"])}%`);
    }
  }

  static override styles = [
    controls,
    css`
      .none {
        padding: 16px;
      }

      ul {
        display: flex;
        gap: 8px;
        padding: 8px 16px;
        overflow-x: auto;
        scrollbar-width: thin;
        scrollbar-color: var(--edge) transparent;
      }

      li {
        flex: none;
      }

      button {
        position: relative;
        display: block;
        height: 72px;
        min-width: 48px;
        padding: 0;
        border: 1px solid var(--line);
        border-radius: var(--radius);
        background: var(--stage);
        overflow: hidden;
        cursor: pointer;
      }

      button[aria-pressed="true"] {
        border-color: var(--accent);
        outline: 1px solid var(--accent);
      }

      button:focus-visible {
        outline: 2px solid var(--accent);
        outline-offset: 2px;
      }

      img {
        height: 100%;
        width: auto;
        min-width: 48px;
        max-width: 128px;
        object-fit: cover;
      }

      .mark {
        position: absolute;
        right: 2px;
        top: 2px;
        padding: 2px;
        border-radius: var(--radius);
        background: var(--panel);
        color: var(--text);
      }

      .mark svg {
        width: 12px;
        height: 12px;
      }

      .bad {
        color: var(--error);
      }

      .state {
        position: absolute;
        left: 2px;
        bottom: 6px;
        padding: 0 4px;
        border-radius: var(--radius);
        background: var(--panel);
      }

      .state:empty {
        display: none;
      }

      .bar {
        position: absolute;
        inset: auto 0 0;
        height: 4px;
        background: var(--panel);
      }

      .bar span {
        display: block;
        width: 0;
        height: 100%;
        background: var(--accent);
      }

      .all {
        display: grid;
        place-content: center;
        justify-items: center;
        width: 72px;
        background: transparent;
      }
    `,
  ];
}

customElements.define("studio-strip", StudioStrip);
