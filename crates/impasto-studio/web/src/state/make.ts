/** Makes pictures from the form: one, a larger one, or nine variants. */

import { Store } from "./store";
import { form, jobOf, smallJob, strengthOf } from "./form";
import { job, learn, settingsOf, start } from "./jobs";
import { fillFrom } from "./recipe";
import { flushMasks } from "./masks";
import { toast } from "./notices";
import { preview } from "./preview";
import { show } from "./view";
import { controlJob, listJobs, randomId, wordsOf } from "../api/client";
import type { JobView } from "../api/types";
import type { Job } from "../job-types";
import { isActive } from "../lib/states";
import { text } from "../text";

export const making = new Store<{ busy: boolean; error: string | null }>({
  busy: false,
  error: null,
});

async function attempt(action: () => Promise<void>): Promise<void> {
  making.set({ busy: true, error: null });
  try {
    await action();
    making.set({ busy: false });
  } catch (error) {
    making.set({ busy: false, error: wordsOf(error) });
  }
}

/** Shows a picture. The preview comes back once the form is changed. */
export function openJob(id: string): void {
  preview.set({ moved: false });
  show({ kind: "job", id });
}

/** Starts the form's picture and shows it. */
export function make(): Promise<void> {
  return attempt(async () => {
    await flushMasks();
    const job = jobOf(form.value);
    if (!job) return;
    const view = await start({ job });
    openJob(view.id);
  });
}

const SIZES = [128, 192, 256, 384, 512, 768, 1024, 1536, 2048, 3072, 4096, 6144, 8192];

/** Returns the next size above that of a picture. */
export function nextSize(view: JobView): number | null {
  const longest = Math.max(...(view.size ?? [0]));
  return SIZES.find((size) => size > longest * 1.1) ?? null;
}

/** Fills the form with the recipe of a picture at the next size. Make then says what it costs. */
export async function larger(view: JobView): Promise<void> {
  const size = nextSize(view);
  if (size === null) return;
  await fillFrom(settingsOf(view));
  const { photo, options } = form.value;
  const own = photo ? Math.max(photo.width, photo.height) : 0;
  form.set({ options: { ...options, size, ...(size > own && { upscale: true }) } });
  toast(text.result.largerDone(size));
}

const STRENGTH_STEP = 20;
const SCALE_FACTORS = [0.6, 1, 1.6];
const VARIANT_SIZE = 192;

/** One cell of the grid: its settings, and its job once that has started. */
export interface Variant {
  strength: number;
  scale: number;
  id: string | null;
}

export const variants = new Store<{ group: string; cells: Variant[]; source: Job | null }>({
  group: "",
  cells: [],
  source: null,
});

/** Returns nine settings around those of a job: strengths across, style scales down. */
function around(job: Job): Variant[] {
  const middle = Math.min(
    Math.max(strengthOf(job.options ?? {}), STRENGTH_STEP),
    100 - STRENGTH_STEP,
  );
  const base = job.options?.["style-scale"] ?? 1;
  const strengths = [middle - STRENGTH_STEP, middle, middle + STRENGTH_STEP];
  return SCALE_FACTORS.flatMap((factor) => {
    const scale = Number((base * factor).toFixed(2));
    return strengths.map((strength) => ({ strength, scale, id: null }));
  });
}

function variantJob(job: Job, { strength, scale }: Variant): Job {
  const small = smallJob(job, VARIANT_SIZE);
  const { "content-weight": _, ...options } = small.options ?? {};
  return { ...small, options: { ...options, strength, "style-scale": scale } };
}

/** Starts nine small pictures around a job, and shows them as a grid. */
export function makeVariants(source: Job | null): Promise<void> {
  return attempt(async () => {
    await flushMasks();
    const wanted = source ?? jobOf(form.value);
    if (!wanted) return;
    const group = randomId();
    variants.set({ group, cells: around(wanted), source: wanted });
    show({ kind: "variants", group });
    for (const [index, cell] of variants.value.cells.entries()) {
      const view = await start({ job: variantJob(wanted, cell), group });
      if (variants.value.group !== group) return;
      const cells = variants.value.cells.map((other, i) =>
        i === index ? { ...other, id: view.id } : other,
      );
      variants.set({ cells });
    }
  });
}

/** Asks how the variants are. Nine streams would take all connections. */
export async function refreshVariants(): Promise<void> {
  const { group } = variants.value;
  if (group === "") return;
  const page = await listJobs({ group, limit: 9 });
  learn(...page.jobs);
}

/** Leaves the grid for the preview. Variants that are not made yet are not wanted any more. */
export async function leaveVariants(): Promise<void> {
  const { cells } = variants.value;
  variants.set({ group: "", cells: [], source: null });
  show({ kind: "form" });
  const cancels = cells.map(async ({ id }) => {
    const made = id === null ? null : job(id);
    if (id !== null && (made === null || isActive(made.state))) {
      await controlJob(id, { action: "cancel" });
    }
  });
  // One that has ended in this moment cannot be cancelled, which is as good.
  await Promise.allSettled(cancels);
}

/** Takes the settings of a variant into the form. */
export async function takeVariant({ strength, scale }: Variant): Promise<void> {
  const { source } = variants.value;
  if (source) await fillFrom(source);
  const { "content-weight": _, ...options } = form.value.options;
  form.set({ options: { ...options, strength, "style-scale": scale } });
  await leaveVariants();
}
