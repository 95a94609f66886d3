/** The page as a whole: its layout, its keys, and pictures that are dropped or pasted anywhere. */

import { css, html, nothing, type PropertyValues, type TemplateResult } from "lit";

import "./canvas";
import type { StudioCanvas } from "./canvas";
import "./dial";
import "./dialogs";
import "./header";
import "./make";
import "./options";
import "./photo";
import "./strip";
import "./styles";
import "./toasts";
import { controls } from "../styles/controls";
import { connection } from "../state/connection";
import { takeFiles } from "../state/intake";
import { activeJob, jobs } from "../state/jobs";
import { make } from "../state/make";
import { spoken } from "../state/notices";
import { dialog, openDialog, view } from "../state/view";
import { StudioElement } from "../state/store";
import { isForPage } from "../lib/keys";
import { text } from "../text";
import { icons } from "./icons";

const NARROW = window.matchMedia("(max-width: 959px)");

class StudioApp extends StudioElement {
  static override properties = { dragging: { state: true } };

  declare dragging: boolean;

  constructor() {
    super();
    this.dragging = false;
  }

  protected override stores() {
    return [connection, dialog, spoken, jobs];
  }

  override connectedCallback(): void {
    super.connectedCallback();
    NARROW.addEventListener("change", this.#narrowed);
    window.addEventListener("dragover", this.#over);
    window.addEventListener("dragleave", this.#leave);
    window.addEventListener("drop", this.#drop);
    window.addEventListener("paste", this.#paste);
    window.addEventListener("keydown", this.#key);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    NARROW.removeEventListener("change", this.#narrowed);
    window.removeEventListener("dragover", this.#over);
    window.removeEventListener("dragleave", this.#leave);
    window.removeEventListener("drop", this.#drop);
    window.removeEventListener("paste", this.#paste);
    window.removeEventListener("keydown", this.#key);
  }

  #narrowed = (): void => this.requestUpdate();

  #over = (event: DragEvent): void => {
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    this.dragging = true;
  };

  #leave = (event: DragEvent): void => {
    if (event.relatedTarget === null) this.dragging = false;
  };

  #drop = (event: DragEvent): void => {
    const files = event.dataTransfer?.files;
    this.dragging = false;
    // A panel that takes the file itself has called preventDefault.
    if (!files?.length || event.defaultPrevented) return;
    event.preventDefault();
    void takeFiles(files, view.value.tool ? "mask" : "ask");
  };

  #paste = (event: ClipboardEvent): void => {
    const files = [...(event.clipboardData?.files ?? [])];
    if (files.length === 0) return;
    event.preventDefault();
    void takeFiles(files, "ask");
  };

  #key = (event: KeyboardEvent): void => {
    if (dialog.value.open) return;
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      void make();
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || !isForPage(event)) return;
    if (event.key === "?") openDialog({ kind: "help" });
    if (event.key === "h") openDialog({ kind: "history" });
  };

  protected override updated(_: PropertyValues): void {
    const progress = activeJob()?.progress;
    const percent = progress ? Math.floor((100 * progress.step) / progress.steps) : null;
    document.title = text.title(percent);
  }

  protected override render(): TemplateResult {
    const isNarrow = NARROW.matches;
    return html`
      <nav aria-label=${text.header.skip}>
        <button class="skip" @click=${this.#skip}>${text.header.skip}</button>
      </nav>
      ${this.#banner()}
      <studio-header .narrow=${isNarrow}></studio-header>
      ${isNarrow ? this.#narrow() : this.#wide()}
      <studio-dialogs></studio-dialogs>
      ${dialog.value.open ? nothing : html`<studio-toasts></studio-toasts>`}
      <p class="hidden" role="status" aria-live="polite">${spoken.value.words}</p>
    `;
  }

  #skip = (): void => {
    this.renderRoot.querySelector<StudioCanvas>("studio-canvas")?.focusStage();
  };

  #banner(): TemplateResult | typeof nothing {
    const { state } = connection.value;
    if (state === "well") return nothing;
    return html`<p class="banner" role="alert">
      ${icons.warning}<span>${text.connection[state]}</span>
    </p>`;
  }

  #inputs(): TemplateResult {
    return html`
      <studio-photo .dragging=${this.dragging}></studio-photo>
      <studio-styles .dragging=${this.dragging}></studio-styles>
    `;
  }

  #wide(): TemplateResult {
    return html`<div class="wide">
      <aside class="panel left" aria-label=${text.regions.inputs}>${this.#inputs()}</aside>
      <main aria-label=${text.regions.canvas}>
        <studio-canvas .dragging=${this.dragging}></studio-canvas>
      </main>
      <aside class="panel right" aria-label=${text.regions.settings}>
        <div class="scroll">
          <studio-dial></studio-dial>
          <studio-options></studio-options>
        </div>
        <studio-make></studio-make>
      </aside>
      <section class="strip" aria-label=${text.regions.strip}>
        <studio-strip></studio-strip>
      </section>
    </div>`;
  }

  #narrow(): TemplateResult {
    return html`<div class="narrow">
      <main aria-label=${text.regions.canvas}>
        <studio-canvas narrow .dragging=${this.dragging}></studio-canvas>
      </main>
      <section aria-label=${text.dial.heading}><studio-dial></studio-dial></section>
      <section class="inputs" aria-label=${text.regions.inputs}>${this.#inputs()}</section>
      <section aria-label=${text.regions.settings}><studio-options></studio-options></section>
      <section class="strip" aria-label=${text.regions.strip}>
        <studio-strip></studio-strip>
      </section>
      <section class="sticky" aria-label=${text.make.make}>
        <studio-make narrow></studio-make>
      </section>
    </div>`;
  }

