import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { defineExperiment, openProject, s3Storage, table } from "./index.ts";
import { assertKnownKeys } from "./known-keys.ts";

const folder = mkdtempSync(join(tmpdir(), "scythe-known-keys-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const definition = {
  name: "e",
  input: z.object({ n: z.number() }),
  output: z.object({ m: z.number() }),
  run: ({ n }: { n: number }) => ({ m: n }),
};
const experiment = defineExperiment(definition);
// biome-ignore lint/suspicious/noExplicitAny: what JavaScript, or a spread, lets through
const loose = (options: object): any => options;

it("names the nearest option and all that there are, also for one that every object inherits", () => {
  expect(() => assertKnownKeys({ retires: 1 }, { retries: true, name: true }, "A thing")).toThrow(
    expect.objectContaining({
      message: 'A thing has no option "retires". Did you mean "retries"?',
      hint: "There are: retries, name.",
    }),
  );
  expect(() => assertKnownKeys({ constructor: 1 }, { name: true }, "A thing")).toThrow(/"constructor"/);
  assertKnownKeys(undefined, {}, "A thing");
});

describe("a typo is refused", () => {
  it.each([
    ["defineExperiment", () => defineExperiment(loose({ ...definition, executionTimout: "10m" })), "executionTimeout"],
    ["table", () => table(z.object({ a: z.number() }), loose({ idnex: ["a"] })), "index"],
    ["s3Storage", () => s3Storage(loose({ bucket: "b", prefx: "p" })), "prefix"],
  ])("by %s", (_name, use, nearest) => {
    expect(use).toThrow(`Did you mean "${nearest}"?`);
  });

  it("by openProject, allocate, retry, extend, verify, diff, runOnce, progress, cancel and resume", async () => {
    const config = { experiments: [experiment] };
    await expect(openProject(config, loose({ storgae: folder }))).rejects.toThrow('Did you mean "storage"?');
    await using scythe = await openProject(config, { storage: folder });
    const run = await scythe.allocate(experiment, [{ n: 1 }]);
    await run.result();
    const id = run.experimentId;
    const uses: [() => Promise<unknown>, string][] = [
      [() => scythe.allocate(experiment, [{ n: 1 }], loose({ chunksize: 5 })), "chunkSize"],
      [() => scythe.allocate(experiment, [{ n: 1 }], loose({ recursion: { factor: 2, maxDept: 1 } })), "maxDepth"],
      [() => scythe.retry(id, loose({ kinds: "timeout" })), "kind"],
      [() => scythe.retry(id, { kind: "timout" }), "timeout"],
      [() => scythe.extend(id, [{ n: 2 }], loose({ verison: "keep" })), "version"],
      [() => scythe.audit.verify(id, loose({ samples: 1 })), "sample"],
      [() => scythe.audit.diff(id, id, loose({ tolerence: 1 })), "tolerance"],
      [() => scythe.runOnce(experiment, { n: 1 }, loose({ sortindex: 1 })), "sortIndex"],
      [() => run.progress(loose({ intervalms: 1 })).next(), "intervalMs"],
      [() => run.cancel(loose({ Now: true })), "now"],
      [() => run.resume(loose({ takeover: true })), "takeOver"],
    ];
    for (const [use, nearest] of uses) await expect(use()).rejects.toThrow(`Did you mean "${nearest}"?`);
    expect(await scythe.experiment(experiment).listRuns()).toEqual([id]);
  });
});
