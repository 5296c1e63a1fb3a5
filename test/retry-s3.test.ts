import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openProject, type Results } from "scythe-ts";
import { afterAll, describe, expect, it } from "vitest";
import { comparable, FICKLE, FicklePlace } from "./fickle.ts";
import { type S3Server, startS3Server } from "./servers/s3-server.ts";

const server = await startS3Server();

describe.skipIf(!server)("in a bucket", () => {
  const folder = mkdtempSync(join(tmpdir(), "scythe-retry-s3-"));
  afterAll(async () => {
    rmSync(folder, { recursive: true, force: true });
    await server!.stop();
  });

  /** A run, extended, with its failed specs run again in a tree of two levels. */
  async function extendedAndRetried(name: string, storage: string) {
    const place = new FicklePlace(join(folder, name));
    place.mend("quick", "exits");
    await using scythe = await openProject(FICKLE, { storage });
    const recursion = { factor: 3, maxDepth: 1 };
    const first = await scythe.allocate("fickle", place.specs(0, 20), { seed: 9, recursion });
    await first.result();
    const run = await scythe.extend("fickle", place.specs(20, 30));
    const extended = await comparable(await run.result());
    place.mend("throws", "bad");
    const results = await (await scythe.retry(run.experimentId))!.result();
    return { extended, retried: await comparable(results), results: results as Results, run };
  }

  it("runs are extended and retried as on disk", async () => {
    for (const [name, value] of Object.entries((server as S3Server).env)) process.env[name] = value;
    const bucket = await server!.createBucket();
    const here = await extendedAndRetried("here", join(folder, "data"));
    const there = await extendedAndRetried("there", `s3://${bucket}/studies`);
    expect(there.extended).toEqual(here.extended);
    expect(there.retried).toEqual(here.retried);
    expect(there.results.report).toMatchObject({ allocated: 30, succeeded: 30, failed: 0, generation: 1 });
    const [refs] = await there.results.query("SELECT note FROM result_file_refs WHERE sort_index = 3");
    expect(refs!.note).toContain(`s3://${bucket}/studies/${there.run.experimentId}/results/note/`);
  }, 120_000);
});
