/** All pictures that were made: search, favourites, compare, delete. */

import { css, html, nothing, type TemplateResult } from "lit";
import { repeat } from "lit/directives/repeat.js";

import { strengthOf } from "../state/form";
import { job, jobs, learn, remove, settingsOf, star } from "../state/jobs";
import { openJob } from "../state/make";
import { StudioElement, debounce } from "../state/store";
import { closeDialog, show } from "../state/view";
import { listJobs, urls, wordsOf } from "../api/client";
import type { JobView } from "../api/types";
import { moment, size } from "../lib/format";
import { text } from "../text";
import { icons } from "./icons";
import { panel } from "./panel";

const PAGE = 24;
const TYPING_MS = 250;

class StudioHistory extends StudioElement {
  static override properties = {
    ids: { state: true },
    next: { state: true },
    search: { state: true },
    favourites: { state: true },
    picked: { state: true },
    error: { state: true },
    busy: { state: true },
  };

  declare ids: string[];
  declare next: number | null;
  declare search: string;
  declare favourites: boolean;
  declare picked: string[];
  declare error: string | null;
  declare busy: boolean;

  #turn = 0;

  constructor() {
    super();
    this.ids = [];
    this.next = null;
    this.search = "";
    this.favourites = false;
    this.picked = [];
    this.error = null;
    this.busy = true;
  }

  protected override stores() {
    return [jobs];
  }

  override connectedCallback(): void {
    super.connectedCallback();
    void this.#load(false);
  }

  /** Loads the first page, or the next one. Answers to former questions are ignored. */
  async #load(isMore: boolean): Promise<void> {
    const mine = ++this.#turn;
    this.busy = true;
    try {
      const page = await listJobs({
        limit: PAGE,
        before: isMore ? this.next : null,
        search: this.search.trim(),
        favourite: this.favourites || null,
      });
      if (mine !== this.#turn) return;
      learn(...page.jobs);
      const ids = page.jobs.map((view) => view.id);
      this.ids = isMore ? [...this.ids, ...ids] : ids;
      this.next = page.next;
      this.error = null;
    } catch (error) {
      if (mine === this.#turn) this.error = wordsOf(error);
    }
    if (mine === this.#turn) this.busy = false;
  }

  #again = debounce(TYPING_MS, () => void this.#load(false));

  #pick(id: string): void {
    const others = this.picked.filter((other) => other !== id);
    this.picked = others.length < this.picked.length ? others : [...this.picked, id].slice(-2);
  }

  /** Deletes a picture. The focus goes on to the one that takes its place. */
  async #remove(id: string): Promise<void> {
    const place = this.ids.indexOf(id);
    this.picked = this.picked.filter((other) => other !== id);
    await remove(id, () => void this.#load(false));
    await this.updateComplete;
    const entries = this.renderRoot.querySelectorAll<HTMLElement>(".open");
    entries[Math.min(place, entries.length - 1)]?.focus();
  }

  #compare = (): void => {
    const [a, b] = this.picked;
    if (!a || !b) return;
    show({ kind: "pair", ids: [a, b] });
    closeDialog();
  };

