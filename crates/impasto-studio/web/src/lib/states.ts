/** Groups of a job's states. */

import type { State } from "../api/types";

/** Whether the job waits or runs. */
export function isActive(state: State): boolean {
  return state === "queued" || state === "running" || state === "paused";
}

/** Whether the job has ended, in whichever way. */
export function isOver(state: State): boolean {
  return !isActive(state);
}
