/** A keep mask: painted with the pointer, carried by the job. */

import { equal, until } from "../check.mjs";
import { accessible } from "../axe.mjs";

async function paint({ page, visitor }) {
  await page.getByRole("button", { name: /^Keep mask/ }).click();
  await visitor.label(/preview|photo/);
  const box = await visitor.stage.boundingBox();
  const at = (x, y) => [box.x + x * box.width, box.y + y * box.height];
  await page.mouse.move(...at(0.45, 0.45));
  await page.mouse.down();
  await page.mouse.move(...at(0.55, 0.5), { steps: 6 });
  await page.mouse.up();
  await until("the mask's file", () => keepOf(page));
  await accessible(page, "mask");
}

async function undo({ page, visitor }) {
  await visitor.button("Undo").click();
  await until("no mask", async () => (await keepOf(page)) === null);
  await visitor.button("Redo").click();
  await until("the mask again", () => keepOf(page));
}

async function make({ page, visitor, studio }) {
  const { sha256 } = await keepOf(page);
  await visitor.button("Done").click();
  await visitor.planned(/about/);
  const { id } = await visitor.make();
  await visitor.done();
  const { job, state } = await studio.api(`/jobs/${id}`);
  equal(state, "done", "the job's state");
  equal(job.inputs.keep?.sha256, sha256, "the job's keep mask");
}

/** Returns the mask that the form has. */
function keepOf(page) {
  return page.evaluate(() => JSON.parse(localStorage.getItem("impasto-form")).keep);
}

export default [
  ["a keep mask is painted", paint],
  ["a stroke is undone and redone", undo],
  ["the job carries the mask", make],
];
