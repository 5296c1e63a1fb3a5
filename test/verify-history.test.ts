import { createHash } from "node:crypto";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openProject } from "scythe-ts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse, stringify } from "yaml";
import { addChecksum, withoutChecksum } from "../src/run/checksum.ts";
import { runCli } from "./cli.ts";
import { assertVerified, FICKLE, FicklePlace } from "./fickle.ts";

const folder = mkdtempSync(join(tmpdir(), "scythe-verify-history-"));
const place = new FicklePlace(folder);
let id: string;

beforeAll(async () => {
  await using scythe = await openProject(FICKLE, { storage: place.storage });
  place.mend("quick", "exits");
  const run = await scythe.allocate("fickle", place.specs(0, 15), { seed: 5 });
  await run.result();
  place.mend("bad");
  await (await scythe.retry(run.experimentId))!.result();
  id = run.experimentId;
  await assertVerified(scythe, id);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function filesFoundBad(storage: string): Promise<string[]> {
  await using scythe = await openProject(FICKLE, { storage, engine: "inline" });
  const { problems } = await scythe.audit.verify(id);
  return [...new Set(problems.map(({ file }) => String(file)))];
}

/** Bits spread over a whole file: any one of them may be the one that flips. */
function bitsOf(bytes: number, many: number): number[] {
  return Array.from({ length: many }, (_, i) => Math.floor(((i + 0.5) * 8 * bytes) / many));
}

describe("scythe verify of a run with a history", () => {
  it.each(["state.yml", "history/g0000/report.yml", "history/g0000/errors.pq"])("sees any bit of %s", async (file) => {
    const path = join(place.storage, id, file);
    const whole = readFileSync(path);
    for (const bit of bitsOf(whole.length, 25)) {
      const harmed = Buffer.from(whole);
      harmed[bit >> 3]! ^= 1 << (bit & 7);
      writeFileSync(path, harmed);
      expect(await filesFoundBad(place.storage), `bit ${bit} of ${8 * whole.length}`).toContain(file);
    }
    rmSync(path);
    expect(await filesFoundBad(place.storage)).toContain(file);
    writeFileSync(path, whole);
    expect(await filesFoundBad(place.storage)).toEqual([]);
  });

  it("sees a report of another generation, however whole", async () => {
    const path = join(place.storage, id, "history/g0000/report.yml");
    const whole = readFileSync(path, "utf8");
    writeFileSync(path, addChecksum(stringify({ ...parse(withoutChecksum(whole)), generation: 1 })));
    expect(await filesFoundBad(place.storage)).toEqual(["history/g0000/report.yml"]);
    writeFileSync(path, whole);
  });

  it("finds the history of a copy and of a download whole, and copies nothing that is damaged", async () => {
    const cli = (storage: string, ...args: string[]) => runCli([...args, "--storage", storage], { cwd: FICKLE });
    const [copy, download] = [join(folder, "copy"), join(folder, "download")];
    expect((await cli(place.storage, "copy", id, copy)).code).toBe(0);
    expect((await cli(place.storage, "download", id, "--to", download)).code).toBe(0);
    expect(await filesFoundBad(copy)).toEqual([]);
    expect(await filesFoundBad(download)).toEqual([]);
    const errors = "history/g0000/errors.pq";
    const hash = (storage: string) =>
      createHash("sha256")
        .update(readFileSync(join(storage, id, errors)))
        .digest("hex");
    expect(readFileSync(join(copy, id, "history/g0000/report.yml"), "utf8")).toContain(hash(copy));

    const harmed = join(folder, "harmed");
    cpSync(place.storage, harmed, { recursive: true });
    const bytes = readFileSync(join(harmed, id, errors));
    bytes[Math.floor(bytes.length / 2)]! ^= 1;
    writeFileSync(join(harmed, id, errors), bytes);
    const refused = await cli(harmed, "copy", id, join(folder, "laundered"));
    expect(refused.code).not.toBe(0);
    expect(refused.err).toContain(errors);
  });
});
