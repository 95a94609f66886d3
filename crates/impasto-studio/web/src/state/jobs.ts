/** The jobs that the page knows, the newest of them, and the streams of those that run. */

import { Store } from "./store";
import { isActive, isOver } from "../lib/states";
import {
  controlJob,
  createJob,
  deleteJob,
  getJob,
  listJobs,
  restoreJob,
  setFavourite,
  wordsOf,
} from "../api/client";
import { listen, type Handlers, type Remark } from "../api/events";
import type { Adjustment, Control, JobView, NewJob, Step } from "../api/types";
import type { Job } from "../job-types";
import { text } from "../text";
import { say, sayProgress, toast } from "./notices";

/** A step of a job, for the plot of its losses. */
export type Losses = Pick<Step, "step" | "scale" | "content" | "style" | "total">;

interface Jobs {
  byId: Record<string, JobView>;
  /** The newest jobs, newest first. */
  recent: string[];
  /** Warnings and notes of a job, in words. */
  remarks: Record<string, string[]>;
  /** Why a control of a job was refused. */
  refusals: Record<string, string>;
}

export const jobs = new Store<Jobs>({
  byId: {},
  recent: [],
  remarks: {},
  refusals: {},
});

/** Returns the job with its last adjustments, which is what its picture looks like. */
export function settingsOf({ job: asked, adjustments }: JobView): Job {
  const options = { ...asked.options };
  for (const { strength, "tv-weight": smoothing } of adjustments) {
    if (strength != null) options.strength = strength;
    if (smoothing != null) options["tv-weight"] = smoothing;
  }
  return { ...asked, options };
}

/** Losses by job. They change with every step, so they have a store of their own. */
export const losses = new Store<{ byId: Record<string, Losses[]> }>({ byId: {} });

const RECENT = 30;
/** Browsers allow six connections to a server. Streams must leave some for pictures. */
const MOST_STREAMS = 2;

export function job(id: string): JobView | null {
  return jobs.value.byId[id] ?? null;
}

export function learn(...views: JobView[]): void {
  const byId = { ...jobs.value.byId };
  for (const view of views) byId[view.id] = view;
  jobs.set({ byId });
}

function change(id: string, with_: (view: JobView) => Partial<JobView>): void {
  const view = job(id);
  if (view) learn({ ...view, ...with_(view) });
}

export function recentJobs(): JobView[] {
  return jobs.value.recent.map(job).filter((view) => view !== null);
}

/** Returns the job that the controls act on: a running one, or else the next in the queue. */
export function activeJob(): JobView | null {
  const active = recentJobs().filter((view) => isActive(view.state));
  return active.find((view) => view.state !== "queued") ?? active.at(-1) ?? null;
}

/** How many changes of state the streams have told, and at which count each job's last one came. */
let told = 0;
const lastTold = new Map<string, number>();

function changeState(id: string, with_: (view: JobView) => Partial<JobView>): void {
  lastTold.set(id, ++told);
  change(id, with_);
}

/** Asks for the newest jobs and follows those that run. */
export async function refresh(): Promise<void> {
  const before = told;
  const page = await listJobs({ limit: RECENT });
  // A list does not take back what a stream has told while the list was on its way, and a job that
  // has ended does not run again.
  const isNews = ({ id, state }: JobView): boolean =>
    (lastTold.get(id) ?? 0) <= before && (isOver(state) || !isOver(job(id)?.state ?? state));
  learn(...page.jobs.filter((view) => job(view.id) === null || isNews(view)));
  jobs.set({ recent: page.jobs.map((view) => view.id) });
  followActive();
}

const streams = new Map<string, () => void>();

function followActive(): void {
  const active = recentJobs().filter((view) => isActive(view.state));
  // The queue is in order: the oldest job is the next.
  active.sort(
    (a, b) => Number(a.state === "queued") - Number(b.state === "queued") || a.number - b.number,
  );
  const wanted = active.slice(0, MOST_STREAMS).map((view) => view.id);
  for (const [id, stop] of streams) {
    if (wanted.includes(id)) continue;
    stop();
    streams.delete(id);
  }
  for (const id of wanted) if (!streams.has(id)) follow(id);
}

