/** Pictures of the page for the README and the guide. */

import { writeFileSync } from "node:fs";
import { join } from "node:path";

import { PATIENCE_MS, until } from "./check.mjs";
import { PHONE, WIDE } from "./axe.mjs";
import { Visitor, example } from "./page.mjs";
import { serveFrom } from "./dist.mjs";

const MOST_BYTES = 200_000;
const QUALITIES = [85, 80, 75, 70, 65, 60];
const LONG_MS = 300_000;
/** What the history shows. Each is a photo, an entry of the gallery, and a strength. */
const GALLERY = [
  ["coffee.jpg", "impasto-oil", 60],
  ["chelsea.jpg", "woodcut", 50],
  ["astronaut.jpg", "stained-glass", 60],
  ["coffee.jpg", "mosaic", 55],
  ["chelsea.jpg", "watercolour", 60],
  ["chelsea.jpg", "impasto-oil", 70],
  ["coffee.jpg", "starry-night", 50],
  ["astronaut.jpg", "woodcut", 45],
];
const GALLERY_SIZE = 256;

/** Writes all pictures into a folder. It takes some minutes. */
export async function shoot(browser, studio, folder, dist) {
  try {
    await studio.start();
    const context = await browser.newContext({ viewport: WIDE, reducedMotion: "reduce" });
    context.setDefaultTimeout(PATIENCE_MS);
    if (dist) await serveFrom(context, studio.origin, dist);
    const page = await context.newPage();
    const visitor = new Visitor(page, studio);
    const save = (name) => shot(page, join(folder, name));
    await fillHistory(studio);
    await look(page, WIDE, "dark");
    await visitor.arrive();
    await visitor.planned(/about/);
    await visitor.draft();
    await visitor.size(512);
    await visitor.make();
    const share = page.locator("studio-progress [role=progressbar]");
    const percent = async () => Number(await share.first().getAttribute("aria-valuenow"));
    await until("some steps", percent, (part) => part >= 55, LONG_MS);
    await visitor.button("Losses").click();
    await until("more steps", percent, (part) => part >= 65, LONG_MS);
    await save("studio-running.jpg");
    await visitor.done(LONG_MS);
    await visitor.button("Losses").click();
    await look(page, WIDE, "light");
    await visitor.button("Before/after").click();
    await save("studio.jpg");
    await visitor.button("Before/after").click();
    await look(page, PHONE, "light");
    await save("studio-phone.jpg");
    await look(page, WIDE, "light");
    await visitor.button("History").click();
    await page.locator("studio-history li").nth(GALLERY.length).waitFor();
    await favourite(page, [1, 3, 5]);
    await save("studio-history.jpg");
    await visitor.closeDialog();
    await paintFace(visitor);
    await save("studio-mask.jpg");
    await visitor.button("Done").click();
    await variants(visitor);
    await save("studio-variants.jpg");
  } finally {
    studio.remove();
  }
}

async function look(page, size, colorScheme) {
  await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
  await page.setViewportSize(size);
  await page.mouse.move(size.width / 2, 2);
}

/** Takes the picture at the best quality that is small enough. */
async function shot(page, path) {
  await page.evaluate(() => document.fonts.ready);
  await page.waitForTimeout(400);
  for (const quality of QUALITIES) {
    const bytes = await page.screenshot({ type: "jpeg", quality });
    if (bytes.length > MOST_BYTES && quality !== QUALITIES.at(-1)) continue;
    writeFileSync(path, bytes);
    return;
  }
}

/** Makes some pictures through the API. */
async function fillHistory(studio) {
  const { gallery } = await studio.api("/system");
  for (const [name, id, strength] of GALLERY) {
    const photo = await studio.upload(example(name));
    const style = gallery.find((entry) => entry.id === id).file;
    const file = ({ name: path, sha256 }) => ({ path, sha256 });
    const inputs = { content: file(photo), styles: [{ file: file(style) }] };
    const options = { strength, size: GALLERY_SIZE, preset: "draft" };
    const job = { version: 3, kind: "transfer", inputs, options };
    await studio.api("/jobs", { method: "POST", body: { job } });
  }
  const isOver = (jobs) => jobs.every(({ state }) => state === "done");
  await until("pictures for the history", () => studio.jobs(), isOver, LONG_MS);
}

async function favourite(page, places) {
  for (const place of places) {
    const entry = page.locator("studio-history li").nth(place);
    await entry.getByRole("button", { name: /^Favourite/ }).click();
  }
  await page.locator("studio-history .dialog-body").focus();
  await page.mouse.move(720, 2);
}

/** Paints a keep mask over the astronaut's face, as far as a hand in the middle of it has come. */
async function paintFace(visitor) {
  const { page } = visitor;
  await visitor.button("Show the preview").click();
  await page.getByRole("button", { name: /^Keep mask/ }).click();
  await visitor.label("preview");
  await visitor.stage.focus();
  const box = await page.locator("studio-stage .world").boundingBox();
  const at = (x, y) => [box.x + x * box.width, box.y + y * box.height];
  const strokes = [
    [0.38, 0.1],
    [0.5, 0.1],
    [0.37, 0.18],
    [0.5, 0.18],
    [0.38, 0.26],
    [0.47, 0.27],
    [0.43, 0.33],
  ];
  await page.mouse.move(...at(0.4, 0.1));
  await page.mouse.down();
  for (const stroke of strokes) await page.mouse.move(...at(...stroke), { steps: 8 });
  await page.mouse.up();
  await visitor.label("preview…");
  await visitor.label("preview");
}

async function variants(visitor) {
  const { page } = visitor;
  await visitor.button("Variants").click();
  const cells = page.locator("studio-variants li");
  await until(
    "nine pictures",
    () => cells.locator("img").count(),
    (count) => count === 9,
    LONG_MS,
  );
  const rest = cells.locator("progress");
  await until(
    "all are done",
    () => rest.count(),
    (count) => count === 0,
    LONG_MS,
  );
  await page.mouse.move(700, 2);
}
