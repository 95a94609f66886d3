/** The bar below the canvas: what picture this is, and what can be done with it. */

import { css, html, nothing, type TemplateResult } from "lit";

import { controls } from "../styles/controls";
import { form, jobOf } from "../state/form";
import { job, jobs, settingsOf, star } from "../state/jobs";
import { larger, leaveVariants, makeVariants, making, nextSize } from "../state/make";
import { toast } from "../state/notices";
import { fillFrom } from "../state/recipe";
import { StudioElement } from "../state/store";
import { openDialog, show, view } from "../state/view";
import { urls } from "../api/client";
import type { JobView } from "../api/types";
import { duration, size } from "../lib/format";
import { text } from "../text";
import { icons } from "./icons";

class StudioPictureBar extends StudioElement {
  protected override stores() {
    return [form, jobs, making, view];
  }

  protected override render(): TemplateResult | typeof nothing {
    const { subject } = view.value;
    if (subject.kind === "form") return this.#form();
    if (subject.kind === "variants") {
      return this.#grid(text.variants.heading, text.variants.hint, () => void leaveVariants());
    }
    if (subject.kind === "pair") {
      return this.#grid(text.pair.heading, "", () => show({ kind: "form" }));
    }
    const shown = job(subject.id);
    return shown ? this.#job(shown) : nothing;
  }

  #form(): TemplateResult | typeof nothing {
    if (!jobOf(form.value)) return nothing;
    return html`<div class="bar">
      <div class="grow"></div>
      ${this.#variants(null)}
    </div>`;
  }

  #variants(shown: JobView | null): TemplateResult {
    return html`<button
      class="button plain"
      title=${text.result.variantsHint}
      ?disabled=${making.value.busy}
      @click=${() => void makeVariants(shown && settingsOf(shown))}
    >
      ${icons.grid}${text.result.variants}
    </button>`;
  }

  #grid(heading: string, hint: string, leave: () => void): TemplateResult {
    return html`<div class="bar">
      <p class="grow"><strong>${heading}</strong> <span class="muted">${hint}</span></p>
      <button class="button" @click=${leave}>${icons.close}${text.variants.back}</button>
    </div>`;
  }

  #job(shown: JobView): TemplateResult {
    const { title, favourite, report, adjustments } = shown;
    const remarks = jobs.value.remarks[shown.id] ?? [];
    return html`<div class="bar">
      <div class="grow about">
        <div class="title" title=${title}>${title}</div>
        <div class="small muted number">
          ${
            report
              ? text.result.info(size(report.size), report.steps, duration(report.seconds))
              : text.state[shown.state]
          }${adjustments.length > 0 ? `, ${text.result.adjusted(adjustments.length)}` : ""}
        </div>
      </div>
      <button
        class="button plain icon"
        aria-label=${text.result.star}
        title=${text.result.star}
        aria-pressed=${favourite}
        @click=${() => void star(shown.id)}
      >
        ${favourite ? icons.starred : icons.star}
      </button>
      ${shown.state === "done" ? this.#done(shown) : this.#reuse(shown)}
      ${
        remarks.length > 0
          ? html`<ul class="remarks small muted">
              ${remarks.map((words) => html`<li>${words}</li>`)}
            </ul>`
          : nothing
      }
    </div>`;
  }

  #done(shown: JobView): TemplateResult {
    const next = nextSize(shown);
    return html`
      ${this.#reuse(shown)}
      ${
        next === null
          ? nothing
          : html`<button
              class="button plain"
              title=${text.result.largerHint}
              @click=${() => void larger(shown)}
            >
              ${icons.larger}${text.result.larger(next)}
            </button>`
      }
      ${this.#variants(shown)}
      <button
        class="button plain"
        title=${text.result.commandHint}
        @click=${() => openDialog({ kind: "command", id: shown.id })}
      >
        ${icons.terminal}${text.result.command}
      </button>
      <details class="download" @keydown=${this.#escape} @focusout=${this.#left}>
        <summary class="button primary">${icons.down}${text.result.download}</summary>
        <ul>
          ${text.result.formats.map(
            ({ label, format, bits }) =>
              html`<li>
                <a class="button plain" href=${urls.download(shown.id, format, bits)} download>
                  ${label}
                </a>
              </li>`,
          )}
        </ul>
      </details>
    `;
  }

  #reuse(shown: JobView): TemplateResult {
    return html`<button
      class="button plain"
      title=${text.result.reuseHint}
      @click=${async () => {
        const missing = await fillFrom(settingsOf(shown));
        toast(missing.length > 0 ? text.intake.missing(missing) : text.intake.filled);
      }}
    >
      ${icons.sliders}${text.result.reuse}
    </button>`;
  }

  #escape = (event: KeyboardEvent): void => {
    if (event.key !== "Escape") return;
    const details = event.currentTarget as HTMLDetailsElement;
    details.open = false;
    details.querySelector("summary")?.focus();
  };

  #left = (event: FocusEvent): void => {
    const details = event.currentTarget as HTMLDetailsElement;
    if (!details.contains(event.relatedTarget as Node | null)) details.open = false;
  };

  static override styles = [
    controls,
    css`
      .bar {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        gap: 4px;
        min-height: 52px;
        padding: 4px 8px 4px 16px;
        border-top: 1px solid var(--line);
        background: var(--panel);
      }

      .about {
        min-width: 152px;
      }

      .bar .button {
        padding-inline: 8px;
      }

      .bar .icon {
        padding: 0;
      }

      .title,
      .about .small {
        overflow: hidden;
        text-overflow: ellipsis;
        white-space: nowrap;
      }

      .download {
        position: relative;
        margin-left: 4px;
      }

      summary {
        list-style: none;
      }

      summary::-webkit-details-marker {
        display: none;
      }

      .download ul {
        position: absolute;
        right: 0;
        bottom: calc(100% + 4px);
        z-index: 2;
        width: max-content;
        padding: 4px;
        border: 1px solid var(--edge);
        border-radius: var(--radius);
        background: var(--panel);
      }

      .download li .button {
        display: flex;
        justify-content: flex-start;
      }

      @media (max-width: 600px) {
        .bar {
          padding: 4px 16px 8px;
        }

        .bar > .grow:empty {
          display: none;
        }

        /* The words and the star fill a line, and the buttons share those below. */
        .bar > .grow {
          flex: 1 1 calc(100% - 64px);
        }

        .bar > .button:not(.icon) {
          flex: 1 1 40%;
        }

        .download {
          flex: 1 1 100%;
          margin: 0;
        }

        .download summary {
          width: 100%;
        }

        .download ul {
          width: 100%;
        }
      }

      .remarks {
        flex-basis: 100%;
        padding-bottom: 4px;
      }
    `,
  ];
}

customElements.define("studio-picture-bar", StudioPictureBar);
