import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isScytheError, openProject, type Scythe } from "scythe-ts";
import { afterAll, beforeAll, expect, it } from "vitest";
import { parse } from "yaml";
import { comparable, drive, FICKLE, FicklePlace, specsText } from "../fickle.ts";
import { drawn, FULL, family, note } from "./seed.ts";

const folder = mkdtempSync(join(tmpdir(), "scythe-retry-faults-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const NEVER = "0";

family("a driver of a retry or an extension that is killed before a write", () => {
  const place = new FicklePlace(join(folder, "base"));
  let id: string;
  let before: Record<string, unknown[]>;
  beforeAll(async () => {
    await using scythe = await openProject(FICKLE, { storage: place.storage });
    place.mend("quick");
    const run = await scythe.allocate("fickle", place.specs(0, 28), { seed: 3 });
    before = await comparable(await run.result());
    id = run.experimentId;
    place.mend("bad", "exits");
  }, 60_000);

  /** A copy of the place, driven until write `nth`. */
  async function killedAt(nth: number | typeof NEVER, ...args: string[]) {
    const storage = join(folder, `trial-${nth}`);
    rmSync(storage, { recursive: true, force: true });
    cpSync(place.storage, storage, { recursive: true });
    return { storage, ...(await drive(storage, String(nth), ...args)) };
  }

  /** What comes of it when nothing is in its way, and the numbers of its writes. */
  async function calm(...args: string[]) {
    const { storage, said } = await killedAt(NEVER, ...args);
    const [, count] = /^done after (\d+)$/.exec(said) ?? [];
    expect(count, said).toBeDefined();
    return { storage, writes: Array.from({ length: Number(count) }, (_, i) => i + 1) };
  }

  it("leaves a retry that ends as a calm one, and until then the tables of before", async () => {
    const whole = await calm("retry", id);
    const expected = await tablesOf(whole.storage, id);
    expect(expected).not.toEqual(before);
    const points: string[] = [];
    for (const nth of drawn(whole.writes, 3)) {
      const { storage, said, killed } = await killedAt(nth, "retry", id);
      await using scythe = await openProject(FICKLE, { storage, engine: "inline" });
      expect(killed, `${nth}: ${said}`).toBe(true);
      points.push(said);
      await expectNothingMixed(scythe, [before, expected]);
      const run = await scythe.findRun(id);
      if ((await stateOf(scythe)).generation === 0) await run.retry();
      else await run.resume().catch(alreadyComplete);
      expect(await comparable(await run.result()), said).toEqual(expected);
      rmSync(storage, { recursive: true, force: true });
      note("a retry's driver killed before a write", { injected: 1, lost: 0, twice: 0 });
    }
    expect(whole.writes.length).toBeGreaterThan(14);
    if (!FULL) return;
    const names = ["specs-", "state.yml", "history/g0000/", "final/scalars.pq", "report.yml"];
    for (const name of names) expect(points.join("\n")).toContain(name);
  }, 300_000);

  async function tablesOf(storage: string, run: string): Promise<Record<string, unknown[]>> {
    await using scythe = await openProject(FICKLE, { storage, engine: "inline" });
    return comparable(await (await scythe.findRun(run)).openResults());
  }

  async function stateOf(scythe: Scythe): Promise<{ generation: number }> {
    const { body } = await scythe.storage.get(`${id}/state.yml`);
    return parse(new TextDecoder().decode(body));
  }

  /** Killed between the report and the state, it lacks nothing. */
  function alreadyComplete(error: unknown): void {
    expect(error).toMatchObject({ code: "conflict", message: expect.stringContaining("already complete") });
  }

  /** Whole tables of the one generation or the other; or it is said that they are being replaced. */
  async function expectNothingMixed(scythe: Scythe, either: Record<string, unknown[]>[]): Promise<void> {
    try {
      expect(either).toContainEqual(await comparable(await (await scythe.findRun(id)).openResults()));
    } catch (error) {
      if (!isScytheError(error)) throw error;
      expect(error).toMatchObject({ code: "conflict", message: expect.stringContaining("between two generations") });
      expect(error.hint).toContain(`scythe resume ${id}`);
    }
  }

  it("leaves no extended run, or one that can be resumed", async () => {
    const specs = specsText(place.specs(28, 32));
    const { storage: whole, writes } = await calm("extend", id, specs);
    const expected = await tablesOf(whole, "fickle@v1.0.1");
    let resumed = 0;
    for (const nth of drawn(
      writes.filter((write) => write % 6 === 1),
      3,
    )) {
      const { storage, said, killed } = await killedAt(nth, "extend", id, specs);
      await using scythe = await openProject(FICKLE, { storage, engine: "inline" });
      expect(killed, `${nth}: ${said}`).toBe(true);
      const [found] = await scythe.experiment("fickle").listRuns("v1.0.1");
      const allocated = found && (await scythe.storage.head(`${found}/manifest.yml`));
      if (allocated) {
        const run = await scythe.findRun(found);
        await run.resume().catch(alreadyComplete);
        expect(await comparable(await run.result()), said).toEqual(expected);
        resumed++;
      } else {
        expect((await scythe.findRun("fickle")).experimentId, said).toBe(id);
      }
      expect(await comparable(await (await scythe.findRun(id)).openResults())).toEqual(before);
      rmSync(storage, { recursive: true, force: true });
      note("an extension's driver killed before a write", { injected: 1, lost: 0, twice: 0 });
    }
    if (FULL) expect(resumed).toBeGreaterThan(1);
  }, 300_000);
});
