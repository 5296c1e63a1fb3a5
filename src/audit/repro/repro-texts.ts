import type { ManifestDetails } from "../../run/manifest.ts";
import { commitText } from "../code-change.ts";
import type { ReproSpec } from "./repro.ts";
import type { StoredOutcome } from "./stored-outcome.ts";

/** `repro.mjs`. @param project the config file or its folder, relative to the script's folder or absolute */
export function scriptText({ experiment_id, sort_index }: ReproSpec, project: string): string {
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

export function readmeText(
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
  const told = notes.length > 0 ? `\n${notes.map((note) => `- ${note}`).join("\n")}\n` : "";
  return `# Spec ${sort_index} of ${experiment_id}

${came}

\`\`\`sh
node repro.mjs                  # runs ${experiment} on this spec alone, and compares with what the run holds
node --inspect-brk repro.mjs    # the same under a debugger (chrome://inspect, or your editor's "attach")
\`\`\`
${limits}${told}
- \`spec.json\`: the spec, exactly (\`$bigint\`, \`$date\` and \`$number\` stand for what JSON has not), the run's seed
  (${seed}), \`sort_index\` and attempt (${attempt}): together they give \`ctx.random\` the numbers that it gave in the run.
  Edit it to try something else.
- \`inputs/\`: its input files.
- \`expected.json\`: how it came out in the run.

Made with git ${commitText(environment)}, Node ${environment.node.replace(/^v/, "")}, scythe ${environment.scythe}; \`scythe lineage ${experiment_id}\` tells more.
What runs is the project's code as it is now. \`SCYTHE_PROJECT=<folder>\` runs that of another checkout.
`;
}
