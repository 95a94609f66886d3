/** Moves the strength and the smoothing of the job that runs. */

import { Store, debounce } from "./store";
import { form, inputsKey, jobOf, setOption } from "./form";
import { activeJob, control } from "./jobs";
import type { JobView } from "../api/types";

interface Adjusting {
  /** Whether the dial moves the running job, if it can. */
  wanted: boolean;
  /** What was sent and is not confirmed yet. */
  sent: { id: string; after: number } | null;
}

export const adjusting = new Store<Adjusting>({ wanted: true, sent: null });

const WAIT_MS = 300;
let pending: { strength?: number; "tv-weight"?: number } = {};

/** Returns the running job if it is made of the pictures that the form has. */
export function adjustable(): JobView | null {
  const view = activeJob();
  const mine = jobOf(form.value);
  if (!view || !mine || view.state !== "running") return null;
  if (mine.options?.["content-weight"] != null) return null;
  return inputsKey(view.job) === inputsKey(mine) ? view : null;
}

/** Whether the running job has not yet done what was sent. */
export function isAdjusting(view: JobView): boolean {
  const { sent } = adjusting.value;
  return sent?.id === view.id && view.adjustments.length <= sent.after;
}

const send = debounce(WAIT_MS, () => void sendNow());

async function sendNow(): Promise<void> {
  const view = adjustable();
  const values = pending;
  pending = {};
  if (!view) return;
  adjusting.set({ sent: { id: view.id, after: view.adjustments.length } });
  const isTaken = await control(view.id, { action: "adjust", ...values });
  if (!isTaken) adjusting.set({ sent: null });
}

function canAdjust(): boolean {
  return adjusting.value.wanted && adjustable() !== null;
}

export function setStrength(strength: number): void {
  setOption("strength", strength);
  if (canAdjust()) {
    pending.strength = strength;
    send();
  }
}

export function setSmoothing(weight: number | undefined): void {
  setOption("tv-weight", weight);
  if (weight !== undefined && canAdjust()) {
    pending["tv-weight"] = weight;
    send();
  }
}
