/** The API reference, drawn from the OpenAPI document of the server. */

import { html, nothing, type TemplateResult } from "lit";

import { linkTo } from "./schema-view";
import { StudioElement } from "../state/store";
import { nextTheme, theme } from "../state/theme";
import { urls } from "../api/client";
import type { Schema } from "../api/types";
import { icons } from "../components/icons";
import { text } from "../text";
import {
  contentOf,
  curlOf,
  groupsOf,
  headingOf,
  referenceOf,
  responseOf,
  type Document,
  type Endpoint,
  type Group,
  type Parameter,
} from "./openapi";
import { prose } from "./prose";
import { docsStyles } from "./styles";
import { controls } from "../styles/controls";

const NARROW = window.matchMedia("(max-width: 800px)");
const THEME_ICONS = { system: icons.auto, light: icons.sun, dark: icons.moon };

class StudioDocs extends StudioElement {
  static override properties = { spec: { state: true }, error: { state: true } };

  declare spec: Document | null;
  declare error: string | null;

  constructor() {
    super();
    this.spec = null;
    this.error = null;
  }

  protected override stores() {
    return [theme];
  }

  override connectedCallback(): void {
    super.connectedCallback();
    window.addEventListener("hashchange", this.#jump);
    void this.#load();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    window.removeEventListener("hashchange", this.#jump);
  }

  async #load(): Promise<void> {
    try {
      const response = await fetch(urls.openapi);
      if (response.status === 401) throw new Error(text.connection.denied);
      if (!response.ok) throw new Error(text.connection.status(response.status));
      this.spec = await response.json();
      await this.updateComplete;
      this.#jump();
    } catch (error) {
      this.error = text.docs.failed(error instanceof Error ? error.message : String(error));
    }
  }

