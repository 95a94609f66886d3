/** Panels beside the picture. */

import { equal } from "../check.mjs";
import { accessible } from "../axe.mjs";

async function more({ page, visitor }) {
  await accessible(page, "more", () => visitor.openMore());
  await visitor.more("Steps", "many");
  await page.getByText("This is not a number.").waitFor();
  await visitor.more("Steps", "");
}

async function refusedOption({ page, visitor, watch }) {
  await watch.allowing(/status of 422/, async () => {
    await visitor.more("Steps", "0");
    await page.locator("#error-steps").getByText("steps").waitFor();
    equal(await visitor.button("Make").isDisabled(), true, "Make waits for a mended option");
    await visitor.more("Steps", "");
    await visitor.planned(/about/);
  });
}

async function help({ page, visitor }) {
  await visitor.button("Help").click();
  await page.getByRole("heading", { name: "What the dial means" }).waitFor();
  await accessible(page, "help");
  await visitor.closeDialog();
  equal(await visitor.focused(), "button Help", "the focus comes back");
}

async function devices({ page, visitor }) {
  await visitor.button("Devices").click();
  await visitor.dialog.getByText("on the CPU").first().waitFor();
  await accessible(page, "devices");
  await visitor.closeDialog();
}

async function docs({ context, studio, watch }) {
  const page = await context.newPage();
  watch.follow(page);
  await page.goto(`${studio.origin}/docs`);
  await page.getByText("/api/v1/jobs/{id}/control").first().waitFor();
  await accessible(page, "docs");
  await page.close();
}

export default [
  ["More has all options", more],
  ["a refused option says so at its field", refusedOption],
  ["help opens and closes", help],
  ["devices are listed", devices],
  ["the API is described", docs],
];
