/** Short messages: toasts with an undo, and what a screen reader is told. */

import { Store } from "./store";

export interface Toast {
  id: number;
  message: string;
  isError: boolean;
  undo: (() => void) | null;
}

const TOAST_MS = 10_000;
let last = 0;

export const toasts = new Store<{ list: Toast[] }>({ list: [] });

export function toast(message: string, more: { isError?: boolean; undo?: () => void } = {}): void {
  const id = ++last;
  const next = { id, message, isError: more.isError ?? false, undo: more.undo ?? null };
  toasts.set({ list: [...toasts.value.list, next] });
  window.setTimeout(() => dismiss(id), TOAST_MS);
}

export function dismiss(id: number): void {
  toasts.set({ list: toasts.value.list.filter((entry) => entry.id !== id) });
}

/** The words in the live region. */
export const spoken = new Store<{ words: string }>({ words: "" });

const QUIET_MS = 10_000;
let lastProgress = 0;

/** Speaks at once. */
export function say(words: string): void {
  spoken.set({ words });
}

/** Speaks progress, at most every ten seconds. */
export function sayProgress(words: string): void {
  const now = Date.now();
  if (now - lastProgress < QUIET_MS) return;
  lastProgress = now;
  say(words);
}
