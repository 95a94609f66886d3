/** Listens for what no page may do: write errors, throw, or ask another origin. */

import { Failure } from "./check.mjs";

export class Watch {
  #origin;
  #faults = [];
  #allowed = [];

  constructor(origin) {
    this.#origin = origin;
  }

  follow(page) {
    page.on("console", (message) => {
      if (!["error", "warning"].includes(message.type())) return;
      this.#add(`console: ${message.text()} (${message.location().url})`);
    });
    page.on("pageerror", (error) => this.#add(`uncaught: ${error.stack}`));
    page.on("request", (request) => {
      const url = request.url();
      const isOwn = url.startsWith(`${this.#origin}/`) || /^(blob|data):/.test(url);
      if (!isOwn) this.#add(`another origin: ${url}`);
    });
  }

  #add(fault) {
    if (!this.#allowed.some((pattern) => pattern.test(fault))) this.#faults.push(fault);
  }

  /** Lets the browser's own lines about refused requests pass while `action` runs. */
  async allowing(pattern, action) {
    this.#allowed.push(pattern);
    try {
      return await action();
    } finally {
      this.#allowed.pop();
    }
  }

  /** Fails if anything was heard since the last call. */
  verify() {
    const faults = this.#faults.splice(0);
    if (faults.length > 0)
      throw new Failure(`The page must be quiet:\n    ${faults.join("\n    ")}`);
  }
}
