import { existsSync, realpathSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join, resolve, sep } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { inspect } from "node:util";
import { isScytheError, ScytheError } from "../../errors.ts";
import type { AnyExperiment } from "../../experiment/define.ts";
import type { Registry } from "../../experiment/registry.ts";
import { hashFile } from "../../files/artifacts.ts";
import { type RunOnceResult, runOnce } from "../../runs/run-once.ts";
import type { Column } from "../../schema/columns.ts";
import { hasScheme } from "../../schema/file-ref.ts";
import { type Failure, failureOf } from "../../worker/task/failure.ts";
import { readReproFolder } from "./repro-folder.ts";
import type { StoredOutcome } from "./stored-spec.ts";

/** One spec run again, with its outcome in the run. */
export interface Reproduction {
  /** It came out as in the run: the same outputs, tables and files, or the same failure. */
  same: boolean;
  /** What to print. */
  text: string;
  /** What the function logged. */
  logs: string[];
  output: Record<string, unknown> | undefined;
  tables: Record<string, Record<string, unknown>[]> | undefined;
  failure: Pick<Failure, "kind" | "name" | "message"> | undefined;
}

/**
 * Runs the spec of a folder that `makeRepro` made, in this process, and compares.
 * @throws ScytheError `invalid_input` when the folder is none, `not_found` without the experiment
 */
export async function reproduce(
  folder: string,
  registry: Registry,
  fetchUri: (uri: string) => Promise<string>,
): Promise<Reproduction> {
  const { spec: own, stored: expected } = await readReproFolder(folder);
  const experiment = registry.get(own.experiment);
  const spec = located(own.spec, experiment, folder);
  const options = { seed: own.seed, sortIndex: own.sort_index, attempt: own.attempt };
  const local = async (uri: string) =>
    uri.startsWith("file://") ? inFolder(folder, fileURLToPath(uri)) : fetchUri(uri);
  const result = await runOnce(experiment, spec, { ...options, fetchUri: local }).catch(failureOfOnce);
  const lines = [`spec ${own.sort_index} of ${own.experiment_id}, attempt ${own.attempt}`];
  if (experiment.schemaHash !== own.schema_hash) {
    lines.push("  note: the experiment has other schemas now than the run was made with");
  }
  if ("kind" in result) return failed(result, expected, lines);
  return succeeded(result, experiment, expected, lines);
}

/** Relative paths lie in the folder; a function that fetches for itself gets URIs, as in a run. */
function located(spec: Record<string, unknown>, experiment: AnyExperiment, folder: string): Record<string, unknown> {
  const one = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(one);
    if (typeof value !== "string" || (hasScheme(value) && !value.startsWith("file://"))) return value;
    const path = inFolder(folder, value.startsWith("file://") ? fileURLToPath(value) : resolve(folder, value));
    return experiment.autoFetch ? path : pathToFileURL(path).href;
  };
  const files = (experiment.columns.input as Column[]).filter((column) => column.file && column.name in spec);
  return { ...spec, ...Object.fromEntries(files.map(({ name }) => [name, one(spec[name])])) };
}

/** The spec may come from a stranger's run: it must not choose files of this machine. */
function inFolder(folder: string, path: string): string {
  const real = realpathSync.native(folder);
  const file = existsSync(path) ? realpathSync.native(path) : path;
  if (file.startsWith(real + sep) || (file === path && path.startsWith(resolve(folder) + sep))) return path;
  throw new ScytheError("invalid_input", `The spec names ${path}, which is not in ${folder}, so it is not read`, {
    hint: "Copy the file into the folder's inputs/ and name it in spec.json, if it is the right one.",
  });
}

function failureOfOnce(thrown: unknown): Failure {
  if (!isScytheError(thrown)) return failureOf(thrown);
  if (thrown.code === "invalid_specs") throw thrown;
  const failure = failureOf(thrown);
  return thrown.details.kind === "invalid_output"
    ? { ...failure, kind: "invalid_output", name: "InvalidOutput" }
    : failure;
}

