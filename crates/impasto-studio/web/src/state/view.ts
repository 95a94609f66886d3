/** What the canvas shows, and which dialog is open. */

import { Store } from "./store";
import type { FileView } from "../api/types";
import type { MaskKind } from "./form";

/** `form`: the preview of the form's picture. */
export type Subject =
  | { kind: "form" }
  | { kind: "job"; id: string }
  | { kind: "variants"; group: string }
  | { kind: "pair"; ids: [string, string] };

export interface View {
  subject: Subject;
  /** The photo covers the picture. */
  showsPhoto: boolean;
  /** Where the photo ends and the picture begins, in percent from the left. `null`: no slider. */
  divider: number | null;
  tool: MaskKind | null;
  showsLosses: boolean;
}

export const view = new Store<View>({
  subject: { kind: "form" },
  showsPhoto: false,
  divider: null,
  tool: null,
  showsLosses: false,
});

export function show(subject: Subject): void {
  const tool = subject.kind === "form" ? view.value.tool : null;
  const isGrid = subject.kind === "variants" || subject.kind === "pair";
  view.set({ subject, tool, ...(isGrid && { showsLosses: false, showsPhoto: false }) });
}

/** Opens or closes a mask tool. Masks are painted over the form's picture. */
export function toggleTool(kind: MaskKind): void {
  const tool = view.value.tool === kind ? null : kind;
  view.set({ tool, ...(tool && { subject: { kind: "form" }, divider: null }) });
}

export type Dialog =
  | { kind: "history" }
  | { kind: "devices" }
  | { kind: "help" }
  | { kind: "crop"; index: number }
  | { kind: "ask"; file: FileView }
  | { kind: "recipe"; file: FileView }
  | { kind: "command"; id: string };

export const dialog = new Store<{ open: Dialog | null; waiting: Dialog[] }>({
  open: null,
  waiting: [],
});

/** Opens a dialog, or has it wait for the one that is open. */
export function openDialog(next: Dialog): void {
  const { open, waiting } = dialog.value;
  if (open) dialog.set({ waiting: [...waiting, next] });
  else dialog.set({ open: next });
}

export function closeDialog(): void {
  const [open = null, ...waiting] = dialog.value.waiting;
  dialog.set({ open, waiting });
}
