import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { ScytheError } from "../errors.ts";
import type { AnyExperiment } from "../experiment/define.ts";
import { assertKnownKeys, type Keys } from "../known-keys.ts";
import type { Column } from "../schema/columns.ts";
import { hasScheme } from "../schema/file-ref.ts";
import { makeSpecValidator } from "../schema/spec-validator.ts";
import { makeScratch } from "../temporary.ts";
import type { LogLine } from "../worker/protocol.ts";
import { InputFiles } from "../worker/task/input-files.ts";
import { isFailure, OutputChecker } from "../worker/task/outputs.ts";
import { SpecContext } from "../worker/task/spec-context.ts";

/** What a single spec is given besides its input. */
export interface RunOnceOptions {
  seed?: number;
  /** The spec's place in a run, which determines its random numbers. */
  sortIndex?: number;
  /** The value of `ctx.attempt` (default 1). */
  attempt?: number;
}

/** What a single spec gave. */
export interface RunOnceResult {
  /** Outputs as a run would store them, but with local paths of files. */
  output: Record<string, unknown>;
  tables: Record<string, Record<string, unknown>[]>;
  logs: string[];
  /** The folder of the spec's files; the caller removes it. */
  tempDir: string;
}

/**
 * Runs one spec without a run, checked as in a run, to test before a batch. Errors of the function are rethrown.
 * @throws ScytheError `invalid_specs` for the input, `invalid_input` for an output that its schema refuses
 */
export async function runOnce(
  experiment: AnyExperiment,
  spec: unknown,
  options: RunOnceOptions & { fetchUri: (uri: string) => Promise<string> },
): Promise<RunOnceResult> {
  const known: Keys<typeof options> = { seed: true, sortIndex: true, attempt: true, fetchUri: true };
  assertKnownKeys(options, known, "runOnce");
  const checked = makeSpecValidator(experiment.input, experiment.columns.input)(spec);
  if (!checked.ok) {
    const lines = checked.issues.map(({ field, value, rule }) => `  ${field} = ${value}: ${rule}`).join("\n");
    throw new ScytheError("invalid_specs", `The spec is invalid.\n${lines}`, { details: { invalid: checked.issues } });
  }
  const tempRoot = await makeScratch("once");
  const logs: LogLine[] = [];
  const services = { seed: options.seed ?? 0, tempRoot, logs, fetchUri: options.fetchUri };
  const context = new SpecContext(services, options.sortIndex ?? 0, options.attempt ?? 1);
  const input = withLocalPaths(checked.value, experiment.columns.input);
  const fetchUri = async (uri: string) => localPath(uri) ?? options.fetchUri(uri);
  const files = InputFiles.of(experiment, fetchUri);
  const returned = await experiment.run(files ? await files.bring(input, () => context.tempDir) : input, context);
  const { tempDir } = context;
  const folder = { tempDir, detachTempDir: () => tempDir }; // no other spec follows, and the caller reads the files there
  const output = new OutputChecker(experiment).check(returned, () => "run-once", folder);
  if (isFailure(output)) {
    throw new ScytheError("invalid_input", output.message, { details: { kind: output.kind, name: output.name } });
  }
  const { values, files: stored, tables } = output;
  for (const { name, file } of experiment.columns.files as Column[]) {
    if (!file) continue;
    const own = stored.filter(({ field }) => field === name).map(({ path }) => path);
    if (own.length > 0) values[name] = Array.isArray(values[name]) ? own : own[0];
  }
  return { output: values, tables, logs: logs.map(({ message }) => message), tempDir };
}

/** The caller gave the spec, so it may name any file. */
function localPath(reference: string): string | undefined {
  if (reference.startsWith("file://")) return fileURLToPath(reference);
  return hasScheme(reference) ? undefined : reference;
}

/** Local files are used in place: nothing is stored. */
function withLocalPaths(spec: Record<string, unknown>, columns: readonly Column[]): Record<string, unknown> {
  const local = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(local);
    return typeof value === "string" && !hasScheme(value) ? resolve(value) : value;
  };
  const files = columns.filter((column) => column.file).map(({ name }) => [name, local(spec[name])]);
  return { ...spec, ...Object.fromEntries(files) };
}
