/** Make, and what it costs. While a picture runs: its progress, pause and cancel. */

import { css, html, nothing, type TemplateResult } from "lit";

import "./progress";
import { controls } from "../styles/controls";
import { adjustable, setSmoothing } from "../state/adjust";
import { form } from "../state/form";
import { activeJob, control, jobs, recentJobs } from "../state/jobs";
import { make, making } from "../state/make";
import { masks } from "../state/masks";
import { planned } from "../state/plan";
import { show, view } from "../state/view";
import { StudioElement } from "../state/store";
import { bytes, duration, shortDevice, size } from "../lib/format";
import { isActive } from "../lib/states";
import type { JobView } from "../api/types";
import { text } from "../text";
import { icons } from "./icons";

const USUAL_SMOOTHING = 0.03;

class StudioMake extends StudioElement {
  static override properties = { narrow: { type: Boolean } };

  declare narrow: boolean;

  protected override stores() {
    return [form, jobs, making, masks, planned, view];
  }

  protected override render(): TemplateResult {
    const active = activeJob();
    return html`<div class="make">
      ${active ? this.#active(active) : nothing} ${this.#maker(active)}
    </div>`;
  }

  #maker(active: JobView | null): TemplateResult | typeof nothing {
    // A phone has no room for both.
    if (active && this.narrow) return nothing;
    const { plan, error } = planned.value;
    const isReady = plan !== null && error === null && !making.value.busy;
    const label = active ? text.make.queue : text.make.make;
    return html`
      ${this.#cost()}
      <button
        class="button wide ${active ? "" : "primary"}"
        ?disabled=${!isReady}
        aria-describedby="cost"
        @click=${() => void make()}
      >
        ${label}
      </button>
    `;
  }

  #cost(): TemplateResult {
    const { plan, busy, error } = planned.value;
    const words = making.value.error ?? masks.value.error ?? error;
    if (words) {
      return html`<p id="cost" class="error small" role="alert">
        ${icons.warning}<span>${words}</span>
      </p>`;
    }
    const { photo, styles } = form.value;
    let line = text.make.planning;
    if (!photo) line = text.make.needsPhoto;
    else if (styles.length === 0) line = text.make.needsStyle;
    else if (plan) {
      const time = duration(plan.seconds);
      const device = shortDevice(plan.device_summary);
      line = text.make.cost(size(plan.size), time, bytes(plan.peak_memory), device);
    }
    return html`<p id="cost" class="small number cost ${busy ? "stale" : ""}">${line}</p>`;
  }

  #active(job: JobView): TemplateResult {
    const waiting = recentJobs().filter((other) => isActive(other.state)).length - 1;
    const { subject } = view.value;
    const isShown = subject.kind === "job" && subject.id === job.id;
    const refusal = jobs.value.refusals[job.id];
    return html`<section aria-label=${job.title}>
      <div class="row between">
        <span class="title" title=${job.title}>${job.title}</span>
        ${
          isShown
            ? nothing
            : html`<button class="button plain" @click=${() => show({ kind: "job", id: job.id })}>
                ${icons.eye}${text.make.show}
              </button>`
        }
      </div>
      <studio-progress .job=${job}></studio-progress>
      ${this.#smoothing()}
      <div class="row buttons">${this.#pause(job)} ${this.#cancel(job)}</div>
      ${
        refusal
          ? html`<p class="error small" role="alert">${icons.warning}<span>${refusal}</span></p>`
          : nothing
      }
      ${waiting > 0 ? html`<p class="small muted">${text.make.more(waiting)}</p>` : nothing}
    </section>`;
  }

  #pause(job: JobView): TemplateResult {
    const isPaused = job.state === "paused";
    const isPausing = job.wanted === "pause";
    const label = isPaused ? text.make.resume : isPausing ? text.make.pausing : text.make.pause;
    return html`<button
      class="button grow"
      ?disabled=${isPausing || job.wanted === "cancel"}
      @click=${() => void control(job.id, { action: isPaused ? "resume" : "pause" })}
    >
      ${isPaused ? icons.play : icons.pause}${label}
    </button>`;
  }

  #cancel(job: JobView): TemplateResult {
    const isCancelling = job.wanted === "cancel";
    return html`<button
      class="button grow"
      ?disabled=${isCancelling}
      @click=${() => void control(job.id, { action: "cancel" })}
    >
      ${icons.close}${isCancelling ? text.make.cancelling : text.make.cancel}
    </button>`;
  }

  #smoothing(): TemplateResult | typeof nothing {
    if (this.narrow || !adjustable()) return nothing;
    const value = form.value.options["tv-weight"];
    return html`<label class="row between smoothing">
      <span>${text.make.smoothing}</span>
      <input
        class="field number"
        type="number"
        min="0"
        step="0.01"
        inputmode="decimal"
        placeholder=${USUAL_SMOOTHING}
        .value=${value == null ? "" : String(value)}
        @change=${(event: Event) => {
          const words = (event.target as HTMLInputElement).value;
          setSmoothing(words === "" ? undefined : Math.max(0, Number(words)));
        }}
      />
    </label>`;
  }

  static override styles = [
    controls,
    css`
      .make {
        display: grid;
        gap: 8px;
        padding: 12px 16px 16px;
        border-top: 1px solid var(--line);
        background: var(--panel);
      }

      section {
        display: grid;
        gap: 8px;
        padding-bottom: 12px;
        margin-bottom: 4px;
        border-bottom: 1px solid var(--line);
      }

      section:last-child {
        padding-bottom: 0;
        margin-bottom: 0;
        border-bottom: 0;
      }

      .title {
        min-width: 0;
        overflow: hidden;
        text-overflow: ellipsis;
        white-space: nowrap;
        font-weight: 600;
      }

      .wide {
        width: 100%;
        min-height: 48px;
        font-size: 1rem;
      }

      .cost {
        text-align: center;
      }

      .stale {
        color: var(--muted);
      }

      .smoothing input {
        width: 88px;
        text-align: right;
      }

      @media (max-width: 959px) {
        .make {
          padding: 8px 16px;
        }

        .wide {
          min-height: 44px;
        }
      }
    `,
  ];
}

customElements.define("studio-make", StudioMake);
