/** Assertions. Each failure says what was expected and what was found. */

import { inspect } from "node:util";

/** The longest time that anything here takes. A step that waits longer has failed. */
export const PATIENCE_MS = 30_000;
const POLL_MS = 50;

export class Failure extends Error {}

const shown = (value) => inspect(value, { depth: 6, breakLength: 100 });

export function fail(what, expected, found) {
  throw new Failure(`${what}\n    expected: ${expected}\n    found:    ${found}`);
}

export function equal(found, expected, what) {
  if (!Object.is(found, expected)) fail(what, shown(expected), shown(found));
}

/** Waits until `read` returns what `accepts` takes, and returns it. */
export async function until(what, read, accepts = Boolean, patience = PATIENCE_MS) {
  const end = Date.now() + patience;
  let found;
  do {
    found = await read();
    if (accepts(found)) return found;
    await sleep(POLL_MS);
  } while (Date.now() < end);
  const expected = accepts === Boolean ? "anything" : accepts;
  return fail(what, `${expected} within ${patience / 1000} s`, shown(found));
}

export function sleep(ms) {
  return new Promise((wake) => setTimeout(wake, ms));
}
