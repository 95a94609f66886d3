/** The small picture that follows the dial. A newer one takes the place of an older one. */

import { Store, debounce } from "./store";
import { createJob, urls, wordsOf, Refused } from "../api/client";
import { listen, type Handlers } from "../api/events";
import { form, jobOf, smallJob } from "./form";
import { job } from "./jobs";
import { show, view } from "./view";
import { isOver } from "../lib/states";

interface Preview {
  /** Address of the newest picture. It may still be that of a former setting. */
  url: string | null;
  /** The job that the picture belongs to, as text. */
  shown: string;
  busy: boolean;
  /** The form has changed since a picture was last made or opened. */
  moved: boolean;
  error: string | null;
  /** The field of the job that is at fault. */
  field: string | null;
}

export const preview = new Store<Preview>({
  url: null,
  shown: "",
  busy: false,
  moved: false,
  error: null,
  field: null,
});

const SIZE = 128;
// Half of those of a draft. They look the same at this size, and take two seconds on two cores.
const STEPS = 20;
const WAIT_MS = 150;

let asked = "";
let turn = 0;
let lastId: string | null = null;
let stop = (): void => {};

/** Returns the preview's job as text, or "" while a picture is missing. */
export function previewKey(): string {
  const wanted = jobOf(form.value);
  if (!wanted) return "";
  const small = smallJob(wanted, SIZE);
  return JSON.stringify({ ...small, options: { ...small.options, steps: STEPS } });
}

const request = debounce(WAIT_MS, () => void start());

/** Asks for a preview if the form has changed in a way that it shows. */
export function followForm(): void {
  form.subscribe(update);
  update();
}

function update(): void {
  const key = previewKey();
  if (key === asked) return;
  asked = key;
  if (key === "") {
    turn++;
    stop();
    preview.set({ url: null, shown: "", busy: false, error: null, field: null });
    return;
  }
  preview.set({ busy: true, moved: true });
  showPreview();
  request();
}

/** Moves the canvas to the preview, unless a running picture is on it: that stays. */
function showPreview(): void {
  const { subject } = view.value;
  if (subject.kind === "form") return;
  const shown = subject.kind === "job" ? job(subject.id) : null;
  if (!shown || isOver(shown.state)) show({ kind: "form" });
}

/** Asks again, for instance after the connection was lost. */
export function retryPreview(): void {
  if (asked === "" || preview.value.shown === asked) return;
  preview.set({ busy: true });
  request();
}

async function start(): Promise<void> {
  const mine = ++turn;
  const key = asked;
  stop();
  if (key === "") return;
  try {
    const made = await createJob({ job: JSON.parse(key), preview: true, replaces: lastId });
    lastId = made.id;
    if (mine === turn) watch(made.id, key, mine);
  } catch (error) {
    if (mine !== turn) return;
    const field = error instanceof Refused ? error.field : null;
    preview.set({ busy: false, error: wordsOf(error), field });
  }
}

function watch(id: string, key: string, mine: number): void {
  const isNewest = (): boolean => mine === turn;
  const fail = ({ message }: { message: string | null }): void => {
    if (isNewest()) preview.set({ busy: false, error: message });
  };
  const handlers: Handlers = {
    picture: ({ version }) => {
      if (isNewest())
        preview.set({ url: urls.live(id, version), shown: key, error: null, field: null });
    },
    done: () => {
      if (!isNewest()) return;
      preview.set({ url: urls.shown(id), shown: key, busy: false, error: null, field: null });
    },
    failed: fail,
    "set-aside": fail,
    cancelled: () => {
      if (isNewest()) preview.set({ busy: false });
    },
  };
  stop = listen(id, handlers, () => {
    if (isNewest()) preview.set({ busy: false });
  });
}