function follow(id: string): void {
  losses.set({ byId: { ...losses.value.byId, [id]: [] } });
  const handlers: Handlers = {
    started: ({ worker }) => {
      const now = Date.now();
      changeState(id, ({ started }) => ({ state: "running", worker, started: started ?? now }));
    },
    planned: (plan) => change(id, () => ({ plan, size: plan.size })),
    step: (progress) => {
      change(id, () => ({ progress }));
      setLosses(id, (points) => withStep(points, progress));
      sayProgress(text.progress.spoken(progress));
    },
    picture: ({ version }) => change(id, () => ({ picture: version })),
    adjusted: (adjustment) =>
      change(id, ({ adjustments }) => ({ adjustments: withAdjustment(adjustments, adjustment) })),
    warning: (remark) => addRemark(id, remark),
    note: (remark) => addRemark(id, remark),
    paused: () => {
      changeState(id, () => ({ state: "paused", wanted: null }));
      say(text.state.paused);
    },
    resumed: () => changeState(id, () => ({ state: "running", wanted: null })),
    done: () => void ended(id),
    failed: () => void ended(id),
    cancelled: () => void ended(id),
    "set-aside": () => void ended(id),
  };
  // The next refresh follows the job again.
  streams.set(
    id,
    listen(id, handlers, () => streams.delete(id)),
  );
}

/**
 * Returns the points with one more. After a crash a job goes on from its last checkpoint, and some
 * steps come again. The later ones count.
 */
function withStep(points: Losses[], { step, scale, content, style, total }: Step): Losses[] {
  const last = points.at(-1);
  const before = last && last.step >= step ? points.filter((point) => point.step < step) : points;
  return [...before, { step, scale, content, style, total }];
}

/** Returns the adjustments with one more. A stream from the start brings known ones again. */
function withAdjustment(known: Adjustment[], next: Adjustment): Adjustment[] {
  const isNext = (other: Adjustment): boolean =>
    other.step === next.step &&
    other.strength === next.strength &&
    other["tv-weight"] === next["tv-weight"];
  return [...known.filter((other) => other.step <= next.step && !isNext(other)), next];
}

function setLosses(id: string, next: (points: Losses[]) => Losses[]): void {
  losses.set({ byId: { ...losses.value.byId, [id]: next(losses.value.byId[id] ?? []) } });
}

function addRemark(id: string, { about, text: said }: Remark): void {
  const words = about ? `${about.split("/").pop()}: ${said}` : said;
  const remarks = jobs.value.remarks[id] ?? [];
  if (remarks.includes(words)) return;
  jobs.set({ remarks: { ...jobs.value.remarks, [id]: [...remarks, words] } });
}

async function ended(id: string): Promise<void> {
  streams.get(id)?.();
  streams.delete(id);
  try {
    const view = await getJob(id);
    learn(view);
    say(text.state.spokenEnd(view));
    await refresh();
  } catch {
    // The next refresh shows how it ended.
  }
}

/** Fetches the losses of a job that has ended. */
export function loadLosses(id: string): void {
  const view = job(id);
  if (!view || !isOver(view.state) || losses.value.byId[id]) return;
  let points: Losses[] = [];
  setLosses(id, () => []);
  const handlers: Handlers = {
    step: (progress) => {
      points = withStep(points, progress);
    },
    end: () => setLosses(id, () => points),
  };
  listen(id, handlers, () => setLosses(id, () => points));
}

export async function start(request: NewJob): Promise<JobView> {
  const view = await createJob(request);
  learn(view);
  if (!view.group && !jobs.value.recent.includes(view.id)) {
    jobs.set({ recent: [view.id, ...jobs.value.recent] });
    followActive();
  }
  return view;
}

/** Pauses, resumes, cancels or adjusts. A refusal is kept beside the job, and returns false. */
export async function control(id: string, what: Control): Promise<boolean> {
  const { [id]: _, ...refusals } = jobs.value.refusals;
  jobs.set({ refusals });
  try {
    const before = job(id)?.state;
    const answer = await controlJob(id, what);
    // An event that has come in the meantime is newer than the answer.
    if (job(id)?.state === before) learn(answer);
    return true;
  } catch (error) {
    jobs.set({ refusals: { ...jobs.value.refusals, [id]: wordsOf(error) } });
    return false;
  }
}

export async function star(id: string): Promise<void> {
  const was = job(id)?.favourite ?? false;
  change(id, () => ({ favourite: !was }));
  try {
    learn(await setFavourite(id, !was));
  } catch (error) {
    change(id, () => ({ favourite: was }));
    toast(wordsOf(error), { isError: true });
  }
}

/** Deletes a job. A toast offers to restore it. `changed` is called after each of both. */
export async function remove(id: string, changed: () => void): Promise<void> {
  const title = job(id)?.title ?? "";
  const undo = async (): Promise<void> => {
    try {
      learn(await restoreJob(id));
      await refresh();
      changed();
    } catch (error) {
      toast(wordsOf(error), { isError: true });
    }
  };
  try {
    await deleteJob(id);
    jobs.set({ recent: jobs.value.recent.filter((other) => other !== id) });
    changed();
    toast(text.history.deleted(title), { undo: () => void undo() });
    await refresh();
  } catch (error) {
    toast(wordsOf(error), { isError: true });
  }
}
