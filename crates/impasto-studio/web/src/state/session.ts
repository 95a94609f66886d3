/** The life of the page: what is loaded first, and what again after the connection was lost. */

import { form, fileRef, styleChoice, type FileRef, type Form } from "./form";
import { activeJob, jobs, recentJobs, refresh } from "./jobs";
import { openJob } from "./make";
import { toast } from "./notices";
import { planForm, retryPlan } from "./plan";
import { followForm, retryPreview } from "./preview";
import { loadSchema, loadSystem } from "./system";
import { getFile, Refused } from "../api/client";
import { isActive } from "../lib/states";
import type { System } from "../api/types";

/** Other tabs and programs start jobs too. */
const REFRESH_MS = 10_000;

let hasBegun = false;

export async function begin(): Promise<void> {
  try {
    const info = await loadSystem();
    await checkForm();
    if (!form.value.photo && form.value.styles.length === 0) fillExample(info);
    await Promise.all([loadSchema(), refresh()]);
  } catch (error) {
    // If the server does not answer or lets nobody in, the line at the top says so. The page begins
    // again when it answers.
    if (error instanceof Refused && error.status !== 401) {
      toast(error.message, { isError: true });
    }
    return;
  }
  hasBegun = true;
  followForm();
  planForm();
  const running = activeJob();
  if (running) openJob(running.id);
  window.addEventListener("focus", refreshQuietly);
  window.setInterval(() => {
    if (recentJobs().some((view) => isActive(view.state))) refreshQuietly();
  }, REFRESH_MS);
}

function refreshQuietly(): void {
  refresh().catch(() => {
    // The line at the top says so.
  });
}

/** Catches up after the connection was lost. */
export async function recover(): Promise<void> {
  if (!hasBegun) return begin();
  jobs.set({ refusals: {} });
  refreshQuietly();
  retryPlan();
  retryPreview();
}

function fillExample({ example }: System): void {
  form.set({
    photo: fileRef(example.content),
    styles: [styleChoice(fileRef(example.style))],
  });
}

/** Leaves out files that the server no longer has. */
async function checkForm(): Promise<void> {
  const { photo, styles, region, keep } = form.value;
  const isHere = async (file: FileRef | null): Promise<boolean> => {
    if (!file) return false;
    try {
      await getFile(file.sha256);
      return true;
    } catch (error) {
      if (error instanceof Refused && error.status === 404) return false;
      throw error;
    }
  };
  const here = await Promise.all(styles.map((style) => isHere(style.file)));
  const kept: Partial<Form> = { styles: styles.filter((_, i) => here[i]) };
  if (!(await isHere(photo))) Object.assign(kept, { photo: null, region: null, keep: null });
  if (region && !(await isHere(region))) kept.region = null;
  if (keep && !(await isHere(keep))) kept.keep = null;
  form.set(kept);
}
