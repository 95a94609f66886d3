/**
 * Tests the studio in a browser, as its users meet it: the real program, the real page, no mocks.
 *
 *     IMPASTO=target/release/impasto node e2e/run.mjs
 *
 * `CHROMIUM` is the browser's path. `SHOTS` is a folder: pictures of the page are written there.
 * `DIST` is a folder with a page that is tested in place of the program's.
 * Arguments leave out all topics but those that they name, as in `arrival run`. `shots` leaves out
 * all tests.
 * Each step prints a line. The first that fails says what was expected and ends the run.
 */

import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { chromium } from "playwright-core";

import { Failure, PATIENCE_MS } from "./check.mjs";
import { WIDE } from "./axe.mjs";
import { serveFrom } from "./dist.mjs";
import { Visitor } from "./page.mjs";
import { shoot } from "./shots.mjs";
import { Studio } from "./studio.mjs";
import { Watch } from "./watch.mjs";
import arrival from "./steps/arrival.mjs";
import history from "./steps/history.mjs";
import keyboard from "./steps/keyboard.mjs";
import masks from "./steps/masks.mjs";
import panels from "./steps/panels.mjs";
import results from "./steps/results.mjs";
import run from "./steps/run.mjs";
import variants from "./steps/variants.mjs";

/** In this order, since each topic works with what the ones before it have made. */
const TOPICS = { arrival, panels, run, results, masks, history, keyboard, variants };
const { IMPASTO, CHROMIUM = "/usr/bin/chromium", SHOTS, DIST } = process.env;

const asked = process.argv.slice(2);

/** Runs all steps. Returns whether they passed. */
async function test(browser) {
  const topics = Object.keys(TOPICS).filter((name) => asked.length === 0 || asked.includes(name));
  const steps = topics.flatMap((name) => TOPICS[name]);
  const studio = new Studio(IMPASTO);
  try {
    await studio.start();
    const context = await browser.newContext({ viewport: WIDE, reducedMotion: "reduce" });
    await context.grantPermissions(["clipboard-read", "clipboard-write"], {
      origin: studio.origin,
    });
    context.setDefaultTimeout(PATIENCE_MS);
    if (DIST) await serveFrom(context, studio.origin, DIST);
    const page = await context.newPage();
    const watch = new Watch(studio.origin);
    watch.follow(page);
    const visitor = new Visitor(page, studio);
    // `run` is what a step leaves for the next ones.
    const all = { browser, context, page, studio, visitor, watch, run: {} };
    for (const [name, step] of steps) {
      if (!(await passes(name, () => step(all), watch))) {
        if (SHOTS) await page.screenshot({ path: join(SHOTS, "failed.png") });
        return false;
      }
    }
    return true;
  } finally {
    studio.remove();
  }
}

async function passes(name, step, watch) {
  const start = Date.now();
  const seconds = () => ((Date.now() - start) / 1000).toFixed(1);
  try {
    const words = await step();
    watch?.verify();
    console.log(`ok      ${name} (${words ? `${words}, ` : ""}${seconds()} s)`);
    return true;
  } catch (error) {
    console.log(`FAILED  ${name} (${seconds()} s)`);
    console.log(`    ${error instanceof Failure ? error.message : error.stack}`);
    try {
      watch?.verify();
    } catch ({ message }) {
      console.log(`    ${message}`);
    }
    return false;
  }
}

if (!IMPASTO) throw new Error("IMPASTO names no program");
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.once(signal, () => process.exit(1));
if (SHOTS) mkdirSync(SHOTS, { recursive: true });
const start = Date.now();
const browser = await chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox"] });
try {
  let isWell = asked[0] === "shots" || (await test(browser));
  console.log(
    `${isWell ? "passed" : "failed"} after ${((Date.now() - start) / 1000).toFixed(0)} s`,
  );
  if (isWell && SHOTS) {
    isWell = await passes("pictures of the page", () =>
      shoot(browser, new Studio(IMPASTO), SHOTS, DIST),
    );
  }
  process.exitCode = isWell ? 0 : 1;
} finally {
  await browser.close();
}
