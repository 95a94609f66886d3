/** What the form's picture would take. It is asked for after each change of the form. */

import { Store, debounce } from "./store";
import { planJob, wordsOf, Refused } from "../api/client";
import type { Plan } from "../api/types";
import { form, jobOf } from "./form";

interface Planned {
  plan: Plan | null;
  busy: boolean;
  error: string | null;
  field: string | null;
}

export const planned = new Store<Planned>({ plan: null, busy: false, error: null, field: null });

const WAIT_MS = 250;

let asked = "";
let abort = new AbortController();

const request = debounce(WAIT_MS, () => void ask());

export function planForm(): void {
  form.subscribe(update);
  update();
}

function update(): void {
  const job = jobOf(form.value);
  const key = job ? JSON.stringify(job) : "";
  if (key === asked) return;
  asked = key;
  abort.abort();
  if (key === "") {
    planned.set({ plan: null, busy: false, error: null, field: null });
    return;
  }
  planned.set({ busy: true });
  request();
}

/** Asks again, for instance after the connection was lost. */
export function retryPlan(): void {
  if (asked !== "") request();
}

async function ask(): Promise<void> {
  const key = asked;
  if (key === "") return;
  abort = new AbortController();
  try {
    const plan = await planJob(JSON.parse(key), abort.signal);
    if (key === asked) planned.set({ plan, busy: false, error: null, field: null });
  } catch (error) {
    if (key !== asked) return;
    const field = error instanceof Refused ? error.field : null;
    planned.set({ plan: null, busy: false, error: wordsOf(error), field });
  }
}
