/** The help: what the dial means, the keys, and the way to the API reference. */

import { css, html, type TemplateResult } from "lit";

import { StudioElement } from "../state/store";
import { text } from "../text";
import { panel } from "./panel";

class StudioHelp extends StudioElement {
  protected override render(): TemplateResult {
    const { help } = text;
    return html`<div class="dialog-body">
      <h3>${help.dialHeading}</h3>
      <ol>
        ${help.dial.map((sentence) => html`<li>${sentence}</li>`)}
      </ol>
      <h3>${help.keysHeading}</h3>
      <dl>
        ${help.keys.map(
          ([key, meaning]) =>
            html`<dt><kbd>${key}</kbd></dt>
              <dd>${meaning}</dd>`,
        )}
      </dl>
      <h3>${help.apiHeading}</h3>
      <p>${help.api} <a href="/docs">${help.apiLink}</a></p>
    </div>`;
  }

  static override styles = [
    ...panel,
    css`
      h3 {
        margin: 20px 0 8px;
      }

      h3:first-child {
        margin-top: 0;
      }

      ol {
        display: grid;
        gap: 4px;
        padding-left: 20px;
      }

      dl {
        display: grid;
        grid-template-columns: auto 1fr;
        gap: 4px 20px;
      }

      kbd {
        font-family: var(--font);
        font-weight: 600;
        white-space: pre-wrap;
      }
    `,
  ];
}

customElements.define("studio-help", StudioHelp);
