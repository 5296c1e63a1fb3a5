import type { Scythe } from "../project.ts";
import { openResults } from "../results/results.ts";
import type { Run } from "../runs/run.ts";
import { driveRun } from "./drive-run.ts";
import { EXIT } from "./exit.ts";
import { jsonText } from "./json-text.ts";
import { withProject } from "./open-project.ts";
import { note, print } from "./output.ts";
import type { RetryFlags } from "./retry.ts";
import { overridesOf } from "./run-experiment.ts";
import { outcomeOf } from "./run-outcome.ts";
import { countText } from "./units.ts";

/** Runs failed specs again, to the end. Returns the exit code. */
export async function retryRun(reference: string, flags: RetryFlags): Promise<number> {
  const { kind, spec, timeout } = flags;
  return withProject(overridesOf(flags), async (project) => {
    const { experimentId } = await project.findRun(reference); // a later run must not be meant by the same name
    const run = await project.retry(experimentId, {
      ...(kind === undefined ? {} : { kind }),
      ...(spec === undefined ? {} : { specs: spec }),
      ...(timeout === undefined ? {} : { timeout }),
    });
    if (!run) return nothingToDo(project, await project.findRun(experimentId), flags);
    if (!flags.json) await print(`${run.experimentId}\n`);
    return driveRun(project, run, flags.json);
  });
}

async function nothingToDo(project: Scythe, run: Run, { kind, json }: RetryFlags): Promise<number> {
  const { report } = await openResults(project.storage, run.layout);
  const kinds = Object.entries(report?.failed_by_kind ?? {}).map(([name, count]) => `${name} ${countText(count)}`);
  const but = kinds.length > 0 ? `; it has: ${kinds.join(" · ")}` : "";
  note(`${run.experimentId} has no failed specs${kind ? ` of kind ${kind.join(", ")}` : ""}${but}. Nothing was run.`);
  if (json) await print(`${jsonText(await outcomeOf(project.storage, run), 2)}\n`);
  return EXIT.ok;
}