  /** Goes to the fragment of the address. Browsers do not look for it inside a component. */
  #jump = (): void => {
    const anchor = decodeURIComponent(location.hash.slice(1));
    if (anchor) this.renderRoot.querySelector(`#${CSS.escape(anchor)}`)?.scrollIntoView();
  };

  #follow = (event: Event): void => {
    const link = (event.target as HTMLElement).closest("a");
    const hash = link?.getAttribute("href") ?? "";
    if (!hash.startsWith("#")) return;
    event.preventDefault();
    history.pushState(null, "", hash);
    this.#jump();
  };

  protected override render(): TemplateResult {
    const { choice } = theme.value;
    return html`
      <header>
        <div class="row">
          <strong>${text.program}</strong><span class="muted">${text.docs.title}</span>
        </div>
        <div class="row">
          <a class="button plain" href="/">${text.docs.back}</a>
          <button
            class="button plain icon"
            aria-label=${text.header.theme[choice]}
            title=${text.header.theme[choice]}
            @click=${nextTheme}
          >
            ${THEME_ICONS[choice]}
          </button>
        </div>
      </header>
      ${
        this.error
          ? html`<p class="error state" role="alert">${icons.warning}<span>${this.error}</span></p>`
          : nothing
      }
      ${
        this.spec
          ? this.#document(this.spec)
          : this.error
            ? nothing
            : html`<p class="muted state">${text.docs.loading}</p>`
      }
    `;
  }

  #document(spec: Document): TemplateResult {
    const groups = groupsOf(spec);
    const schemas = Object.entries(spec.components?.schemas ?? {});
    return html`<div class="page" @click=${this.#follow}>
      <nav aria-label=${text.docs.contents}>
        <details ?open=${!NARROW.matches}>
          <summary>${text.docs.contents}</summary>
          ${this.#contents(
            groups,
            schemas.map(([name]) => name),
          )}
        </details>
      </nav>
      <main>
        <h1>${spec.info.title} <span class="muted number">${spec.info.version}</span></h1>
        ${prose(spec.info.description)}
        <p><a href=${urls.openapi}>${text.docs.spec}</a></p>
        ${groups.map((group) => this.#group(group, spec))}
        ${schemas.length > 0 ? this.#schemas(schemas) : nothing}
      </main>
    </div>`;
  }

  #contents(groups: Group[], schemas: string[]): TemplateResult {
    return html`${groups.map(
      (group) =>
        html`<h2>${group.name}</h2>
          <ul>
            ${group.endpoints.map(
              (endpoint) =>
                html`<li>
                  <a href="#${endpoint.anchor}">
                    <span class="method">${endpoint.method}</span>
                    <span class="grow">${headingOf(endpoint)}</span>
                  </a>
                </li>`,
            )}
          </ul>`,
    )}
    ${
      schemas.length > 0
        ? html`<h2>${text.docs.schemas}</h2>
            <ul>
              ${schemas.map(
                (name) =>
                  html`<li>
                    <a href="#schema-${name}"><code>${name}</code></a>
                  </li>`,
              )}
            </ul>`
        : nothing
    }`;
  }

  #schemas(schemas: [string, Schema][]): TemplateResult {
    return html`<section>
      <h2>${text.docs.schemas}</h2>
      ${schemas.map(
        ([name, schema]) =>
          html`<article id="schema-${name}">
            <h3><code>${name}</code></h3>
            <schema-view .schema=${schema}></schema-view>
          </article>`,
      )}
    </section>`;
  }

  #group({ name, description, endpoints }: Group, spec: Document): TemplateResult {
    return html`<section>
      <h2>${name}</h2>
      ${prose(description)} ${endpoints.map((endpoint) => this.#endpoint(endpoint, spec))}
    </section>`;
  }

  #endpoint(endpoint: Endpoint, spec: Document): TemplateResult {
    const { method, path, operation, parameters, anchor } = endpoint;
    const { requestBody, responses = {} } = operation;
    return html`<article id=${anchor}>
      <h3>${headingOf(endpoint)}</h3>
      <p class="address"><span class="method">${method}</span><code>${path}</code></p>
      ${prose(operation.description)}
      ${
        parameters.length > 0
          ? html`<h4>${text.docs.parameters}</h4>
              <dl>${parameters.map((parameter) => this.#parameter(parameter))}</dl>`
          : nothing
      }
      ${
        requestBody
          ? html`<h4>${text.docs.body}</h4>
              ${prose(requestBody.description)}
              ${contentOf(requestBody).map(
                ({ type, schema }) =>
                  html`<p class="small muted"><code>${type}</code></p>
                    ${schema ? html`<schema-view .schema=${schema}></schema-view>` : nothing}`,
              )}`
          : nothing
      }
      <h4>${text.docs.responses}</h4>
      <dl>
        ${Object.entries(responses).map(([status, given]) => {
          const response = responseOf(given, spec);
          return html`<dt><code>${status}</code></dt>
            <dd>
              ${prose(response.description)}
              ${contentOf(response).map(({ type, schema }) => this.#content(type, schema))}
            </dd>`;
        })}
      </dl>
      <h4>${text.docs.example}</h4>
      <pre tabindex="0" aria-label=${text.docs.example}><code>${curlOf(endpoint, spec)}</code></pre>
    </article>`;
  }

  /** What a response holds. A schema that has a name is linked in one line. */
  #content(type: string, schema: Schema | null): TemplateResult {
    const name = schema && referenceOf(schema);
    if (name) return html`<p class="small">${linkTo(name)}</p>`;
    return schema && type.includes("json")
      ? html`<schema-view .schema=${schema}></schema-view>`
      : html`<p class="small muted"><code>${type}</code></p>`;
  }

  #parameter({ name, in: place, required, description, schema }: Parameter): TemplateResult {
    return html`<dt>
        <code>${name}</code>
        <span class="small muted">
          ${text.docs.places[place] ?? place}${required ? `, ${text.docs.required}` : ""}
        </span>
      </dt>
      <dd>
        ${prose(description)}
        ${schema ? html`<schema-view .schema=${schema}></schema-view>` : nothing}
      </dd>`;
  }

  static override styles = [controls, docsStyles];
}

customElements.define("studio-docs", StudioDocs);
