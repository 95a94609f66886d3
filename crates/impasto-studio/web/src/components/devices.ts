/** What computes the pictures. */

import { css, html, nothing, type TemplateResult } from "lit";

import { StudioElement } from "../state/store";
import { loadSystem, system } from "../state/system";
import { wordsOf } from "../api/client";
import { bytes, moment } from "../lib/format";
import { text } from "../text";
import { icons } from "./icons";
import { panel } from "./panel";

class StudioDevices extends StudioElement {
  static override properties = { error: { state: true } };

  declare error: string | null;

  constructor() {
    super();
    this.error = null;
  }

  protected override stores() {
    return [system];
  }

  override connectedCallback(): void {
    super.connectedCallback();
    loadSystem().catch((error: unknown) => {
      this.error = wordsOf(error);
    });
  }

  protected override render(): TemplateResult {
    const { info } = system.value;
    return html`<div class="dialog-body">
      ${
        this.error
          ? html`<p class="error" role="alert">${icons.warning}<span>${this.error}</span></p>`
          : nothing
      }
      ${
        info
          ? html`<dl>
                ${row(text.devices.program, info.program)} ${row(text.devices.device, info.device)}
                ${row(text.devices.threads, String(info.threads))}
                ${row(text.devices.memory, bytes(info.memory))}
                ${row(
                  text.devices.limits,
                  text.devices.limit(
                    bytes(info.limits["file-bytes"]),
                    Math.round(info.limits.pixels / 1e6),
                  ),
                )}
              </dl>
              <h3>${text.devices.workers}</h3>
              ${info.workers.length === 0 ? html`<p class="muted">${text.devices.none}</p>` : nothing}
              <ul>
                ${info.workers.map(
                  ({ name, device, state, seen }) =>
                    html`<li class="row between">
                      <span class="grow"
                        ><strong>${name}</strong> <span class="muted">${device}</span></span
                      >
                      <span>${text.devices[state]}</span>
                      <span class="small muted">${text.devices.seen(moment(seen))}</span>
                    </li>`,
                )}
              </ul>`
          : nothing
      }
    </div>`;
  }

  static override styles = [
    ...panel,
    css`
      dl {
        display: grid;
        grid-template-columns: minmax(120px, auto) 1fr;
        gap: 8px 16px;
      }

      dt {
        color: var(--muted);
      }

      dd {
        overflow-wrap: anywhere;
      }

      h3 {
        margin: 20px 0 8px;
      }

      li {
        flex-wrap: wrap;
        min-height: 44px;
        border-top: 1px solid var(--line);
      }
    `,
  ];
}

function row(label: string, value: string): TemplateResult {
  return html`<dt>${label}</dt>
    <dd>${value}</dd>`;
}

customElements.define("studio-devices", StudioDevices);
