/** All other options. The schema of a job says which there are and what they take. */

import { css, html, nothing, type TemplateResult } from "lit";

import { controls } from "../styles/controls";
import { setSmoothing } from "../state/adjust";
import { form, setOption } from "../state/form";
import { planned } from "../state/plan";
import { StudioElement } from "../state/store";
import { system } from "../state/system";
import { fieldsOf, type Field } from "../lib/schema";
import type { JobOptions } from "../job-types";
import { text } from "../text";
import { icons } from "./icons";

/** These have controls of their own. */
const SHOWN_ELSEWHERE = new Set(["strength", "preset", "size", "colors", "style-scale", "brush"]);
const INIT_WORDS = ["content", "noise", "grey"] as const;

class StudioMore extends StudioElement {
  /** Words about input that is no value, by field. */
  #bad = new Map<string, string>();

  protected override stores() {
    return [form, planned, system];
  }

  protected override render(): TemplateResult {
    const { schema } = system.value;
    const fields = schema ? fieldsOf(schema, "JobOptions", "transfer") : [];
    const mine = fields.filter(({ name }) => !SHOWN_ELSEWHERE.has(name));
    const changed = mine.filter(({ name }) => name in form.value.options).length;
    const count = changed + (form.value.init ? 1 : 0);
    return html`<details>
      <summary>
        <span class="row">${icons.sliders}${text.more.heading}</span>
        <span class="small muted">${count > 0 ? text.more.changed(count) : ""}</span>
      </summary>
      ${schema ? nothing : html`<p class="muted">${text.more.loading}</p>`} ${this.#groups(mine)}
      ${
        count > 0
          ? html`<button class="button" @click=${() => this.#reset(mine)}>
              ${text.more.reset}
            </button>`
          : nothing
      }
    </details>`;
  }

  #groups(fields: Field[]): TemplateResult[] {
    const known = new Set(text.more.groups.flatMap((group) => group.names));
    const others = fields.map(({ name }) => name).filter((name) => !known.has(name));
    const groups = [...text.more.groups, { title: text.more.others, names: others }];
    const byName = new Map(fields.map((field) => [field.name, field]));
    return groups
      .map(({ title, names }) => {
        const list = names.map((name) => byName.get(name)).filter((field) => field !== undefined);
        return { title, list };
      })
      .filter(({ list }) => list.length > 0)
      .map(
        ({ title, list }, index) =>
          html`<fieldset>
            <legend class="small muted">${title}</legend>
            ${index === 0 ? this.#init() : nothing} ${list.map((field) => this.#field(field))}
          </fieldset>`,
      );
  }

