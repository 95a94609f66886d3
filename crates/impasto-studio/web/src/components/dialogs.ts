/** The one dialog of the page. It holds whichever panel is open. */

import { html, nothing, type PropertyValues, type TemplateResult } from "lit";

import "./ask";
import "./command";
import "./crop";
import "./devices";
import "./help";
import "./history";
import "./toasts";
import { controls, dialogs } from "../styles/controls";
import { form } from "../state/form";
import { StudioElement } from "../state/store";
import { closeDialog, dialog, type Dialog } from "../state/view";
import { text } from "../text";
import { icons } from "./icons";

class StudioDialogs extends StudioElement {
  #shown: Dialog | null = null;

  protected override stores() {
    return [dialog];
  }

  protected override updated(_: PropertyValues): void {
    const element = this.renderRoot.querySelector("dialog");
    const { open } = dialog.value;
    if (!element || open === this.#shown) return;
    this.#shown = open;
    // The dialog gives the focus back to what had it before.
    if (open && !element.open) element.showModal();
    if (!open) element.close();
  }

  protected override render(): TemplateResult {
    const { open } = dialog.value;
    return html`<dialog
      class=${open?.kind === "history" || open?.kind === "crop" ? "wide" : ""}
      aria-labelledby="title"
      @close=${() => dialog.value.open && closeDialog()}
      @click=${(event: Event) => {
        // Only a click beside the dialog reaches the element itself.
        if (event.target === event.currentTarget) closeDialog();
      }}
    >
      ${
        open
          ? html`<div class="dialog-head">
                <h2 id="title">${titleOf(open)}</h2>
                <button
                  class="button plain icon"
                  aria-label=${text.close}
                  title=${text.close}
                  @click=${closeDialog}
                >
                  ${icons.close}
                </button>
              </div>
              ${contentOf(open)}
              <studio-toasts></studio-toasts>`
          : nothing
      }
    </dialog>`;
  }

  static override styles = [controls, dialogs];
}

function titleOf(open: Dialog): string {
  switch (open.kind) {
    case "history":
      return text.history.heading;
    case "devices":
      return text.devices.heading;
    case "help":
      return text.help.heading;
    case "crop":
      return text.crop.heading(form.value.styles[open.index]?.file.name ?? "");
    case "ask":
      return text.intake.ask;
    case "recipe":
      return text.intake.recipe;
    case "command":
      return text.command.heading;
  }
}

function contentOf(open: Dialog): TemplateResult {
  switch (open.kind) {
    case "history":
      return html`<studio-history></studio-history>`;
    case "devices":
      return html`<studio-devices></studio-devices>`;
    case "help":
      return html`<studio-help></studio-help>`;
    case "crop":
      return html`<studio-crop .index=${open.index}></studio-crop>`;
    case "ask":
    case "recipe":
      return html`<studio-ask .file=${open.file} .isRecipe=${open.kind === "recipe"}></studio-ask>`;
    case "command":
      return html`<studio-command .jobId=${open.id}></studio-command>`;
  }
}

customElements.define("studio-dialogs", StudioDialogs);
