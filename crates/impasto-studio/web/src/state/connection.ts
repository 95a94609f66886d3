/** Whether the server answers. While it does not, it is asked again every two seconds. */

import { Store } from "./store";
import { getSystem, outcome } from "../api/client";

export const connection = new Store<{ state: "well" | "lost" | "denied" }>({ state: "well" });

const RETRY_MS = 2000;
let retry = 0;
const returned = new Set<() => void>();

/** Calls `action` when the server answers again. */
export function onReturn(action: () => void): void {
  returned.add(action);
}

outcome.report = (result) => {
  const before = connection.value.state;
  const now = result === "answered" ? "well" : result;
  if (now !== before) connection.set({ state: now });
  if (now === "lost" && retry === 0) {
    retry = window.setInterval(() => void getSystem().catch(() => {}), RETRY_MS);
  }
  if (now !== "lost" && retry !== 0) {
    clearInterval(retry);
    retry = 0;
    if (now === "well") for (const action of returned) action();
  }
};