  #init(): TemplateResult {
    const { init } = form.value;
    return html`<div class="item">
      <label for="init">${text.more.init}</label>
      <select
        id="init"
        class="field"
        @change=${(event: Event) => {
          const index = (event.target as HTMLSelectElement).selectedIndex;
          form.set({ init: index === 0 ? null : (INIT_WORDS[index] ?? null) });
        }}
      >
        ${INIT_WORDS.map(
          (word) =>
            html`<option .selected=${word === (init ?? "content")}>
              ${text.more.initWords[word]}
            </option>`,
        )}
      </select>
    </div>`;
  }

  #field(field: Field): TemplateResult {
    const { name, control, help, standard } = field;
    // `moments; gram with objective paper`: the first part is the usual one.
    const usual = standard.split(";")[0] ?? "";
    const label = text.more.names[name] ?? name;
    const value = form.value.options[name as keyof JobOptions];
    const refused = planned.value.field === `options.${name}` ? planned.value.error : null;
    const bad = this.#bad.get(name) ?? refused;
    const invalid = bad ? "true" : "false";
    const set = (event: Event): void => {
      this.#typed(field, (event.target as HTMLInputElement).value);
    };
    const hint =
      control.kind === "choice"
        ? (control.words.find((word) => word.value === (value ?? usual))?.help ?? "")
        : "";
    const separator = control.kind === "text" ? (control.separator ?? "") : "";
    const words = Array.isArray(value) ? value.join(separator) : String(value ?? "");
    let input: TemplateResult;
    if (control.kind === "flag") {
      input = html`<label class="check">
        <input
          type="checkbox"
          .checked=${value === true}
          aria-describedby="help-${name}"
          @change=${(event: Event) =>
            this.#set(name, (event.target as HTMLInputElement).checked || undefined)}
        />
        ${label}
      </label>`;
    } else if (control.kind === "choice") {
      const first = usual ? text.more.standard(usual) : text.more.isStandard;
      input = html`<label for=${name}>${label}</label>
        <select
          id=${name}
          class="field"
          aria-describedby="help-${name} error-${name}"
          aria-invalid=${invalid}
          @change=${set}
        >
          <option value="" .selected=${value === undefined}>${first}</option>
          ${control.words.map(
            (word) =>
              html`<option value=${word.value} .selected=${String(value) === word.value}>
                ${word.value}
              </option>`,
          )}
        </select>`;
    } else {
      input = html`<label for=${name}>${label}</label>
        <input
          id=${name}
          class="field"
          type="text"
          inputmode=${control.kind === "number" ? (control.isWhole ? "numeric" : "decimal") : "text"}
          autocomplete="off"
          spellcheck="false"
          placeholder=${usual}
          aria-describedby="help-${name} error-${name}"
          aria-invalid=${invalid}
          .value=${words}
          @change=${set}
        />`;
    }
    return html`<div class="item">
      ${input}
      <p id="help-${name}" class="small muted">
        ${help} ${hint} ${usual === standard ? nothing : text.more.standardHelp(standard)}
      </p>
      ${
        bad
          ? html`<p id="error-${name}" class="error small">${icons.warning}<span>${bad}</span></p>`
          : nothing
      }
    </div>`;
  }

  #typed({ name, control }: Field, words: string): void {
    const trimmed = words.trim();
    this.#bad.delete(name);
    if (trimmed === "") return this.#set(name, undefined);
    if (control.kind === "number") {
      const number = Number(trimmed);
      if (!Number.isFinite(number)) {
        this.#bad.set(name, text.more.badNumber);
        return this.requestUpdate();
      }
      // A seed of 64 bits is exact as text only. The program reads both.
      return this.#set(
        name,
        Number.isInteger(number) && !Number.isSafeInteger(number) ? trimmed : number,
      );
    }
    if (control.kind === "text" && control.separator) {
      const parts = trimmed.split(control.separator).map((part) => part.trim());
      return this.#set(
        name,
        parts.filter((part) => part !== ""),
      );
    }
    // A field that takes a word or a number, such as `scales`.
    this.#set(name, control.kind === "text" && /^\d+$/.test(trimmed) ? Number(trimmed) : trimmed);
  }

  /** The schema, not this page, knows the type of the value. The server checks it. */
  #set(name: string, value: unknown): void {
    // The smoothing also moves the picture that runs.
    if (name === "tv-weight") setSmoothing(value as number | undefined);
    else setOption(name as keyof JobOptions, value as undefined);
    this.requestUpdate();
  }

  #reset(fields: Field[]): void {
    this.#bad.clear();
    const names = new Set(fields.map(({ name }) => name));
    const kept = Object.entries(form.value.options).filter(([name]) => !names.has(name));
    form.set({ options: Object.fromEntries(kept) as JobOptions, init: null });
  }

  static override styles = [
    controls,
    css`
      details {
        border-top: 1px solid var(--line);
        padding-bottom: 16px;
      }

      summary {
        display: flex;
        align-items: center;
        justify-content: space-between;
        min-height: 48px;
        cursor: pointer;
        font-weight: 600;
        list-style: none;
      }

      summary::-webkit-details-marker {
        display: none;
      }

      summary::after {
        content: "";
        width: 8px;
        height: 8px;
        margin: 0 4px 4px 8px;
        border: solid currentColor;
        border-width: 0 1.5px 1.5px 0;
        rotate: 45deg;
      }

      summary .row {
        flex: 1;
      }

      details[open] summary::after {
        rotate: 225deg;
        margin: 4px 4px 0 8px;
      }

      fieldset {
        padding: 8px 0 16px;
        border-top: 1px solid var(--line);
      }

      legend {
        float: left;
        width: 100%;
        margin-bottom: 8px;
      }

      .item {
        clear: both;
        padding-bottom: 12px;
      }

      .item > label {
        display: block;
        margin-bottom: 4px;
      }

      .item > label.check {
        display: flex;
      }

      .item p {
        margin-top: 4px;
      }
    `,
  ];
}

customElements.define("studio-more", StudioMore);
