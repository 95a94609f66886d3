/** A picture without the mouse. */

import { equal, until } from "../check.mjs";
import { Visitor } from "../page.mjs";

async function make({ context, studio, watch }) {
  const page = await context.newPage();
  watch.follow(page);
  await page.goto(studio.origin);
  const visitor = new Visitor(page, studio);
  await visitor.planned(/about/);
  const before = (await studio.newest()).id;
  await visitor.tabTo(/^input Strength$/);
  for (const key of ["Home", "PageUp", "PageUp", "ArrowRight"]) await page.keyboard.press(key);
  await visitor.tabTo(/^input Draft/);
  await visitor.tabTo(/^input Size/);
  await page.keyboard.type("64");
  await page.keyboard.press("Tab");
  await visitor.planned(/\b64×/);
  await visitor.tabTo(/^button Make/);
  await page.keyboard.press("Enter");
  const isNew = (job) => job?.id !== before;
  const { job } = await until("a new job", () => studio.newest(), isNew);
  equal(job.options.strength, 21, "the strength that the keys gave");
  equal(job.options.size, 64, "the size that the keys gave");
  await visitor.done();
  await visitor.tabTo(/^summary Download/);
  await page.keyboard.press("Enter");
  await page.keyboard.press("Tab");
  const download = page.waitForEvent("download");
  await page.keyboard.press("Enter");
  equal((await download).suggestedFilename(), "chelsea-gravel.png", "the file's name");
  await page.close();
}

export default [["a picture is made and saved without the mouse", make]];
