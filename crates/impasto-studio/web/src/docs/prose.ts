/** Text of the document: paragraphs, and `code` between backquotes. */

import { html, nothing, type TemplateResult } from "lit";

export function prose(words: string | undefined): (TemplateResult | typeof nothing)[] {
  if (!words) return [nothing];
  return words.split(/\n\s*\n/).map((paragraph) => html`<p>${inline(paragraph)}</p>`);
}

function inline(words: string): (TemplateResult | string)[] {
  return words.split("`").map((part, i) => (i % 2 === 1 ? html`<code>${part}</code>` : part));
}
