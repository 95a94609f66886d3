/** Fills the form from a job: that of a former picture, or the recipe in a file. */

import { form, fileRef, styleChoice, type Crop, type FileRef, type StyleChoice } from "./form";
import { getFile } from "../api/client";
import type { InputFile, Job, StyleInput } from "../job-types";

/** Fills the form. Returns the names of the inputs that the server does not have. */
export async function fillFrom(job: Job): Promise<string[]> {
  const missing: string[] = [];
  const find = async (file: InputFile | null | undefined): Promise<FileRef | null> => {
    if (!file) return null;
    const sha256 = typeof file === "string" ? undefined : file.sha256;
    try {
      if (sha256) return { ...fileRef(await getFile(sha256)), name: nameOf(file) };
    } catch {
      // It is named below, like a file without a checksum.
    }
    missing.push(nameOf(file));
    return null;
  };
  const { content, styles = [], mask, keep, init } = job.inputs ?? {};
  const photo = await find(content);
  const found: StyleChoice[] = [];
  for (const style of styles) {
    const file = await find(style.file);
    if (file) found.push(choiceOf(style, file));
  }
  const region = await find(mask);
  const kept = await find(keep);
  form.set({
    photo: photo ?? form.value.photo,
    styles: found.length > 0 ? found : form.value.styles,
    region: found.length > 1 && photo ? region : null,
    keep: photo ? kept : null,
    init: typeof init === "string" ? init : null,
    options: given(job.options ?? {}),
  });
  return missing;
}

function choiceOf({ weight, look }: StyleInput, file: FileRef): StyleChoice {
  return {
    ...styleChoice(file),
    weight: weight ?? 1,
    crop: cropOf(look?.crop, file),
    rotations: look?.rotations ?? 1,
    trim: look?.trim ?? "auto",
  };
}

/** Reads a crop, in percent or in px of the file. */
function cropOf(words: string | null | undefined, file: FileRef): Crop | null {
  const parts = words?.split(",") ?? [];
  if (parts.length !== 4) return null;
  const isPercent = parts.every((part) => part.trim().endsWith("%"));
  const sides = [file.width, file.height, file.width, file.height];
  const numbers = parts.map((part, i) =>
    isPercent ? parseFloat(part) : (parseFloat(part) / (sides[i] ?? 1)) * 100,
  );
  return numbers.every(Number.isFinite) ? (numbers as Crop) : null;
}

/** Returns the name to show for an input. */
function nameOf(file: InputFile): string {
  const path = typeof file === "string" ? file : file.path;
  return typeof path === "string" ? (path.split("/").pop() ?? path) : path.bytes;
}

/** Leaves out what is null. A form says a default by saying nothing. */
function given<T extends object>(options: T): T {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value != null)) as T;
}
