/** The masks that are painted: their pixels, the brush, and their way to the server. */

import { Store } from "./store";
import { form, fileRef, type FileRef, type MaskKind } from "./form";
import { getFileBytes, uploadFile, urls, wordsOf } from "../api/client";
import { Mask, maskSize, type Rect } from "../lib/mask";
import { greyPng } from "../lib/png";
import { text } from "../text";

export interface Masks {
  /** Size of the brush: its diameter in percent of the longest side. */
  size: number;
  /** 0 to 100. */
  softness: number;
  erases: boolean;
  busy: boolean;
  error: string | null;
  /** Grows with each change of pixels, so that undo and redo buttons follow. */
  version: number;
}

export const masks = new Store<Masks>({
  size: 12,
  softness: 30,
  erases: false,
  busy: false,
  error: null,
  version: 0,
});

/** Is told which pixels have changed. The stage draws them. */
export const painted = new EventTarget();

const LONGEST = 1024;
const pixels: Record<MaskKind, Mask | null> = { region: null, keep: null };
/** The photo and the file that the pixels belong to. */
const origins: Record<MaskKind, string> = { region: "", keep: "" };

/** Returns the photo and the file that the form has. A recipe changes them too. */
function originOf(file: FileRef | null): string {
  return `${form.value.photo?.sha256} ${file?.sha256}`;
}

/** Returns the mask to paint on. */
export function maskOf(kind: MaskKind): Mask | null {
  const { photo: file } = form.value;
  if (!file) return null;
  const stored = form.value[kind];
  const origin = originOf(stored);
  if (!pixels[kind] || origins[kind] !== origin) {
    pixels[kind] = new Mask(...maskSize(file.width, file.height, LONGEST));
    origins[kind] = origin;
    if (stored) void load(kind, stored);
  }
  return pixels[kind];
}

export function touch(rect: Rect): void {
  painted.dispatchEvent(new CustomEvent("change", { detail: rect }));
}

/** Reads a mask from a file on the server. */
async function load(kind: MaskKind, file: FileRef): Promise<void> {
  const mask = pixels[kind];
  if (!mask) return;
  const image = await picture(file.sha256);
  const canvas = new OffscreenCanvas(mask.width, mask.height);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  if (!context) return;
  context.drawImage(image, 0, 0, mask.width, mask.height);
  mask.take(context.getImageData(0, 0, mask.width, mask.height).data);
  touch(mask.all);
  masks.set({ version: masks.value.version + 1 });
}

/** Prefers the exact bytes. A format that the browser does not know comes as a JPEG. */
async function picture(sha256: string): Promise<ImageBitmap> {
  try {
    return await createImageBitmap(await getFileBytes(sha256));
  } catch {
    const response = await fetch(urls.file(sha256, LONGEST));
    return createImageBitmap(await response.blob());
  }
}

/** Takes an uploaded picture as a mask. */
export async function takeMask(kind: MaskKind, file: FileRef): Promise<void> {
  if (!maskOf(kind)) return;
  await load(kind, file);
  await upload(kind);
}

let uploads = Promise.resolve();

/** Sends a mask, after the ones before it. */
export function upload(kind: MaskKind): Promise<void> {
  masks.set({ version: masks.value.version + 1 });
  uploads = uploads.then(() => send(kind));
  return uploads;
}

/** Waits until all masks are on the server. */
export async function flushMasks(): Promise<void> {
  await uploads;
}

async function send(kind: MaskKind): Promise<void> {
  const mask = pixels[kind];
  if (!mask) return;
  // A mask without white would leave the first style nowhere. It is no mask.
  if (mask.isEmpty) {
    origins[kind] = originOf(null);
    form.set({ [kind]: null });
    return;
  }
  masks.set({ busy: true, error: null });
  try {
    const blob = await greyPng(mask.width, mask.height, mask.data);
    const file = await uploadFile(`${text.masks.file[kind]}.png`, blob);
    if (pixels[kind] === mask) {
      const stored = fileRef(file);
      origins[kind] = originOf(stored);
      form.set({ [kind]: stored });
    }
    masks.set({ busy: false });
  } catch (error) {
    masks.set({ busy: false, error: wordsOf(error) });
  }
}

/** Changes a mask as a whole, and sends it. */
export function changeMask(kind: MaskKind, change: (mask: Mask) => void): void {
  const mask = maskOf(kind);
  if (!mask) return;
  change(mask);
  touch(mask.all);
  void upload(kind);
}

export function setBrushSize(size: number): void {
  masks.set({ size: Math.min(Math.max(Math.round(size), 1), 60) });
}
