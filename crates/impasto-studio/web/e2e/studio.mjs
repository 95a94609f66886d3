/** The program: `impasto studio` in a folder of its own, and the command line beside it. */

import { execFile, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";

import { Failure } from "./check.mjs";

const START_MS = 20_000;

export class Studio {
  #program;
  #folder = mkdtempSync(join(tmpdir(), "impasto-e2e-"));
  #process = null;
  #port = 0;

  /** The address with the token. */
  address = "";
  token = "";

  constructor(program) {
    this.#program = program;
    process.once("exit", () => this.remove());
  }

  get origin() {
    return new URL(this.address).origin;
  }

  /** Starts the program and waits for its address. A second start takes the same port. */
  async start() {
    const place = ["--port", this.#port, "--data", this.#path("data"), "--free-disk", "0"];
    const args = ["studio", "--no-open", "--log", "quiet", "--checkpoint-every", "1", ...place];
    const stdio = ["ignore", "pipe", "inherit"];
    this.#process = spawn(this.#program, args.map(String), { env: this.#environment, stdio });
    const lines = createInterface({ input: this.#process.stdout });
    const line = await new Promise((said, refuse) => {
      const late = setTimeout(() => refuse(new Failure("The program names no address.")), START_MS);
      lines.once("line", said);
      this.#process.once("error", refuse);
      this.#process.once("exit", (code) => refuse(new Failure(`The program ended with ${code}.`)));
      this.#process.once("exit", () => clearTimeout(late));
      lines.once("line", () => clearTimeout(late));
    });
    this.address = line.replace(/^impasto studio: /, "");
    this.token = new URL(this.address).searchParams.get("token");
    this.#port = new URL(this.address).port;
  }

  /** Kills the program as `kill -9` does. */
  async kill() {
    if (!this.#process || this.#process.exitCode !== null || this.#process.killed) return;
    const ended = new Promise((end) => this.#process.once("exit", end));
    this.#process.kill("SIGKILL");
    await ended;
  }

  /** Ends the program and removes its folder. The end of this process does it too. */
  remove() {
    this.#process?.kill("SIGKILL");
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** Asks the API as a program does. */
  async api(path, { method = "GET", body } = {}) {
    const headers = { Authorization: `Bearer ${this.token}`, "Content-Type": "application/json" };
    const sent = body === undefined ? undefined : JSON.stringify(body);
    const answer = await fetch(`${this.origin}/api/v1${path}`, { method, headers, body: sent });
    if (!answer.ok) throw new Failure(`${method} ${path}: ${answer.status} ${await answer.text()}`);
    return answer.status === 204 ? null : answer.json();
  }

  /** Uploads a picture. */
  async upload(path) {
    const headers = { Authorization: `Bearer ${this.token}` };
    const url = `${this.origin}/api/v1/files?name=${basename(path)}`;
    const answer = await fetch(url, { method: "POST", headers, body: readFileSync(path) });
    return answer.json();
  }

  async jobs(query = "") {
    return (await this.api(`/jobs${query}`)).jobs;
  }

  /** Returns the newest job. */
  async newest() {
    return (await this.jobs("?limit=1"))[0] ?? null;
  }

  /** Returns a new folder that is removed at the end. */
  desk(name) {
    mkdirSync(this.#path(name));
    return this.#path(name);
  }

  /** Runs a command of a shell in a folder. `impasto` is the program that is tested. */
  async run(command, folder) {
    const script = `impasto() { "$IMPASTO" "$@"; }\n${command}`;
    const options = { cwd: folder, env: { ...this.#environment, IMPASTO: this.#program } };
    await promisify(execFile)("bash", ["-euc", script], options);
  }

  /** No graphics card, and no other program's files. */
  get #environment() {
    return { ...process.env, IMPASTO_DEVICE: "cpu", XDG_RUNTIME_DIR: this.#folder };
  }

  #path(name) {
    return join(this.#folder, name);
  }
}