function failed(failure: Failure, expected: StoredOutcome | null, lines: string[]): Reproduction {
  const { kind, name, message } = failure;
  const stored = expected?.error;
  const same = stored !== null && stored !== undefined && stored.kind === kind && stored.name === name;
  lines.push(`  failed     ${kind}: ${failure.stack ?? message}`);
  if (same) {
    lines.push(
      stored.message === message
        ? "  the same failure as in the run"
        : `  the same failure as in the run, but for its message there: ${stored.message}`,
    );
  } else lines.push(`  NOT as in the run: ${outcomeText(expected)}`);
  return {
    same,
    text: lines.join("\n"),
    logs: [],
    output: undefined,
    tables: undefined,
    failure: { kind, name, message },
  };
}

async function succeeded(
  result: RunOnceResult,
  experiment: AnyExperiment,
  expected: StoredOutcome | null,
  lines: string[],
): Promise<Reproduction> {
  const { scalars, files } = experiment.columns as AnyExperiment["columns"];
  const comparable = expected?.status === "succeeded" ? expected : undefined;
  let same = comparable !== undefined;
  const line = (name: string, text: string, equal: boolean, stored: string) => {
    same &&= equal;
    lines.push(`  ${name}  ${text}${equal || !comparable ? "" : `   NOT as in the run: ${stored}`}`);
  };
  for (const { name } of scalars) {
    const stored = comparable?.output[name];
    line(name, shown(result.output[name]), equalValues(result.output[name], stored), shown(stored));
  }
  let kept = false;
  for (const { name } of files) {
    const paths = [result.output[name] ?? []].flat() as string[];
    const now = await Promise.all(paths.map(async (path) => (hasScheme(path) ? path : hashFile(path))));
    const stored = (comparable?.files[name] ?? []).map(({ uri, sha256 }) => sha256 ?? uri);
    line(name, paths.join(", "), equalValues(now, stored), stored.map((hash) => `sha256 ${hash}`).join(", "));
    kept ||= paths.some((path) => !hasScheme(path));
  }
  for (const [name, rows] of Object.entries(result.tables)) {
    const stored = comparable?.tables[name] ?? [];
    const at = rows.findIndex((row, i) => !equalValues(row, stored[i]));
    const where = at < 0 ? `${stored.length} rows` : `row ${at}: ${shown(stored[at])}, now ${shown(rows[at])}`;
    line(name, `${rows.length} rows`, equalValues(rows, stored), where);
  }
  if (same) lines.push("  the same as in the run");
  else if (!comparable) lines.push(`  succeeded; NOT as in the run: ${outcomeText(expected)}`);
  if (!kept) await rm(join(result.tempDir, ".."), { recursive: true, force: true });
  const { output, tables, logs } = result;
  return { same, text: lines.join("\n"), logs, output, tables, failure: undefined };
}

function outcomeText(expected: StoredOutcome | null): string {
  if (expected?.error) return `it failed there, ${expected.error.kind}: ${expected.error.message}`;
  return expected?.status === "succeeded" ? "it succeeded there" : "the run has no row of it";
}

function shown(value: unknown): string {
  return inspect(value, { depth: 4, breakLength: 120, maxStringLength: 500, maxArrayLength: 50 });
}

/** Equal as stored values are: NaN to NaN, -0 to 0, dates by their time, a missing field to an undefined one. */
function equalValues(a: unknown, b: unknown): boolean {
  if (a === b || (Number.isNaN(a) && Number.isNaN(b))) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (a instanceof Date || b instanceof Date) {
    return a instanceof Date && b instanceof Date && equalValues(a.getTime(), b.getTime());
  }
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const [left, right] = [a as Record<string, unknown>, b as Record<string, unknown>];
  return [...new Set([...Object.keys(left), ...Object.keys(right)])].every((key) => equalValues(left[key], right[key]));
}
