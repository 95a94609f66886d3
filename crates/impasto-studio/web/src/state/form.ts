/**
 * What the next picture is made of: photo, styles, masks, options. It is kept in the browser, as
 * checksums and options only.
 */

import { Store } from "./store";
import { system } from "./system";
import type { FileView } from "../api/types";
import type { InitFrom, InputFile, Job, JobOptions, StyleInput } from "../job-types";

/** What the form keeps of a file. */
export type FileRef = Pick<FileView, "sha256" | "name" | "width" | "height">;

/** Left, top, width, height in percent of a picture. */
export type Crop = [number, number, number, number];

export interface StyleChoice {
  file: FileRef;
  weight: number;
  crop: Crop | null;
  rotations: 1 | 2 | 4 | 8;
  trim: "auto" | "none";
}

export type MaskKind = "region" | "keep";

export interface Form {
  photo: FileRef | null;
  styles: StyleChoice[];
  region: FileRef | null;
  keep: FileRef | null;
  init: InitFrom | null;
  options: JobOptions;
}

const EMPTY: Form = {
  photo: null,
  styles: [],
  region: null,
  keep: null,
  init: null,
  options: {},
};

const DEFAULT_STRENGTH = 50;
const KEY = "impasto-form";

export const form = new Store<Form>(restored());

function restored(): Form {
  try {
    return { ...EMPTY, ...JSON.parse(localStorage.getItem(KEY) ?? "{}") };
  } catch {
    return EMPTY;
  }
}

form.subscribe(() => {
  try {
    localStorage.setItem(KEY, JSON.stringify(form.value));
  } catch {
    // A browser that keeps nothing loses the form on reload, and nothing else.
  }
});

export function fileRef({ sha256, name, width, height }: FileView): FileRef {
  return { sha256, name, width, height };
}

export function styleChoice(file: FileRef): StyleChoice {
  return { file, weight: 1, crop: null, rotations: 1, trim: "auto" };
}

/** Whether the photo is that of the first visit. A dropped one takes its place unasked. */
export function isExamplePhoto(): boolean {
  const example = system.value.info?.example.content.sha256;
  return example !== undefined && form.value.photo?.sha256 === example;
}

function isExampleStyle(styles: StyleChoice[]): boolean {
  const example = system.value.info?.example.style.sha256;
  return styles.length === 1 && styles[0]?.file.sha256 === example;
}

export function setPhoto(file: FileView): void {
  // Masks belong to the photo that they were painted on.
  form.set({ photo: fileRef(file), region: null, keep: null });
}

export function addStyle(file: FileView): void {
  const { styles } = form.value;
  if (styles.some((style) => style.file.sha256 === file.sha256)) return;
  form.set({ styles: [...styles, styleChoice(fileRef(file))] });
}

/** Takes a dropped style. It replaces the example, and comes beside others. */
export function dropStyle(file: FileView): void {
  if (isExampleStyle(form.value.styles)) takeStyle(file);
  else addStyle(file);
}

/** Makes the file the only style. */
export function takeStyle(file: FileView): void {
  form.set({ styles: [styleChoice(fileRef(file))], region: null });
}

export function changeStyle(index: number, change: Partial<StyleChoice>): void {
  const styles = form.value.styles.map((style, i) =>
    i === index ? { ...style, ...change } : style,
  );
  form.set({ styles });
}

export function removeStyle(index: number): void {
  const styles = form.value.styles.filter((_, i) => i !== index);
  form.set({ styles, region: styles.length < 2 ? null : form.value.region });
}

/** Sets an option. `undefined` means its default. */
export function setOption<Name extends keyof JobOptions>(
  name: Name,
  value: JobOptions[Name] | undefined,
): void {
  const { [name]: _, ...others } = form.value.options;
  form.set({ options: value === undefined ? others : { ...others, [name]: value } });
}

export function strengthOf(options: JobOptions): number {
  return options.strength ?? DEFAULT_STRENGTH;
}

function inputFile({ name, sha256 }: FileRef): InputFile {
  return { path: name, sha256 };
}

/** Returns a crop as a job writes it: `10%,0%,50%,50%`. */
function cropText(crop: Crop): string {
  return crop.map((side) => `${Number(side.toFixed(2))}%`).join(",");
}

function styleInput(
  { file, weight, crop, rotations, trim }: StyleChoice,
  count: number,
): StyleInput {
  const look = {
    ...(crop && { crop: cropText(crop) }),
    ...(rotations > 1 && { rotations }),
    ...(trim === "none" && { trim }),
  };
  return {
    file: inputFile(file),
    ...(count > 1 && { weight }),
    ...(Object.keys(look).length > 0 && { look }),
  };
}

/** Returns the job that the form describes, or `null` while a picture is missing. */
export function jobOf({ photo, styles, region, keep, init, options }: Form): Job | null {
  if (!photo || styles.length === 0) return null;
  return {
    version: 3,
    kind: "transfer",
    inputs: {
      content: inputFile(photo),
      styles: styles.map((style) => styleInput(style, styles.length)),
      ...(region && styles.length > 1 && { mask: inputFile(region) }),
      ...(keep && { keep: inputFile(keep) }),
      ...(init && { init }),
    },
    // The weight of the content is the strength in other words. A job has one of them.
    options:
      options["content-weight"] == null
        ? { strength: DEFAULT_STRENGTH, ...options }
        : without(options, "strength"),
    output: { format: "png" },
  };
}

function without<T extends object, Name extends keyof T>(object: T, name: Name): Omit<T, Name> {
  const { [name]: _, ...others } = object;
  return others;
}

/** Returns the small, quick variant of a job that the dial shows. */
export function smallJob(job: Job, size: number): Job {
  // These are for the steps and scales of a large picture.
  const { steps: _, scales: __, adjust: ___, ...options } = job.options ?? {};
  return { ...job, options: { ...options, size, preset: "draft" } };
}

/** Returns the checksums of a job's inputs, in a form that can be compared. */
export function inputsKey(job: Job): string {
  const { content, styles = [], mask, keep } = job.inputs ?? {};
  const files = [content, ...styles.map((style) => style.file), mask, keep];
  return files.map((file) => (file && typeof file === "object" ? file.sha256 : "")).join();
}
