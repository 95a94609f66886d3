/** Accessibility: axe-core on the page as it is, at two sizes, light and dark. */

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

import { Failure } from "./check.mjs";

const SOURCE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
export const WIDE = { width: 1440, height: 900 };
export const PHONE = { width: 390, height: 844 };
const GRAVE = ["serious", "critical"];

/**
 * Fails on violations of impact serious or critical. `arrange` brings the state about again if the
 * other layout has lost it.
 */
export async function accessible(page, what, arrange = async () => {}) {
  const found = [];
  for (const size of [PHONE, WIDE]) {
    await page.setViewportSize(size);
    await arrange();
    for (const colorScheme of ["dark", "light"]) {
      await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
      const violations = await violationsOf(page);
      found.push(...violations.map((words) => `${size.width} px, ${colorScheme}: ${words}`));
    }
  }
  if (found.length > 0) throw new Failure(`axe, ${what}:\n    ${found.join("\n    ")}`);
}

/** Runs axe through the debugger, since the page's policy forbids scripts of others. */
async function violationsOf(page) {
  const debug = await page.context().newCDPSession(page);
  const evaluate = async (expression) => {
    const options = { expression, awaitPromise: true, returnByValue: true };
    const { result, exceptionDetails } = await debug.send("Runtime.evaluate", options);
    if (exceptionDetails) throw new Failure(`axe: ${exceptionDetails.exception?.description}`);
    return result.value;
  };
  try {
    if (!(await evaluate("'axe' in window"))) await evaluate(`${SOURCE};0`);
    const violations = await evaluate(
      "axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) => violations)",
    );
    return violations
      .filter(({ impact }) => GRAVE.includes(impact))
      .flatMap(({ id, nodes }) =>
        nodes
          .slice(0, 3)
          .map((node) => `${id}: ${node.html.slice(0, 160)}\n${node.failureSummary}`),
      );
  } finally {
    await debug.detach();
  }
}
