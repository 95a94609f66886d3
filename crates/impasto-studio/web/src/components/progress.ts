/** How far a job is: a bar, the step, the scale and the time that is left. */

import { css, html, nothing, type PropertyValues, type TemplateResult } from "lit";

import { controls } from "../styles/controls";
import { StudioElement } from "../state/store";
import { duration, size } from "../lib/format";
import type { JobView } from "../api/types";
import { text } from "../text";

class StudioProgress extends StudioElement {
  static override properties = { job: { attribute: false } };

  declare job: JobView;

  protected override render(): TemplateResult {
    const { progress } = this.job;
    const now = progress ? Math.round((100 * progress.step) / progress.steps) : 0;
    return html`
      <div
        class="bar"
        role="progressbar"
        aria-label=${text.progress.bar}
        aria-valuemin="0"
        aria-valuemax="100"
        aria-valuenow=${now}
      >
        <div class="done"></div>
      </div>
      ${this.#words()}
    `;
  }

  #words(): TemplateResult {
    const { state, progress, ahead } = this.job;
    if (state === "queued") {
      return html`<p class="small">
        ${text.state.queued}. <span class="muted">${text.make.waiting(ahead)}</span>
      </p>`;
    }
    if (!progress) return html`<p class="small muted">${text.progress.preparing}</p>`;
    const left = text.progress.left(duration(progress["seconds-left"]));
    return html`<p class="small row between number">
        <span>${text.progress.step(progress)}</span>
        <span>${state === "paused" ? text.state.paused : left}</span>
      </p>
      ${
        progress.scales > 1
          ? html`<p class="small muted number">
              ${text.progress.scale(progress, size(progress.size))}
            </p>`
          : nothing
      }`;
  }

  protected override updated(_: PropertyValues): void {
    const { progress } = this.job;
    const part = progress ? progress.step / progress.steps : 0;
    const done = this.renderRoot.querySelector<HTMLElement>(".done");
    done?.style.setProperty("width", `${(100 * part).toFixed(1)}%`);
  }

  static override styles = [
    controls,
    css`
      .bar {
        height: 6px;
        margin-bottom: 8px;
        border-radius: 3px;
        background: var(--hover);
        overflow: hidden;
      }

      .done {
        width: 0;
        height: 100%;
        background: var(--accent);
      }
    `,
  ];
}

customElements.define("studio-progress", StudioProgress);
