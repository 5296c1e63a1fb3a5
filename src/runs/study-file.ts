import { readFile, stat } from "node:fs/promises";
import { dirname, isAbsolute, relative, resolve, sep } from "node:path";
import { LineCounter, type Node, parseDocument, stringify } from "yaml";
import { z } from "zod";
import { type DesignPlace, type DesignRequest, isUri } from "../allocate/design-specs.ts";
import type { AllocateOptions } from "../allocate/options.ts";
import { messageOf, ScytheError } from "../errors.ts";
import { didYouMean } from "../known-keys.ts";
import { parseYaml } from "../run/yaml.ts";
import { DESIGN_KINDS } from "../sampling/design/design-kinds.ts";
import type { DesignName } from "../sampling/design/names.ts";
import { distributionText, parseDistribution } from "../sampling/space/distribution-text.ts";
import { type Distribution, files } from "../sampling/space/distributions.ts";

/** Where a project finds the JSON Schema of study files. */
const SCHEMA_PATH = "node_modules/scythe-ts/templates/study.schema.json";

const level = z.union([z.string(), z.number(), z.boolean(), z.null()]);
const wholeNumber = z.int().min(0);

/** What a study file may say. Its JSON Schema is `templates/study.schema.json`, for editors. */
export const studySchema = z
  .strictObject({
    experiment: z.string().min(1).describe("The experiment's name in scythe.config.ts."),
    design: z
      .enum(Object.keys(DESIGN_KINDS) as [DesignName, ...DesignName[]])
      .optional()
      .describe("How the specs are placed. Default: sobol, which can be extended."),
    n: z.int().min(1).optional().describe("Points of the design; grid and oat have their own number."),
    seed: wholeNumber.optional().describe("Of the design and of the specs' random numbers. Default for the design: 0."),
    options: z
      .strictObject({
        scramble: z.enum(["owen", "shift", "none"]).optional(),
        optimise: z.enum(["none", "discrepancy", "maximin"]).optional(),
        centred: z.boolean().optional(),
        levels: z.union([z.int().min(1), z.record(z.string(), z.int().min(1))]).optional(),
        secondOrder: z.boolean().optional(),
      })
      .optional()
      .describe("Options of the design."),
    space: z
      .record(z.string(), z.string())
      .optional()
      .describe(
        "Distributions by field, such as loguniform:0.5,15, in place of the bounds in the experiment's schema.",
      ),
    fixed: z.record(z.string(), level).optional().describe("Values by field that all specs have."),
    recursion: z
      .strictObject({ factor: z.int().min(1), max_depth: wholeNumber })
      .optional()
      .describe("Shape of the tree of nodes."),
    version: z
      .string()
      .optional()
      .describe("bumpmajor (default), bumpminor, bumppatch, keep, or a version such as v1.2.0."),
    run_name: z.string().optional().describe("Store the run under another name than the experiment's."),
    max_failures: z
      .union([wholeNumber, z.string().regex(/^\d+(\.\d+)?%$/)])
      .optional()
      .describe("Stop when more specs than this have failed: a number, or a share such as 1%."),
  })
  .describe("A study: which specs of an experiment to run, and how.");

export type StudyContent = z.infer<typeof studySchema>;

/** The JSON Schema (draft 2020-12) of study files. */
export function studyJsonSchema(): object {
  return z.toJSONSchema(studySchema);
}

/** A study file, checked. */
export interface Study {
  experiment: string;
  /** What it says of the specs, for `scythe.design`. */
  request: DesignRequest;
  /** What it says of the run, for `scythe.allocate`; its text is kept with the run. */
  options: AllocateOptions;
  /** What relative paths in it are relative to. */
  place: DesignPlace;
}

/** A study file larger than this is none. */
const MAX_BYTES = 256_000;

/** @throws ScytheError `invalid_input` naming the line and column, and the nearest key */
export async function readStudyFile(path: string): Promise<Study> {
  const full = resolve(path);
  const info = await stat(full).catch((cause) => {
    throw new ScytheError("invalid_input", `No study file ${path}`, { hint: "Check its path.", cause });
  });
  if (!info.isFile() || info.size > MAX_BYTES) {
    throw new ScytheError("invalid_input", `${path} is no study file`, { hint: "Give a small YAML file." });
  }
  const text = await readFile(full, "utf8");
  const content = parseStudy(text, path);
  return {
    experiment: content.experiment,
    request: designOf(content),
    options: { ...allocationOf(content), study: text },
    place: { folder: dirname(full), trusted: false },
  };
}

