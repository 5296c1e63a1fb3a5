import { spawn } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { until } from "../steered.ts";
import { type Ended, ending } from "./scene.ts";

const KILLER = fileURLToPath(new URL("./kill-at.mjs", import.meta.url));

/** A process that `kill-at.mjs` stops at a step by which it changes files, such as `rename state`. */
export class Paused {
  readonly ended: Promise<Ended>;
  readonly #goOn: string;
  readonly #trace: string;

  /**
   * @param paths folder of the scene, and a name for this process's own files in it
   * @param step the `at`-th of a kind
   */
  constructor(
    paths: { folder: string; name: string },
    step: { kind: string; at: number },
    args: readonly string[],
    cwd?: string,
  ) {
    this.#goOn = `${paths.folder}/${paths.name}.go-on`;
    this.#trace = `${paths.folder}/${paths.name}.trace`;
    const child = spawn(process.execPath, ["--import", KILLER, ...args], {
      ...(cwd && { cwd }),
      env: {
        ...process.env,
        FAULT_ROOTS: paths.folder,
        FAULT_TRACE: this.#trace,
        FAULT_KILL: JSON.stringify({ ...step, goOn: this.#goOn }),
      },
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.ended = ending(child, args);
  }

  /** It has done all that comes before the step, and stands. */
  async reached(): Promise<void> {
    await until(() => existsSync(`${this.#goOn}.reached`), "the step at which the process is to be stopped");
  }

  wake(): void {
    writeFileSync(this.#goOn, "");
    process.kill(this.pid, "SIGCONT");
  }

  get pid(): number {
    return Number(readFileSync(`${this.#goOn}.reached`, "utf8"));
  }

  /** How many steps of a kind it has begun. */
  steps(kind: string): number {
    return readFileSync(this.#trace, "utf8")
      .split("\n")
      .filter((line) => line.startsWith(`${kind}\t`)).length;
  }
}
