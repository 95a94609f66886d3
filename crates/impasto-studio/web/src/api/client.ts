/** Every request to the server, one function each. Failures carry the server's own words. */

import type {
  Command,
  Control,
  FileView,
  JobPage,
  JobView,
  NewJob,
  Plan,
  Schema,
  System,
} from "./types";
import type { Job } from "../job-types";
import { text } from "../text";

const BASE = "/api/v1";

/** A request that the server refused. */
export class Refused extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    /** The field of the job that is at fault, such as `options.size`. */
    readonly field: string | null,
  ) {
    super(message);
  }
}

/** A request that got no answer. */
export class Unreachable extends Error {}

/** Is told how each request went. `state/connection.ts` sets it. */
export const outcome = { report: (_: "answered" | "denied" | "lost"): void => {} };

/** Returns the words to show for anything that was thrown. */
export function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

async function request(path: string, init: RequestInit = {}): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(BASE + path, init);
  } catch (error) {
    if (init.signal?.aborted) throw error;
    outcome.report("lost");
    throw new Unreachable(text.connection.noAnswer);
  }
  outcome.report(response.status === 401 ? "denied" : "answered");
  if (response.ok) return response;
  throw await refusal(response);
}

async function refusal(response: Response): Promise<Refused> {
  try {
    const { error } = await response.json();
    return new Refused(response.status, error.code, error.message, error.field ?? null);
  } catch {
    const message = text.connection.status(response.status);
    return new Refused(response.status, "unknown", message, null);
  }
}

async function json<T>(path: string, init?: RequestInit): Promise<T> {
  return (await request(path, init)).json();
}

function send(method: string, body: unknown, more: RequestInit = {}): RequestInit {
  const headers = { "Content-Type": "application/json", ...more.headers };
  return { ...more, method, headers, body: JSON.stringify(body) };
}

function query(values: Record<string, string | number | boolean | null | undefined>): string {
  const given = Object.entries(values).filter(([, value]) => value != null && value !== "");
  if (given.length === 0) return "";
  return `?${new URLSearchParams(given.map(([key, value]) => [key, String(value)]))}`;
}

export const getSystem = (): Promise<System> => json("/system");

export const getSchema = (): Promise<Schema> => json("/schema");

export const uploadFile = (name: string, body: Blob): Promise<FileView> =>
  json(`/files${query({ name })}`, { method: "POST", body });

export const getFile = (sha256: string): Promise<FileView> => json(`/files/${sha256}`);

export const getFileBytes = async (sha256: string): Promise<Blob> =>
  (await request(`/files/${sha256}/bytes`)).blob();

export const planJob = (job: Job, signal: AbortSignal): Promise<Plan> =>
  json("/plan", send("POST", job, { signal }));

/** Starts a job. A lost answer is asked for again with the same key, which starts no second job. */
export async function createJob(job: NewJob): Promise<JobView> {
  const init = send("POST", job, { headers: { "Idempotency-Key": randomId() } });
  try {
    return await json("/jobs", init);
  } catch (error) {
    if (error instanceof Unreachable) return json("/jobs", init);
    throw error;
  }
}

export const listJobs = (filter: {
  limit?: number;
  before?: number | null;
  search?: string;
  favourite?: boolean | null;
  group?: string;
}): Promise<JobPage> => json(`/jobs${query(filter)}`);

export const getJob = (id: string): Promise<JobView> => json(`/jobs/${id}`);

export const setFavourite = (id: string, favourite: boolean): Promise<JobView> =>
  json(`/jobs/${id}`, send("PATCH", { favourite }));

export const deleteJob = async (id: string): Promise<void> => {
  await request(`/jobs/${id}`, { method: "DELETE" });
};

export const restoreJob = (id: string): Promise<JobView> =>
  json(`/jobs/${id}/restore`, { method: "POST" });

export const controlJob = (id: string, control: Control): Promise<JobView> =>
  json(`/jobs/${id}/control`, send("POST", control));

export const getCommand = (id: string): Promise<Command> => json(`/jobs/${id}/command`);

/** Addresses that elements load by themselves. */
export const urls = {
  file: (sha256: string, size: number): string =>
    `${BASE}/files/${sha256}/thumbnail${query({ size })}`,
  /** `state` makes the address change when the picture does. */
  job: (id: string, size: number, state: string): string =>
    `${BASE}/jobs/${id}/thumbnail${query({ size, state })}`,
  live: (id: string, version: number, region?: readonly number[]): string =>
    `${BASE}/jobs/${id}/preview${query({ v: version, region: region?.join(",") })}`,
  shown: (id: string): string =>
    `${BASE}/jobs/${id}/result${query({ format: "png", bits: 8, inline: true })}`,
  download: (id: string, format: string, bits: number): string =>
    `${BASE}/jobs/${id}/result${query({ format, bits })}`,
  events: (id: string): string => `${BASE}/jobs/${id}/events`,
  openapi: `${BASE}/openapi.json`,
};

/** Returns 128 random bits. `crypto.randomUUID` is missing on plain HTTP, as on a home network. */
export function randomId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
