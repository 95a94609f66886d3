/** A picture as a command line. */

import { css, html, nothing, type TemplateResult } from "lit";

import { StudioElement } from "../state/store";
import { getCommand, wordsOf } from "../api/client";
import type { Command } from "../api/types";
import { text } from "../text";
import { icons } from "./icons";
import { panel } from "./panel";

class StudioCommand extends StudioElement {
  static override properties = {
    jobId: {},
    command: { state: true },
    error: { state: true },
    copied: { state: true },
  };

  declare jobId: string;
  declare command: Command | null;
  declare error: string | null;
  declare copied: "no" | "yes" | "by-hand";

  constructor() {
    super();
    this.command = null;
    this.error = null;
    this.copied = "no";
  }

  override connectedCallback(): void {
    super.connectedCallback();
    void this.#load();
  }

  async #load(): Promise<void> {
    try {
      this.command = await getCommand(this.jobId);
    } catch (error) {
      this.error = wordsOf(error);
    }
  }

  #copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(this.command?.command ?? "");
      this.copied = "yes";
    } catch {
      // Browsers allow it on https and on this machine only. The text is selected instead.
      this.renderRoot.querySelector("textarea")?.select();
      this.copied = "by-hand";
    }
  };

  protected override render(): TemplateResult {
    const { command, error } = this;
    const label = {
      no: text.command.copy,
      yes: text.command.copied,
      "by-hand": text.command.byHand,
    };
    return html`<div class="dialog-body">
        ${
          error
            ? html`<p class="error" role="alert">${icons.warning}<span>${error}</span></p>`
            : nothing
        }
        ${
          command
            ? html`<textarea
                class="field"
                readonly
                rows="5"
                spellcheck="false"
                aria-label=${text.command.label}
                .value=${command.command}
              ></textarea>`
            : nothing
        }
        ${
          command && !command.exact
            ? html`<p class="row note">
                ${icons.warning}<span>${command.note ?? text.command.inexact}</span>
              </p>`
            : nothing
        }
      </div>
      <div class="dialog-foot">
        <button class="button primary" ?disabled=${!command} @click=${this.#copy}>
          ${this.copied === "yes" ? icons.check : icons.copy}${label[this.copied]}
        </button>
      </div>`;
  }

  static override styles = [
    ...panel,
    css`
      textarea {
        display: block;
        font-family: var(--mono);
        resize: vertical;
      }

      .note {
        align-items: flex-start;
        margin-top: 12px;
      }
    `,
  ];
}

customElements.define("studio-command", StudioCommand);
