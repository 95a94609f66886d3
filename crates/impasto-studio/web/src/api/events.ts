/** The stream of a job's events. The browser connects again by itself and gets what it missed. */

import type { Adjustment, Plan, Step } from "./types";
import { urls } from "./client";

export interface Remark {
  /** The file that it is about. */
  about: string | null;
  text: string;
}

export interface Events {
  queued: Record<string, never>;
  started: { worker: string };
  planned: Plan;
  step: Step;
  warning: Remark;
  note: Remark;
  adjusted: Adjustment;
  paused: { message: string | null };
  resumed: Record<string, never>;
  cancelled: { message: string | null };
  done: { message: string | null };
  failed: { message: string | null };
  "set-aside": { message: string | null };
  picture: { version: number };
  end: Record<string, never>;
}

export type Handlers = { [Name in keyof Events]?: (data: Events[Name]) => void };

/**
 * Calls the handlers for the events of a job. Returns the function that stops it. `closed` is
 * called if the browser gives up, for instance because the server knows the job no more.
 */
export function listen(id: string, handlers: Handlers, closed: () => void): () => void {
  const source = new EventSource(urls.events(id));
  for (const [name, handle] of Object.entries(handlers)) {
    source.addEventListener(name, (event) => {
      // The table ties each name to the type of its data.
      (handle as (data: unknown) => void)(JSON.parse((event as MessageEvent).data));
    });
  }
  source.addEventListener("end", () => source.close());
  source.addEventListener("error", () => {
    if (source.readyState === EventSource.CLOSED) closed();
  });
  return () => source.close();
}