  protected override render(): TemplateResult {
    const views = this.ids.map(job).filter((view) => view !== null);
    const isFiltered = this.search.trim() !== "" || this.favourites;
    return html`
      <div class="filter">
        <label class="search">
          ${icons.search}
          <input
            class="field"
            type="search"
            placeholder=${text.history.search}
            aria-label=${text.history.search}
            .value=${this.search}
            @input=${(event: Event) => {
              this.search = (event.target as HTMLInputElement).value;
              this.#again();
            }}
          />
        </label>
        <label class="check">
          <input
            type="checkbox"
            .checked=${this.favourites}
            @change=${(event: Event) => {
              this.favourites = (event.target as HTMLInputElement).checked;
              void this.#load(false);
            }}
          />
          ${text.history.favourites}
        </label>
        <button class="button" ?disabled=${this.picked.length !== 2} @click=${this.#compare}>
          ${icons.compare}${
            this.picked.length === 2
              ? text.history.compare
              : text.history.compareHint(this.picked.length)
          }
        </button>
      </div>
      <div class="dialog-body" tabindex="-1">
        ${
          this.error
            ? html`<p class="error" role="alert">${icons.warning}<span>${this.error}</span></p>`
            : nothing
        }
        ${
          views.length === 0 && !this.busy && !this.error
            ? html`<p class="muted none">
                ${isFiltered ? text.history.noneFound : text.history.none}
              </p>`
            : nothing
        }
        <ul>
          ${repeat(
            views,
            ({ id }) => id,
            (view) => this.#entry(view),
          )}
        </ul>
        ${
          this.next !== null
            ? html`<button
                class="button more"
                ?disabled=${this.busy}
                @click=${() => void this.#load(true)}
              >
                ${text.history.more}
              </button>`
            : nothing
        }
      </div>
    `;
  }

  #entry(view: JobView): TemplateResult {
    const { id, title, favourite, state, created } = view;
    const isPicked = this.picked.includes(id);
    const facts = [
      text.history.strength(strengthOf(settingsOf(view).options ?? {})),
      ...(view.size ? [size(view.size)] : []),
      ...(state === "done" ? [] : [text.state[state]]),
    ];
    return html`<li class=${isPicked ? "picked" : ""}>
      <button
        class="open"
        aria-label=${text.history.open(title)}
        @click=${() => {
          openJob(id);
          closeDialog();
        }}
      >
        <img src=${urls.job(id, 384, state)} alt="" loading="lazy" />
      </button>
      <div class="title" title=${title}>${title}</div>
      <div class="small muted number">${facts.join(", ")}</div>
      <div class="row between tools">
        <span class="small muted number">${moment(created)}</span>
        <span class="row">
          ${this.#tool(icons.compare, text.history.pick(title), isPicked, () => this.#pick(id))}
          ${this.#tool(
            favourite ? icons.starred : icons.star,
            text.history.star(title),
            favourite,
            () => void star(id),
          )}
          ${this.#tool(icons.trash, text.history.remove(title), null, () => {
            void this.#remove(id);
          })}
        </span>
      </div>
    </li>`;
  }

  #tool(
    icon: TemplateResult,
    label: string,
    pressed: boolean | null,
    action: () => void,
  ): TemplateResult {
    return html`<button
      class="button plain icon"
      aria-label=${label}
      title=${label}
      aria-pressed=${pressed ?? nothing}
      @click=${action}
    >
      ${icon}
    </button>`;
  }

  static override styles = [
    ...panel,
    css`
      .filter {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        gap: 8px 16px;
        padding: 12px 20px;
        border-bottom: 1px solid var(--line);
      }

      .search {
        position: relative;
        flex: 1 1 200px;
      }

      .search svg {
        position: absolute;
        left: 8px;
        top: 50%;
        translate: 0 -50%;
        color: var(--muted);
      }

      .search .field {
        padding-left: 36px;
      }

      .dialog-body {
        min-height: min(480px, 60dvh);
      }

      .none {
        padding: 64px 16px;
        text-align: center;
      }

      ul {
        display: grid;
        grid-template-columns: repeat(auto-fill, minmax(min(176px, 100%), 1fr));
        gap: 12px;
      }

      li {
        min-width: 0;
        padding: 8px;
        border: 1px solid var(--line);
        border-radius: var(--radius);
      }

      .picked {
        border-color: var(--accent);
        outline: 1px solid var(--accent);
      }

      .open {
        display: block;
        width: 100%;
        aspect-ratio: 4 / 3;
        margin-bottom: 8px;
        padding: 0;
        border: 0;
        background: var(--stage);
        cursor: pointer;
      }

      .open img {
        width: 100%;
        height: 100%;
        object-fit: contain;
      }

      .title {
        overflow: hidden;
        text-overflow: ellipsis;
        white-space: nowrap;
      }

      .tools .row {
        gap: 0;
      }

      .tools {
        flex-wrap: wrap;
        margin: 4px -4px -4px 0;
      }

      @media (max-width: 600px) {
        .filter {
          padding: 8px 16px;
          gap: 4px 8px;
        }

        .search {
          flex-basis: 100%;
        }

        .filter .button {
          margin-left: auto;
          padding-inline: 8px;
        }

        .filter .check {
          font-size: var(--small);
        }

        ul {
          grid-template-columns: repeat(auto-fill, minmax(min(144px, 100%), 1fr));
        }

        .filter .button {
          font-size: var(--small);
        }
      }

      .more {
        display: flex;
        margin: 20px auto 0;
      }
    `,
  ];
}

customElements.define("studio-history", StudioHistory);