/** @param name of the file, for messages */
export function parseStudy(text: string, name: string): StudyContent {
  const parsed = studySchema.safeParse(plain(text, name));
  if (parsed.success) return parsed.data;
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: false });
  const invalid = (offset: number, problem: string, hint: string) => {
    const { line, col } = lines.linePos(offset);
    return new ScytheError("invalid_input", `${name}, line ${line}, column ${col}: ${problem}`, {
      hint,
      details: { line, column: col },
    });
  };
  const issue = parsed.error.issues[0]!;
  const { path, message } = issue;
  if (issue.code === "unrecognized_keys") {
    const [key] = issue.keys;
    const near = didYouMean(key!, keysAt(path));
    const where = keyOffset(document.contents, [...path, key!]);
    throw invalid(
      where,
      `there is no ${[...path, key].join(".")} in a study${near}`,
      `Known: ${keysAt(path).join(", ")}.`,
    );
  }
  const field = path.join(".") || "the study";
  const at = keyOffset(document.contents, path);
  throw invalid(at, `${field}: ${message}`, "docs/guide/designs.md shows a study file.");
}

/** In time proportional to the text's length, whatever it holds. */
function plain(text: string, name: string): unknown {
  try {
    return parseYaml(text);
  } catch (cause) {
    throw new ScytheError("invalid_input", `${name}: ${messageOf(cause)}`, { hint: "Correct the YAML.", cause });
  }
}

/** The names that a study has at a path. */
function keysAt(path: readonly PropertyKey[]): string[] {
  let schema: z.ZodType = studySchema;
  for (const key of path) {
    while (schema instanceof z.ZodOptional) schema = schema.unwrap() as z.ZodType;
    if (!(schema instanceof z.ZodObject)) return [];
    schema = schema.shape[String(key)] as z.ZodType;
  }
  while (schema instanceof z.ZodOptional) schema = schema.unwrap() as z.ZodType;
  return schema instanceof z.ZodObject ? Object.keys(schema.shape) : [];
}

/** Where the nearest part of a path that the text has begins. */
function keyOffset(contents: unknown, path: readonly PropertyKey[]): number {
  let at = 0;
  let node = contents as { items?: { key: { value?: unknown; range?: Node["range"] }; value: unknown }[] } | null;
  for (const name of path) {
    const pair = node?.items?.find(({ key }) => String(key?.value) === String(name));
    if (!pair) return at;
    at = pair.key.range?.[0] ?? at;
    node = pair.value as typeof node;
  }
  return at;
}

function designOf({ design, n, seed, options, space, fixed }: StudyContent): DesignRequest {
  return present({ design, n, seed, options: options && present(options), space, fixed }) as DesignRequest;
}

function allocationOf({ seed, version, run_name, recursion, max_failures }: StudyContent): AllocateOptions {
  return present({
    seed,
    version,
    runName: run_name,
    recursion: recursion && { factor: recursion.factor, maxDepth: recursion.max_depth },
    maxFailures: max_failures as AllocateOptions["maxFailures"],
  });
}

/** Where a study file will lie, and what the relative paths in its lists of files are relative to now. */
export interface StudyMove {
  from: string;
  to: string;
}

/** The text of a study file that asks for a design. */
export function studyText(experiment: string, request: DesignRequest, move?: StudyMove): string {
  const { design = "sobol", n, seed = 0, options, space, fixed } = request;
  const spread = space && Object.fromEntries(Object.entries(space).map(([name, own]) => [name, textOf(own, move)]));
  const content: StudyContent = present({ experiment, design, n, seed, options, space: spread, fixed }) as StudyContent;
  return `# yaml-language-server: $schema=${SCHEMA_PATH}\n${stringify(studySchema.parse(content))}`;
}

function textOf(given: Distribution | string, move: StudyMove | undefined): string {
  const text = typeof given === "string" ? given : distributionText(given);
  const distribution = move && parseDistribution(text);
  if (distribution?.kind !== "files") return text;
  return distributionText(files(distribution.paths.map((path) => movedPath(path, move!))));
}

function movedPath(path: string, { from, to }: StudyMove): string {
  if (isUri(path) || isAbsolute(path)) return path;
  return relative(to, resolve(from, path)).split(sep).join("/");
}

function present<T extends object>(values: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as never;
}
