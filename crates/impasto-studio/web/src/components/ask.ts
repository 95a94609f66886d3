/** Asks what a picture is for, or whether its recipe is to fill the form. */

import { css, html, nothing, type TemplateResult } from "lit";

import { addStyle, form, takeStyle } from "../state/form";
import { place } from "../state/intake";
import { toast } from "../state/notices";
import { fillFrom } from "../state/recipe";
import { StudioElement } from "../state/store";
import { closeDialog } from "../state/view";
import { urls } from "../api/client";
import type { FileView } from "../api/types";
import { text } from "../text";
import { panel } from "./panel";

class StudioAsk extends StudioElement {
  static override properties = { file: { attribute: false }, isRecipe: { attribute: false } };

  declare file: FileView;
  declare isRecipe: boolean;

  protected override render(): TemplateResult {
    const { name, sha256, width, height } = this.file;
    return html`<div class="dialog-body">
        <img src=${urls.file(sha256, 512)} width=${width} height=${height} alt=${name} />
        <p>${this.isRecipe ? text.intake.recipeHint(name) : text.intake.askHint(name)}</p>
      </div>
      <div class="dialog-foot">
        ${
          this.isRecipe
            ? html`<button class="button primary" autofocus @click=${this.#fill}>
                ${text.intake.useRecipe}
              </button>`
            : nothing
        }
        <button
          class="button ${this.isRecipe ? "" : "primary"}"
          @click=${() => this.#choose(() => place(this.file, "photo"))}
        >
          ${text.intake.asPhoto}
        </button>
        <button class="button" @click=${() => this.#choose(() => takeStyle(this.file))}>
          ${text.intake.asOnlyStyle}
        </button>
        ${
          form.value.styles.length > 0
            ? html`<button class="button" @click=${() => this.#choose(() => addStyle(this.file))}>
                ${text.intake.asStyle}
              </button>`
            : nothing
        }
      </div>`;
  }

  #choose(action: () => void): void {
    action();
    closeDialog();
  }

  #fill = async (): Promise<void> => {
    const { recipe } = this.file;
    closeDialog();
    if (!recipe) return;
    const missing = await fillFrom(recipe);
    toast(missing.length > 0 ? text.intake.missing(missing) : text.intake.filled);
  };

  static override styles = [
    ...panel,
    css`
      img {
        width: auto;
        height: auto;
        max-width: 100%;
        max-height: 280px;
        margin: 0 auto 16px;
        border: 1px solid var(--line);
      }
    `,
  ];
}

customElements.define("studio-ask", StudioAsk);
