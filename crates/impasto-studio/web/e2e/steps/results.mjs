/** A result: seen, compared, saved, and made again from its command and from its recipe. */

import { copyFileSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { equal, until } from "../check.mjs";
import { accessible } from "../axe.mjs";
import { example } from "../page.mjs";
import { withoutRecipe } from "../png.mjs";

async function make({ visitor, run }) {
  await visitor.draft();
  await visitor.size(96);
  await visitor.short();
  run.job = await visitor.make();
  await visitor.done();
}

async function compare({ page, visitor }) {
  await visitor.stage.focus();
  await page.keyboard.press("b");
  const divider = page.getByRole("slider", { name: "Before and after" });
  await divider.focus();
  await page.keyboard.press("ArrowLeft");
  equal(Number(await divider.getAttribute("aria-valuenow")) < 50, true, "the divider moves left");
  await accessible(page, "done");
  await visitor.stage.focus();
  await page.keyboard.press("b");
  await page.keyboard.down(" ");
  await visitor.label("photo");
  await page.keyboard.up(" ");
  await visitor.label("result");
}

async function download({ page, visitor, run, studio }) {
  const download = page.waitForEvent("download");
  await page.locator("summary").filter({ hasText: "Download" }).click();
  await page.getByRole("link", { name: "PNG", exact: true }).click();
  const file = await download;
  equal(file.suggestedFilename(), "chelsea-gravel.png", "the file's name");
  run.folder = studio.desk("result");
  run.file = join(run.folder, "chelsea-gravel.png");
  await file.saveAs(run.file);
  await visitor.stage.focus();
}

async function command({ page, visitor, run }) {
  await visitor.button("Command").click();
  await visitor.button("Copy").click();
  await visitor.button("Copied").waitFor();
  run.command = await page.evaluate(() => navigator.clipboard.readText());
  equal(
    run.command.startsWith("impasto chelsea.jpg gravel.jpg "),
    true,
    `the command ${run.command}`,
  );
  await visitor.closeDialog();
}

async function sameBytes({ run, studio }) {
  for (const name of ["chelsea.jpg", "gravel.jpg"]) {
    copyFileSync(example(name), join(run.folder, name));
  }
  await studio.run(`${run.command} --no-recipe`, run.folder);
  const made = readFileSync(join(run.folder, "out.png"));
  const saved = withoutRecipe(readFileSync(run.file));
  equal(saved.equals(made), true, `the ${saved.length} saved bytes are those of the command line`);
  return `${made.length} bytes`;
}

async function recipe({ page, visitor, run }) {
  await visitor.dial.focus();
  await page.keyboard.press("Home");
  await visitor.size(128);
  await visitor.drop(visitor.stage, run.file);
  await visitor.button("Use its settings").last().click();
  await page.getByText("The settings are filled in.").waitFor();
  const { strength, size } = run.job.job.options;
  equal(Number(await visitor.dial.inputValue()), strength, "the strength of the recipe");
  await visitor.planned(new RegExp(`\\b${size}×`));
}

async function cancel({ visitor, studio }) {
  await visitor.long(2000);
  const { id } = await visitor.make();
  await until("a step", () => visitor.step());
  await visitor.press("Cancel");
  await visitor.label("Cancelled");
  equal((await studio.api(`/jobs/${id}`)).state, "cancelled", "the job's state");
  await visitor.short();
}

export default [
  ["a small picture is made", make],
  ["before and after, photo, accessibility", compare],
  ["the result is saved as PNG", download],
  ["its command is copied", command],
  ["the command line makes the same bytes", sameBytes],
  ["a dropped picture brings its recipe", recipe],
  ["another job is cancelled", cancel],
];