  static override styles = [
    controls,
    css`
      :host {
        min-height: 100dvh;
        display: flex;
        flex-direction: column;
      }

      /* A wide page scrolls in its panels, not as a whole. */
      @media (min-width: 960px) {
        :host {
          height: max(100dvh, 520px);
        }
      }

      .skip {
        position: absolute;
        left: 8px;
        top: -80px;
        z-index: 3;
        padding: 8px 12px;
        background: var(--raised);
        border: 1px solid var(--edge);
        border-radius: var(--radius);
      }

      .skip:focus {
        top: 8px;
      }

      .banner {
        display: flex;
        align-items: center;
        gap: 8px;
        padding: 8px 16px;
        border-bottom: 1px solid var(--line);
        background: var(--field);
        color: var(--error);
      }

      .wide {
        flex: 1;
        display: grid;
        grid-template: minmax(0, 1fr) auto / 272px minmax(0, 1fr) 312px;
        min-height: 0;
      }

      .panel {
        background: var(--panel);
        min-height: 0;
      }

      .left {
        overflow-y: auto;
        border-right: 1px solid var(--line);
      }

      .right {
        display: flex;
        flex-direction: column;
        border-left: 1px solid var(--line);
      }

      .scroll {
        flex: 1;
        min-height: 0;
        overflow-y: auto;
      }

      .wide main {
        min-width: 0;
        min-height: 0;
        display: grid;
      }

      .wide .strip {
        grid-column: 1 / -1;
        border-top: 1px solid var(--line);
        background: var(--panel);
        min-width: 0;
      }

      .narrow {
        flex: 1;
        min-width: 0;
      }

      .narrow main {
        border-bottom: 1px solid var(--line);
      }

      .inputs {
        display: grid;
        grid-template-columns: repeat(auto-fit, minmax(min(280px, 100%), 1fr));
        border-top: 1px solid var(--line);
        border-bottom: 1px solid var(--line);
      }

      .narrow .strip {
        border-top: 1px solid var(--line);
      }

      .sticky {
        position: sticky;
        bottom: 0;
        z-index: 2;
        background: var(--panel);
        padding-bottom: env(safe-area-inset-bottom);
      }
    `,
  ];
}

customElements.define("studio-app", StudioApp);
