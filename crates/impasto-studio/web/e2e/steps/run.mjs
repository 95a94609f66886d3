/** One long run: watched, zoomed, paused, adjusted, reloaded, and killed. */

import { equal, sleep, until } from "../check.mjs";
import { accessible } from "../axe.mjs";
import { textOf } from "../page.mjs";

/** How long the run takes by its plan, whatever machine this is. It takes about half of that. */
const SECONDS = 26;
const TRIAL_STEPS = 100;
const LONG_MS = 120_000;

async function watch({ page, visitor, run }) {
  await visitor.draft();
  await visitor.size(96);
  const trial = await visitor.long(TRIAL_STEPS);
  run.steps = Math.ceil((SECONDS * TRIAL_STEPS) / trial.seconds);
  await visitor.long(run.steps);
  run.job = await visitor.make();
  const first = await until("a step", () => visitor.step());
  await until(
    "steps go up",
    () => visitor.step(),
    (step) => step > first,
  );
  await visitor.picture(/\/preview\?v=/);
  await visitor.label("live picture");
  const early = await visitor.shown();
  await until(
    "a newer live picture",
    () => visitor.shown(),
    (url) => url !== early,
  );
  await visitor.button("Losses").click();
  await page.locator("studio-losses canvas").waitFor();
  await page.getByRole("img", { name: /^Losses over \d+ steps/ }).waitFor();
}

async function look({ page }) {
  await accessible(page, "running");
}

async function zoom({ page, visitor }) {
  await visitor.button("Fit").click();
  const fit = await visitor.zoom();
  await visitor.stage.hover();
  await page.mouse.wheel(0, -240);
  const wheeled = await until(
    "the wheel zooms",
    () => visitor.zoom(),
    (zoom) => zoom > fit,
  );
  await visitor.stage.focus();
  for (let presses = 0; presses < 4; presses++) await page.keyboard.press("+");
  await until(
    "+ zooms",
    () => visitor.zoom(),
    (zoom) => zoom > wheeled,
  );
  // Zoomed in, only the seen part is fetched.
  const part = page.locator("studio-stage .detail img");
  await until("the seen part", () => part.count());
  equal((await part.getAttribute("src")).includes("region="), true, "it is a part");
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("0");
  await until(
    "0 fits",
    () => visitor.zoom(),
    (zoom) => zoom === fit,
  );
  equal(
    (await visitor.page.locator("studio-stage .base img").count()) > 0,
    true,
    "the picture stays",
  );
}

async function pause({ visitor, studio, run }) {
  await visitor.press("Pause");
  const start = Date.now();
  await visitor.button("Resume").waitFor();
  const took = Date.now() - start;
  const step = await visitor.step();
  equal((await studio.api(`/jobs/${run.job.id}`)).state, "paused", "the job's state");
  await sleep(1000);
  equal(await visitor.step(), step, "no steps while it is paused");
  equal((await visitor.shown())?.includes("/preview"), true, "the live picture stays");
  await visitor.press("Resume");
  await visitor.button("Pause").waitFor();
  await until(
    "steps go on",
    () => visitor.step(),
    (now) => now > step,
  );
  return `paused after ${took} ms at step ${step}`;
}

async function pauseAgain({ visitor }) {
  for (let turn = 0; turn < 3; turn++) {
    await visitor.press("Pause");
    await visitor.button("Resume").waitFor();
    await visitor.press("Resume");
    await visitor.button("Pause").waitFor();
  }
}

async function adjust({ page, visitor, studio, run }) {
  equal(
    await page.getByLabel("Also move the running picture").isChecked(),
    true,
    "the dial adjusts",
  );
  await visitor.dial.focus();
  await page.keyboard.press("PageUp");
  const strength = Number(await visitor.dial.inputValue());
  const adjustments = async () => (await studio.api(`/jobs/${run.job.id}`)).adjustments;
  const made = await until("the adjustment", adjustments, (list) => list.length > 0);
  equal(made[0].strength, strength, "the job's new strength");
  await until(
    "the page says so",
    () => barOf(page),
    (words) => words.endsWith("adjusted once"),
  );
}

async function reload({ page, visitor, run, studio }) {
  const before = await visitor.step();
  await page.reload();
  await visitor.label("live picture");
  await until(
    "steps go on",
    () => visitor.step(),
    (step) => step > before,
  );
  equal(await barOf(page), "Running, adjusted once", "the picture's line");
  equal((await studio.jobs()).length, 1, "reloading makes no job");
  equal((await studio.newest()).id, run.job.id, "the job");
}

async function restart({ page, visitor, studio, watch, run }) {
  await watch.allowing(/ERR_|Failed to load resource/, async () => {
    const before = await visitor.step();
    await studio.kill();
    await until("words about the lost program", () => page.locator(".banner").count());
    await studio.start();
    await until("the page is back", async () => (await page.locator(".banner").count()) === 0);
    await until(
      "steps go on",
      () => visitor.step(),
      (step) => step > before,
    );
  });
  await visitor.done(LONG_MS);
  const job = await studio.api(`/jobs/${run.job.id}`);
  equal(job.state, "done", "the job's state");
  equal(job.report.steps, run.steps, "its steps");
  equal((await studio.jobs()).length, 1, "jobs");
  await visitor.button("Losses").click();
}

async function command({ studio, run }) {
  const { command, exact } = await studio.api(`/jobs/${run.job.id}/command`);
  equal(exact, true, "the command is exact");
  equal(/ --adjust \S+/.test(command), true, "the command has the adjustment");
}

/** Returns the words below the title of the shown picture. */
function barOf(page) {
  return textOf(page.locator("studio-picture-bar .about .small"));
}

export default [
  ["a picture is made and watched", watch],
  ["a run is accessible", look],
  ["the wheel and keys zoom while it runs", zoom],
  ["it pauses and resumes", pause],
  ["it pauses and resumes in quick turns", pauseAgain],
  ["the dial adjusts it", adjust],
  ["reloading finds it again", reload],
  ["the program is killed, restarted, and finishes it", restart],
  ["its command says what was adjusted", command],
];
