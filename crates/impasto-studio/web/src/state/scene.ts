/** What the stage draws for the subject of the view. */

import { form } from "./form";
import { activeJob, job } from "./jobs";
import { planned } from "./plan";
import { preview, previewKey } from "./preview";
import { view } from "./view";
import { urls } from "../api/client";
import type { JobView, Size } from "../api/types";
import { isActive, isOver } from "../lib/states";
import { text } from "../text";

export interface Scene {
  /** Size of the picture in px, that of the result. */
  size: Size;
  /** The whole picture. */
  base: string | null;
  /** A picture that grows. Parts of it can be fetched. */
  live: { id: string; version: number } | null;
  /** The job whose live picture stays if the stage shows it. The server no longer has it. */
  holds: string | null;
  photo: string | null;
  label: string;
  /** A line over the stage, for instance why there is no picture. */
  message: string | null;
  isError: boolean;
  paintsMask: boolean;
}

const PHOTO_SIZE = 2048;
const NO_PLAN_SIZE = 512;

export function sceneOf(): Scene | null {
  const { subject } = view.value;
  if (subject.kind === "form") return formScene();
  if (subject.kind === "job") {
    const shown = job(subject.id);
    return shown && jobScene(shown);
  }
  return null;
}

function formScene(): Scene | null {
  const { photo } = form.value;
  if (!photo) return null;
  const { url, shown, busy, error } = preview.value;
  const isStale = busy || shown !== previewKey();
  const scale = NO_PLAN_SIZE / Math.max(photo.width, photo.height);
  const guess: Size = [Math.round(photo.width * scale), Math.round(photo.height * scale)];
  const photoUrl = urls.file(photo.sha256, PHOTO_SIZE);
  // A preview of another photo would be stretched to this one's shape.
  const isOfPhoto = shown.includes(photo.sha256);
  const base = url && isOfPhoto ? url : null;
  const isComing = isStale && error === null;
  const idle = base ? text.canvas.preview : text.canvas.photo;
  // A refusal of the plan stands at Make and at its field.
  const message = error === planned.value.error ? null : error;
  return {
    size: planned.value.plan?.size ?? guess,
    base: base ?? photoUrl,
    live: null,
    holds: null,
    photo: photoUrl,
    label: isComing ? text.canvas.previewBusy : idle,
    message,
    isError: message !== null,
    paintsMask: true,
  };
}

function jobScene(shown: JobView): Scene {
  const content = shown.job.inputs?.content;
  const sha256 = content && typeof content === "object" ? content.sha256 : undefined;
  const photo = sha256 ? urls.file(sha256, PHOTO_SIZE) : null;
  const size: Size = shown.size ?? shown.plan?.size ?? [NO_PLAN_SIZE, NO_PLAN_SIZE];
  const scene = { size, photo, isError: false, message: null, paintsMask: false };
  if (shown.state === "done") {
    const base = urls.shown(shown.id);
    return { ...scene, base, live: null, holds: null, label: text.canvas.result };
  }
  const version = shown.picture;
  const live = version === null ? null : { id: shown.id, version };
  return {
    ...scene,
    base: live ? urls.live(live.id, live.version) : photo,
    live,
    holds: shown.id,
    label: shown.state === "running" && live ? text.canvas.live : text.state[shown.state],
    message: messageOf(shown),
    isError: shown.state === "failed" || shown.state === "set-aside",
  };
}

function messageOf({ state, error, picture, progress }: JobView): string | null {
  if (state === "set-aside") return error ?? text.state.setAside;
  if (error) return error;
  // A job that goes on after a pause has steps, and its live picture is still on the stage.
  return picture === null && progress === null && isActive(state) ? text.canvas.waiting : null;
}

interface Inset {
  url: string;
  label: string;
  toJob: string | null;
  /** It shows nothing new, and is only the way back to the form. */
  isSmall: boolean;
}

/** Returns the picture beside the main one: the preview while a job shows, or the other way. */
export function insetOf(): Inset | null {
  const { subject } = view.value;
  const active = activeJob();
  if (subject.kind === "form" && active) {
    const size = 256;
    const url =
      active.picture === null
        ? urls.job(active.id, size, active.state)
        : urls.live(active.id, active.picture);
    return { url, label: text.canvas.live, toJob: active.id, isSmall: false };
  }
  const { url, busy, moved } = preview.value;
  const shown = subject.kind === "job" ? job(subject.id) : null;
  // While a picture runs with the form's settings, their preview shows nothing new.
  if (url && shown && (moved || isOver(shown.state))) {
    const label = busy ? text.canvas.previewBusy : text.canvas.preview;
    return { url, label, toJob: null, isSmall: !moved };
  }
  return null;
}
