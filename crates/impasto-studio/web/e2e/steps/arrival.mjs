/** The first visit, the photo, the style, and the preview. */

import { equal, sleep, until } from "../check.mjs";
import { accessible } from "../axe.mjs";
import { example, textOf } from "../page.mjs";

async function strangersStayOutside({ browser, studio, watch }) {
  const context = await browser.newContext();
  const page = await context.newPage();
  watch.follow(page);
  await watch.allowing(/status of 401/, async () => {
    await page.goto(studio.origin);
    const banner = page.getByRole("alert").filter({ hasText: "Open the address" });
    await until("words about access", () => banner.count());
  });
  await context.close();
}

async function firstVisit({ page, studio, visitor }) {
  await visitor.arrive();
  equal(page.url(), `${studio.origin}/`, "the token is not in the address bar");
  await visitor.label("preview");
  await accessible(page, "first visit");
}

async function upload({ page, visitor }) {
  await visitor.choose(visitor.button("Change"), example("chelsea.jpg"));
  await page.getByText("chelsea.jpg", { exact: true }).waitFor();
  await visitor.drop(page.locator("studio-styles section"), example("gravel.jpg"));
  await page.getByText("gravel.jpg", { exact: true }).waitFor();
  equal(await page.locator("studio-styles li.style").count(), 1, "the drop replaces the example");
  await visitor.label("preview");
}

async function refuseNoPicture({ page, visitor, watch }) {
  await watch.allowing(/status of 415/, async () => {
    await visitor.choose(visitor.button("Change"), example("README.md"));
    const words = page.locator("studio-photo").getByRole("alert");
    await until(
      "words about the file",
      () => textOf(words),
      (found) => found.includes("README.md"),
    );
  });
}

async function previewByDial({ visitor, studio }) {
  const before = await visitor.shown();
  await visitor.dial.focus();
  const start = Date.now();
  await visitor.page.keyboard.press("PageUp");
  await visitor.page.keyboard.press("ArrowRight");
  equal(await visitor.dial.inputValue(), "61", "page keys move the dial by 10, arrows by 1");
  const another = (url) => url !== before && url?.includes("/jobs/");
  await until("another preview", () => visitor.shown(), another);
  const first = Date.now() - start;
  await visitor.label("preview");
  const whole = Date.now() - start;
  equal((await studio.jobs()).length, 0, "previews are not in the history");
  return `picture after ${first} ms, done after ${whole} ms`;
}

/** A newer setting of the dial takes the place of an older one. */
async function quickMoves({ visitor }) {
  await visitor.dial.focus();
  for (let presses = 0; presses < 12; presses++) {
    await visitor.page.keyboard.press("ArrowLeft");
    await sleep(60);
  }
  const start = Date.now();
  await visitor.label("preview…");
  await visitor.label("preview");
  equal(await visitor.dial.inputValue(), "49", "the dial is where the keys left it");
  return `done ${Date.now() - start} ms after the last key`;
}

export default [
  ["a page without the token says what to do", strangersStayOutside],
  ["the first visit has an example and its preview", firstVisit],
  ["a photo is chosen, a style is dropped", upload],
  ["a file that is no picture is refused in words", refuseNoPicture],
  ["the dial makes a preview", previewByDial],
  ["quick moves of the dial end in one preview", quickMoves],
];
