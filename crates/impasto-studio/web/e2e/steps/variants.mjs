/** Nine variants as a grid. */

import { equal, until } from "../check.mjs";
import { accessible } from "../axe.mjs";

async function grid({ page, visitor, studio }) {
  await visitor.dial.focus();
  await page.keyboard.press("End");
  const before = (await studio.jobs()).length;
  await visitor.button("Variants").click();
  const cells = page.locator("studio-variants li");
  await until(
    "nine cells",
    () => cells.count(),
    (count) => count === 9,
  );
  await until(
    "nine pictures",
    () => cells.locator("img").count(),
    (count) => count === 9,
  );
  const rest = cells.locator("progress");
  await until(
    "the first is done",
    () => rest.count(),
    (count) => count < 9,
  );
  equal((await studio.jobs()).length, before, "variants are not in the history");
  await accessible(page, "variants");
}

async function take({ page, visitor }) {
  const cells = page.locator("studio-variants li button");
  await cells.first().focus();
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  await until(
    "the strength of the first column",
    () => visitor.dial.inputValue(),
    (strength) => strength === "60",
  );
}

export default [
  ["variants come as a grid", grid],
  ["a variant gives its settings", take],
];
