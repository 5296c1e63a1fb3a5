import { execFile } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { parseExperimentId, RunLayout } from "../run/layout.ts";
import { readManifest } from "../run/manifest.ts";
import { localStorage } from "../storage/local/local.ts";
import { scratchFolder } from "./allocation.testsuite.ts";

const scratch = scratchFolder();
const dist = (path: string) => JSON.stringify(fileURLToPath(new URL(`../../dist/${path}`, import.meta.url)));

/** Allocates `each` runs in each of three processes at once; their `experiment_id`s. */
async function allocateInProcesses(folder: string, each: number, version: string): Promise<string[]> {
  const program = `
    import { z } from ${JSON.stringify(fileURLToPath(import.meta.resolve("zod")))};
    import { defineExperiment } from ${dist("index.js")};
    import { allocateRun } from ${dist("allocate/allocate.js")};
    import { localStorage } from ${dist("storage/local/local.js")};
    const study = defineExperiment({
      name: "study", input: z.object({ n: z.number() }), output: z.object({ y: z.number() }), run: () => ({ y: 1 }),
    });
    const storage = localStorage(${JSON.stringify(folder)});
    const runs = Array.from({ length: ${each} }, () =>
      allocateRun(storage, study, [{ n: 1 }], { version: ${JSON.stringify(version)} }, { folder: ${JSON.stringify(scratch.path)}, fetchUri: async (uri) => uri }));
    console.log(JSON.stringify((await Promise.all(runs)).map(({ layout }) => layout.experimentId)));`;
  const run = () => promisify(execFile)(process.execPath, ["--input-type=module", "-e", program]);
  const outputs = await Promise.all([run(), run(), run()]);
  return outputs.flatMap(({ stdout }) => JSON.parse(stdout) as string[]);
}

describe("processes that allocate at the same moment", () => {
  it("get runs of their own, where all keep the version", async () => {
    const folder = join(scratch.path, "keep");
    const ids = await allocateInProcesses(folder, 4, "keep");
    expect(new Set(ids).size).toBe(12);
    expect(new Set(ids.map((id) => parseExperimentId(id)?.version))).toEqual(new Set(["v1.0.0"]));
    const storage = localStorage(folder);
    for (const id of ids) {
      const layout = new RunLayout(parseExperimentId(id)!);
      expect((await readManifest(storage, layout)).experiment_id).toBe(id);
    }
    expect((await storage.listFolders("study/v1.0.0/")).length).toBe(12);
  });

  it("get versions of their own, where all bump it", async () => {
    const ids = await allocateInProcesses(join(scratch.path, "bump"), 4, "bumpminor");
    const versions = ids.map((id) => parseExperimentId(id)?.version);
    expect(new Set(versions).size).toBe(12);
    expect(versions).toContain("v1.0.0");
  });
});
