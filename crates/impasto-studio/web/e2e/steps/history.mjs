/** The history: search, favourites, delete, compare. */

import { equal, until } from "../check.mjs";
import { accessible } from "../axe.mjs";

async function open({ page, visitor, studio }) {
  await visitor.button("History").click();
  const count = (await studio.jobs()).length;
  await until(
    "entries",
    () => entries(visitor).count(),
    (found) => found === count,
  );
  await accessible(page, "history");
}

async function search({ page, visitor }) {
  const all = await entries(visitor).count();
  const field = page.getByRole("searchbox", { name: "Search by name" });
  await field.fill("no such name");
  await page.getByText("No picture matches.").waitFor();
  await field.fill("chelsea");
  await until(
    "all entries",
    () => entries(visitor).count(),
    (found) => found === all,
  );
}

async function favourite({ page, visitor, studio }) {
  await entries(visitor)
    .first()
    .getByRole("button", { name: /^Favourite/ })
    .click();
  await page.getByLabel("Favourites only").check();
  await until(
    "one entry",
    () => entries(visitor).count(),
    (found) => found === 1,
  );
  equal((await studio.jobs("?favourite=true")).length, 1, "favourites");
  await page.getByLabel("Favourites only").uncheck();
}

async function remove({ visitor, studio }) {
  const all = (await studio.jobs()).length;
  await until(
    "all entries",
    () => entries(visitor).count(),
    (found) => found === all,
  );
  await entries(visitor)
    .last()
    .getByRole("button", { name: /^Delete/ })
    .click();
  await until(
    "one less",
    () => entries(visitor).count(),
    (found) => found === all - 1,
  );
  equal((await studio.jobs()).length, all - 1, "jobs after the deletion");
  await visitor.dialog.getByRole("button", { name: "Undo" }).click();
  await until(
    "all again",
    () => entries(visitor).count(),
    (found) => found === all,
  );
  equal((await studio.jobs()).length, all, "jobs after the undo");
}

async function compare({ page, visitor }) {
  for (const entry of [entries(visitor).nth(0), entries(visitor).nth(1)]) {
    await entry.getByRole("button", { name: /^Compare/ }).click();
  }
  await visitor.button("Compare two").click();
  await until(
    "two pictures",
    () => page.locator("studio-pair img").count(),
    (found) => found === 2,
  );
  await visitor.button("Back to the preview").click();
}

const entries = (visitor) => visitor.page.locator("studio-history li");

export default [
  ["the history lists all pictures", open],
  ["it finds by name", search],
  ["it keeps favourites", favourite],
  ["a deleted picture comes back", remove],
  ["two pictures are compared", compare],
];
