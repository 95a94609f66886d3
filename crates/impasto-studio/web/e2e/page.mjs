/** What a visitor of the page does: choose files, set options, look at the picture. */

import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";

import { equal, until } from "./check.mjs";

/** Returns the path of a picture of the repository. */
export function example(name) {
  return fileURLToPath(new URL(`../../../../examples/${name}`, import.meta.url));
}

export class Visitor {
  constructor(page, studio) {
    this.page = page;
    this.studio = studio;
  }

  /** Opens the address that the program has printed. */
  async arrive() {
    await this.page.goto(this.studio.address);
    if (process.env.DIST) await this.page.goto(this.studio.origin);
  }

  button(name) {
    const isExact = typeof name === "string";
    return this.page.getByRole("button", { name, exact: isExact });
  }

  get dial() {
    return this.page.getByRole("slider", { name: "Strength" });
  }

  get stage() {
    return this.page.locator("#stage");
  }

  get dialog() {
    return this.page.locator("dialog");
  }

  /** Waits until the chip at the top left of the picture says what it is. */
  async label(words, patience) {
    const chip = this.page.locator("studio-canvas .label");
    await until("the picture's label", () => textOf(chip), matcher(words), patience);
  }

  /** Returns the address of the shown picture. */
  shown() {
    return attributeOf(this.page.locator("studio-stage .base img"), "src");
  }

  /** Waits until the picture comes from an address. */
  picture(pattern) {
    return until("the shown picture", () => this.shown(), matcher(pattern));
  }

  async zoom() {
    return parseInt(await textOf(this.page.locator("studio-canvas .zoom")), 10);
  }

  /** Returns the step that the page shows, or 0. */
  async step() {
    const words = await textOf(this.page.locator("studio-progress p").first());
    return Number(words.match(/Step (\d+)/)?.[1] ?? 0);
  }

  /** Chooses a file in the picker that a button opens. */
  async choose(button, path) {
    const picker = this.page.waitForEvent("filechooser");
    await button.click();
    await (await picker).setFiles(path);
  }

  /** Drops a file on an element. */
  async drop(target, path) {
    const base64 = readFileSync(path).toString("base64");
    const dataTransfer = await this.page.evaluateHandle(
      ([data, name]) => {
        const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
        const transfer = new DataTransfer();
        transfer.items.add(new File([bytes], name));
        return transfer;
      },
      [base64, basename(path)],
    );
    await target.dispatchEvent("dragover", { dataTransfer });
    await target.dispatchEvent("drop", { dataTransfer });
  }

  /** Types the longest side, and waits for the plan. */
  async size(px) {
    const field = this.page.getByRole("spinbutton", { name: "Size", exact: true });
    await field.fill(String(px));
    await field.blur();
    await this.planned(new RegExp(`\\b${px}\\b`));
  }

  /** Waits until the line above Make says what the picture takes. */
  async planned(pattern) {
    const cost = this.page.locator("#cost:not(.stale)");
    await until("the plan", () => textOf(cost), matcher(pattern));
  }

  async draft() {
    await this.page.getByRole("radio", { name: "Draft" }).check();
  }

  async openMore() {
    const more = this.page.locator("studio-more details");
    if (!(await more.evaluate(({ open }) => open))) await more.locator("summary").click();
  }

  /** Sets an option under More. "" takes it back. */
  async more(label, value) {
    await this.openMore();
    const field = this.page.locator("studio-more").getByLabel(label, { exact: true });
    await field.fill(value);
    await field.blur();
  }

  /** Has the next picture take many steps, so that there is something to watch. Returns its plan. */
  async long(steps) {
    await this.more("Tolerance", "0");
    const isPlan = (response) =>
      response.url().endsWith("/api/v1/plan") &&
      response.request().postDataJSON().options.steps === steps;
    const answer = this.page.waitForResponse(isPlan);
    await this.more("Steps", String(steps));
    const plan = await (await answer).json();
    await this.planned(/about/);
    return plan;
  }

  async short() {
    await this.more("Steps", "");
    await this.more("Tolerance", "");
    await this.planned(/about/);
  }

  /** Makes the form's picture, and returns its job. */
  async make() {
    const before = (await this.studio.newest())?.id;
    await this.button(/^(Make|Add to the queue)$/).click();
    const isNew = (job) => job !== null && job.id !== before;
    return until("a new job", () => this.studio.newest(), isNew);
  }

  /** Waits until the shown job is done. */
  async done(patience) {
    await this.label("result", patience);
    await this.button("Download").or(this.page.locator("summary.primary")).first().waitFor();
  }

  /** Clicks Resume or Pause once it is there. */
  async press(name) {
    await this.button(name).click();
  }

  async closeDialog() {
    await this.page.keyboard.press("Escape");
    await until(
      "the dialog is closed",
      async () => (await this.dialog.getAttribute("open")) === null,
    );
  }

  /** Returns what has the focus: its role and its name. */
  focused() {
    return this.page.evaluate(() => {
      let element = document.activeElement;
      while (element?.shadowRoot?.activeElement) element = element.shadowRoot.activeElement;
      const label = element?.labels?.[0]?.textContent;
      const name = element?.getAttribute("aria-label") || label || element?.textContent || "";
      return `${element?.localName} ${name.trim().replace(/\s+/g, " ")}`;
    });
  }

  /** Presses Tab until the focus is where it has to be. */
  async tabTo(pattern) {
    const seen = [];
    for (let presses = 0; presses < 100; presses++) {
      await this.page.keyboard.press("Tab");
      seen.push(await this.focused());
      if (pattern.test(seen.at(-1))) return;
    }
    equal(seen.join("\n"), String(pattern), "Tab reaches it");
  }
}

function matcher(pattern) {
  return typeof pattern === "string"
    ? Object.assign((found) => found === pattern, { toString: () => pattern })
    : Object.assign((found) => pattern.test(found ?? ""), { toString: () => String(pattern) });
}

/** Returns the text of an element, or "" if it is not there. */
export async function textOf(locator) {
  const words = await locator.allInnerTexts();
  return (words[0] ?? "").replaceAll("\u00a0", " ").trim();
}

async function attributeOf(locator, name) {
  const all = await locator.evaluateAll(
    (found, key) => found.map((one) => one.getAttribute(key)),
    name,
  );
  return all[0] ?? null;
}
