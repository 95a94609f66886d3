/** What the server sends and reads. The job itself is in `job-types.ts`, made from its schema. */

import type { Job } from "../job-types";

/** An uploaded file. Width and height are those of the upright picture. */
export interface FileView {
  sha256: string;
  name: string;
  bytes: number;
  width: number;
  height: number;
  /** The job that made the picture, if impasto did. */
  recipe: Job | null;
}

export type Size = [number, number];

export interface Plan {
  size: Size;
  seconds: number;
  peak_memory: number;
  memory: number | null;
  device_summary: string;
  scales: { size: Size; steps: number }[];
}

export interface Step {
  step: number;
  steps: number;
  scale: number;
  scales: number;
  size: Size;
  "seconds-left": number;
  content: number;
  style: number;
  total: number;
}

export interface Report {
  size: Size;
  steps: number;
  seconds: number;
}

export interface Adjustment {
  step: number;
  strength?: number | null;
  "tv-weight"?: number | null;
}

export type State = "queued" | "running" | "paused" | "done" | "failed" | "cancelled" | "set-aside";

export interface JobView {
  id: string;
  number: number;
  state: State;
  /** What was asked for and is not done yet. */
  wanted: "pause" | "cancel" | null;
  title: string;
  preview: boolean;
  group: string | null;
  favourite: boolean;
  priority: number;
  created: number;
  started: number | null;
  ended: number | null;
  ahead: number;
  job: Job;
  plan: Plan | null;
  progress: Step | null;
  report: Report | null;
  error: string | null;
  size: Size | null;
  /** Version of the newest live picture. */
  picture: number | null;
  adjustments: Adjustment[];
  worker: string | null;
}

export interface JobPage {
  jobs: JobView[];
  next: number | null;
}

export interface GalleryEntry {
  id: string;
  title: string;
  by: string;
  file: FileView;
}

export interface Worker {
  name: string;
  device: string;
  state: "idle" | "working";
  seen: number;
}

export interface System {
  program: string;
  device: string;
  threads: number;
  memory: number;
  workers: Worker[];
  limits: { "file-bytes": number; pixels: number; jobs: number };
  gallery: GalleryEntry[];
  example: { content: FileView; style: FileView };
}

export interface Command {
  command: string;
  exact: boolean;
  note: string | null;
}

export type Control =
  | { action: "pause" | "resume" | "cancel" }
  | { action: "adjust"; strength?: number; "tv-weight"?: number };

export interface NewJob {
  job: Job;
  preview?: boolean;
  group?: string;
  replaces?: string | null;
}

/** Part of a JSON Schema, as far as the page reads it. */
export interface Schema {
  $ref?: string;
  type?: string | string[];
  description?: string;
  title?: string;
  enum?: (string | number | boolean | null)[];
  const?: string | number | boolean;
  default?: unknown;
  examples?: unknown[];
  format?: string;
  pattern?: string;
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
  minItems?: number;
  maxItems?: number;
  maxLength?: number;
  oneOf?: Schema[];
  anyOf?: Schema[];
  allOf?: Schema[];
  items?: Schema;
  properties?: Record<string, Schema>;
  required?: string[];
  additionalProperties?: boolean | Schema;
  $defs?: Record<string, Schema>;
  "x-kinds"?: string[];
}
