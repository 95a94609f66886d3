/** A JSON Schema: its type, and the table of its fields. Other schemas are linked. */

import { css, html, nothing, type TemplateResult } from "lit";

import { StudioElement } from "../state/store";
import type { Schema } from "../api/types";
import { controls } from "../styles/controls";
import { text } from "../text";
import { limitsOf, referenceOf, typeOf } from "./openapi";
import { prose } from "./prose";

class SchemaView extends StudioElement {
  static override properties = { schema: { attribute: false } };

  declare schema: Schema;

  protected override render(): TemplateResult {
    return this.#schema(this.schema, true);
  }

  #schema(schema: Schema, isTop: boolean): TemplateResult {
    const name = referenceOf(schema);
    if (name) return html`<p class="type">${linkTo(name)}</p>`;
    const items = [schema.type].flat().includes("array") ? schema.items : undefined;
    return html`
      ${isTop ? prose(schema.description) : nothing}
      ${schema.properties && isTop ? nothing : this.#type(schema)} ${this.#fields(schema)}
      ${items?.properties ? this.#fields(items) : nothing} ${this.#choices(schema)}
    `;
  }

  #type(schema: Schema): TemplateResult {
    const limits = limitsOf(schema);
    return html`<p class="type small">
      ${this.#words(schema)}${limits ? html` <span class="muted">${limits}</span>` : nothing}
    </p>`;
  }

  /** The type in words, with links to the schemas that have names. */
  #words(schema: Schema): TemplateResult {
    const name = referenceOf(schema);
    if (name) return linkTo(name);
    if (schema.items && (referenceOf(schema.items) ?? schema.items.oneOf)) {
      return html`<code>${text.docs.listOf}</code> ${this.#words(schema.items)}`;
    }
    const parts = schema.oneOf ?? schema.anyOf;
    if (!parts) return html`<code>${typeOf(schema)}</code>`;
    return html`${parts.map(
      (part, i) =>
        html`${i === 0 ? nothing : html` <code>${text.docs.or}</code> `}${this.#words(part)}`,
    )}`;
  }

  #fields({ properties, required = [] }: Schema): TemplateResult | typeof nothing {
    if (!properties) return nothing;
    return html`<dl>
      ${Object.entries(properties).map(
        ([name, schema]) =>
          html`<dt>
              <code>${name}</code>
              ${
                required.includes(name)
                  ? html`<span class="small muted">${text.docs.required}</span>`
                  : nothing
              }
            </dt>
            <dd>${prose(schema.description)} ${this.#schema(schema, false)}</dd>`,
      )}
    </dl>`;
  }

  /** The words of an enum that have help. */
  #choices({ oneOf }: Schema): TemplateResult | typeof nothing {
    const choices = oneOf?.filter((part) => part.const !== undefined && part.description) ?? [];
    if (choices.length === 0) return nothing;
    return html`<dl>
      ${choices.map(
        (part) =>
          html`<dt><code>${String(part.const)}</code></dt>
            <dd>${prose(part.description)}</dd>`,
      )}
    </dl>`;
  }

  static override styles = [
    controls,
    css`
      dl {
        margin: 4px 0;
        border-left: 2px solid var(--line);
        padding-left: 12px;
      }

      dt {
        margin-top: 8px;
      }

      dt:first-child {
        margin-top: 0;
      }

      code {
        font-family: var(--mono);
        font-size: 0.8125rem;
        overflow-wrap: anywhere;
      }

      dt code {
        font-weight: 600;
      }
    `,
  ];
}

/** A link to the schema with this name. */
export function linkTo(name: string): TemplateResult {
  return html`<a href="/docs#schema-${name}"><code>${name}</code></a>`;
}

customElements.define("schema-view", SchemaView);
