import type { AnyExperiment } from "../../experiment/define.ts";
import type { RetryPolicy } from "../../experiment/retry.ts";
import { specRunId } from "../../run/spec-run-id.ts";
import { type Failure, failure, failureOf } from "./failure.ts";
import { InputFiles } from "./input-files.ts";
import { type CheckedOutput, isFailure, OutputChecker } from "./outputs.ts";
import { type ContextServices, SpecContext } from "./spec-context.ts";

type Row = Record<string, unknown>;

export interface ExecuteOptions extends ContextServices {
  rootRunId: string;
  timeoutMs: number;
  retry: RetryPolicy;
  maxOutputSize: number;
}

/** How a spec ended. */
export type Outcome =
  | { ok: true; output: CheckedOutput; filesDir: string | undefined }
  | { ok: false; failure: Failure; attempts: number; seconds: number; stuck?: boolean }
  /**
   * The try timed out and its work continues in this process (also when `stuck`): the next try needs another process.
   */
  | { ok: "stuck"; nextAttempt: number };

/** How long a function may take to react to its abort signal. */
const SETTLE_MS = 500;

/**
 * Runs one spec: calls the function, retries, enforces its time limit, checks its output. A synchronous function is not
 * delayed by a promise. Time limits work for functions that yield to the event loop; the supervisor stops the others.
 */
export class SpecExecutor {
  readonly #experiment: AnyExperiment;
  readonly #checker: OutputChecker;
  readonly #options: ExecuteOptions;
  readonly #files: InputFiles | undefined;
  /** Ends the current try when an error comes from outside its promise: an unhandled rejection, a timer's throw. */
  #fail: ((thrown: unknown) => void) | undefined;
  /** The spec that runs, or ran last: printed text is attributed to it. */
  current: number | undefined;

  constructor(experiment: AnyExperiment, options: ExecuteOptions) {
    this.#experiment = experiment;
    this.#checker = new OutputChecker(experiment, options.maxOutputSize);
    this.#options = options;
    this.#files = InputFiles.of(experiment, options.fetchUri);
  }

  /** Handles an uncaught error. Returns true when a try is running that it can be attributed to. */
  uncaught(thrown: unknown): boolean {
    this.#fail?.(thrown);
    return this.#fail !== undefined;
  }

  run(row: Record<string, unknown>, sortIndex: number, attempt: number): Outcome | Promise<Outcome> {
    this.current = sortIndex;
    const context = new SpecContext(this.#options, sortIndex, attempt);
    if (!this.#files) return this.#call(row, { ...row }, context); // a copy: the row itself is needed later for the index
    return this.#files
      .bring(row, () => context.tempDir)
      .then(
        (input) => this.#call(row, input, context),
        (thrown) => this.#afterFailure(row, context, failureOf(thrown, "missing_file"), performance.now()),
      );
  }

  #call(row: Row, input: Row, context: SpecContext): Outcome | Promise<Outcome> {
    const begun = performance.now();
    let returned: unknown;
    try {
      returned = this.#experiment.run(input, context);
    } catch (thrown) {
      return this.#afterFailure(row, context, failureOf(thrown), begun);
    }
    if (isPromise(returned)) return this.#await(returned, row, context, begun);
    return this.#finish(returned, row, context, begun);
  }

  #finish(returned: unknown, row: Row, context: SpecContext, begun: number): Outcome | Promise<Outcome> {
    const runId = () => specRunId(this.#options.rootRunId, context.sortIndex);
    const output = this.#checker.check(returned, runId, context);
    if (isFailure(output)) return this.#afterFailure(row, context, output, begun);
    if (output.files.length === 0) context.removeTempDir();
    return { ok: true, output, filesDir: output.files.length > 0 ? context.usedTempDir : undefined };
  }

  async #await(promise: PromiseLike<unknown>, row: Row, context: SpecContext, begun: number): Promise<Outcome> {
    let timer: NodeJS.Timeout | undefined;
    const settled = Promise.resolve(promise).then(
      (value) => ({ value }),
      (thrown: unknown) => ({ thrown }),
    );
    const late = new Promise<"timeout">((resolve) => {
      timer = setTimeout(() => resolve("timeout"), this.#options.timeoutMs);
    });
    const stray = new Promise<{ thrown: unknown }>((resolve) => {
      this.#fail = (thrown) => resolve({ thrown });
    });
    const first = await Promise.race([settled, late, stray]);
    clearTimeout(timer);
    this.#fail = undefined;
    if (first === "timeout") return this.#timedOut(settled, row, context, begun);
    if ("thrown" in first) return this.#afterFailure(row, context, failureOf(first.thrown), begun);
    return this.#finish(first.value, row, context, begun);
  }

  async #timedOut(settled: Promise<unknown>, row: Row, context: SpecContext, begun: number): Promise<Outcome> {
    const problem = timeoutFailure(this.#experiment.name, this.#options.timeoutMs);
    context.abort(new Error(problem.message));
    const stopped = await Promise.race([settled.then(() => true), sleep(SETTLE_MS).then(() => false)]);
    if (stopped) return this.#afterFailure(row, context, problem, begun);
    context.removeTempDir();
    if (context.attempt <= this.#options.retry.timeout) return { ok: "stuck", nextAttempt: context.attempt + 1 };
    return { ...failed(problem, context.attempt, begun), stuck: true };
  }

  #afterFailure(row: Row, context: SpecContext, problem: Failure, begun: number): Outcome | Promise<Outcome> {
    context.removeTempDir();
    if (context.attempt > this.#options.retry[problem.kind]) return failed(problem, context.attempt, begun);
    return this.run(row, context.sortIndex, context.attempt + 1);
  }
}

export function timeoutFailure(experiment: string, timeoutMs: number): Failure {
  return failure(
    "timeout",
    "TimeoutError",
    `${experiment} did not finish within ${timeoutMs / 1000} s. Raise executionTimeout (or SCYTHE_TIMEOUT_EXPERIMENT_EXECUTION) if the spec needs longer.`,
  );
}

function failed(problem: Failure, attempts: number, begun: number) {
  return { ok: false as const, failure: problem, attempts, seconds: (performance.now() - begun) / 1000 };
}

function isPromise(value: unknown): value is PromiseLike<unknown> {
  try {
    return typeof value === "object" && value !== null && typeof (value as PromiseLike<unknown>).then === "function";
  } catch {
    return false; // a proxy that throws: the output check will report it
  }
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
