import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { messageOf, ScytheError } from "../../errors.ts";
import type { ManifestDetails } from "../../run/manifest.ts";
import { commitText } from "../code-change.ts";
import { exactJson, parseExactJson } from "./exact-json.ts";
import type { StoredOutcome } from "./stored-spec.ts";

/** `spec.json`: one spec and all that its function saw of the run. */
export interface ReproSpec {
  experiment: string;
  experiment_id: string;
  sort_index: number;
  seed: number;
  attempt: number;
  schema_hash: string;
  /** File fields are paths relative to the folder, or URIs that could not be brought. */
  spec: Record<string, unknown>;
}

/** The files of a folder for one spec, besides its input files. */
export interface ReproContents {
  spec: ReproSpec;
  /** How it came out; undefined where that could not be read. */
  stored: StoredOutcome | undefined;
  /** The config file or its folder, relative to the script's folder or absolute. */
  project: string;
  details: ManifestDetails;
  notes: readonly string[];
}

/** Writes a folder's files, none of which may be there. Returns the path of its script. */
export async function writeReproFolder(folder: string, contents: ReproContents): Promise<string> {
  const { spec, stored, project, details, notes } = contents;
  const script = join(folder, "repro.mjs");
  const write = (name: string, text: string) => writeFile(join(folder, name), text, { flag: "wx" });
  await write("spec.json", `${exactJson(spec)}\n`);
  await write("expected.json", `${exactJson(stored ?? null)}\n`);
  await write("repro.mjs", scriptText(spec, project));
  await write("README.md", readmeText(spec, stored, details, notes));
  return script;
}

/** What a folder says, perhaps edited by hand. @throws ScytheError `invalid_input` when it is no such folder */
export async function readReproFolder(folder: string): Promise<{ spec: ReproSpec; stored: StoredOutcome | null }> {
  const spec = (await readJson(join(folder, "spec.json"))) as ReproSpec;
  return { spec, stored: (await readJson(join(folder, "expected.json"))) as StoredOutcome | null };
}

async function readJson(path: string): Promise<unknown> {
  try {
    return parseExactJson(await readFile(path, "utf8"));
  } catch (cause) {
    throw new ScytheError("invalid_input", `${path} cannot be read: ${messageOf(cause)}`, {
      hint: "`scythe repro` makes such a folder.",
      cause,
    });
  }
}

function scriptText({ experiment_id, sort_index }: ReproSpec, project: string): string {
  return `// Runs spec ${sort_index} of ${experiment_id} alone, in this process.
//   node repro.mjs                  exit code 0 when it comes out as in the run, else 3
//   node --inspect-brk repro.mjs    under a debugger; a \`debugger;\` in the experiment's code stops there
import { statSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const here = fileURLToPath(new URL(".", import.meta.url));
const project = resolve(here, process.env.SCYTHE_PROJECT ?? ${JSON.stringify(project)});
const inProject = createRequire(statSync(project).isDirectory() ? join(project, "package.json") : project);
const { openProject } = await import(pathToFileURL(inProject.resolve("scythe-ts")).href);

const scythe = await openProject(project, { engine: "inline" });
try {
  const outcome = await scythe.audit.reproduce(here);
  for (const line of outcome.logs) console.error(line);
  console.log(outcome.text);
  process.exitCode = outcome.same ? 0 : 3;
} finally {
  await scythe.close();
}
`;
}

function readmeText(
  { experiment, experiment_id, sort_index, seed, attempt }: ReproSpec,
  stored: StoredOutcome | undefined,
  { environment }: ManifestDetails,
  notes: readonly string[],
): string {
  const { kind, message } = stored?.error ?? {};
  const came = {
    succeeded: "It succeeded.",
    failed: `It failed (${kind}): ${message?.split("\n")[0]}`,
    unknown: "The run has no row of it.",
  }[stored?.status ?? "unknown"];
  const limits = ["timeout", "crash", "out_of_memory"].includes(kind ?? "")
    ? "\nNo limit of time or memory holds here, and nothing outlives a crash: it may hang, or end the process.\n"
    : "";
  const remarks = notes.length > 0 ? `\n${notes.map((note) => `- ${note}`).join("\n")}\n` : "";
  return `# Spec ${sort_index} of ${experiment_id}

${came}

\`\`\`sh
node repro.mjs                  # runs ${experiment} on this spec alone, and compares with what the run holds
node --inspect-brk repro.mjs    # the same under a debugger (chrome://inspect, or your editor's "attach")
\`\`\`
${limits}${remarks}
- \`spec.json\`: the spec, exactly (\`$bigint\`, \`$date\` and \`$number\` stand for what JSON has not), the run's seed
  (${seed}), \`sort_index\` and attempt (${attempt}): together they give \`ctx.random\` the numbers that it gave in the run.
  Edit it to try something else.
- \`inputs/\`: its input files.
- \`expected.json\`: how it came out in the run.

Made with git ${commitText(environment)}, Node ${environment.node.replace(/^v/, "")}, scythe ${environment.scythe}; \`scythe lineage ${experiment_id}\` tells more.
What runs is the project's code as it is now. \`SCYTHE_PROJECT=<folder>\` runs that of another checkout.
`;
}
