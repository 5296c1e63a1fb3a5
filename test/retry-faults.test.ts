import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isScytheError, openProject, type Scythe } from "scythe-ts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { comparable, drive, FICKLE, FicklePlace, specsText } from "./fickle.ts";

const folder = mkdtempSync(join(tmpdir(), "scythe-retry-faults-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const ENOUGH = 60;

describe("a driver that is killed before any of its writes", () => {
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
  async function killedAt(nth: number, ...args: string[]) {
    const storage = join(folder, `trial-${nth}`);
    rmSync(storage, { recursive: true, force: true });
    cpSync(place.storage, storage, { recursive: true });
    return { storage, ...(await drive(storage, String(nth), ...args)) };
  }

  it("leaves a retry that ends as a calm one, and until then the tables of before", async () => {
    let expected: Record<string, unknown[]> | undefined;
    const points: string[] = [];
    for (let nth = ENOUGH; nth !== 0; nth = nth === ENOUGH ? 1 : nth + 1) {
      const { storage, said, killed } = await killedAt(nth, "retry", id);
      await using scythe = await openProject(FICKLE, { storage, engine: "inline" });
      if (nth === ENOUGH) {
        expect(said).toBe("done"); // the calm one
        expected = await comparable(await (await scythe.findRun(id)).openResults());
        expect(expected).not.toEqual(before);
        continue;
      }
      if (!killed) break;
      points.push(said);
      await expectNothingMixed(scythe, [before, expected!]);
      const run = await scythe.findRun(id);
      if ((await stateOf(scythe)).generation === 0) await run.retry();
      else await run.resume().catch(alreadyComplete);
      expect(await comparable(await run.result()), said).toEqual(expected);
      rmSync(storage, { recursive: true, force: true });
    }
    const names = ["specs-", "state.yml", "history/g0000/", "final/scalars.pq", "report.yml"];
    for (const name of names) expect(points.join("\n")).toContain(name);
    expect(points.length).toBeGreaterThan(14);
  }, 300_000);

  async function stateOf(scythe: Scythe): Promise<{ generation: number }> {
    const { body } = await scythe.storage.get(`${id}/state.yml`);
    return parse(new TextDecoder().decode(body));
  }

  /** Killed between the report and the state, it lacks nothing. */
  function alreadyComplete(error: unknown): void {
    expect(error).toMatchObject({ code: "conflict", message: expect.stringContaining("complete already") });
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
    let expected: Record<string, unknown[]> | undefined;
    let resumed = 0;
    for (let nth = ENOUGH * 2; nth !== 0; nth = nth === ENOUGH * 2 ? 1 : nth + 6) {
      const { storage, said, killed } = await killedAt(nth, "extend", id, specs);
      await using scythe = await openProject(FICKLE, { storage, engine: "inline" });
      const [found] = await scythe.experiment("fickle").listRuns("v1.0.1");
      if (nth === ENOUGH * 2) {
        expect(said).toBe("done");
        expected = await comparable(await (await scythe.findRun(found!)).openResults());
        continue;
      }
      if (!killed) break;
      const whole = found && (await scythe.storage.head(`${found}/manifest.yml`));
      if (whole) {
        const run = await scythe.findRun(found);
        await run.resume().catch(alreadyComplete);
        expect(await comparable(await run.result()), said).toEqual(expected);
        resumed++;
      } else {
        expect((await scythe.findRun("fickle")).experimentId, said).toBe(id);
      }
      expect(await comparable(await (await scythe.findRun(id)).openResults())).toEqual(before);
      rmSync(storage, { recursive: true, force: true });
    }
    expect(resumed).toBeGreaterThan(1);
  }, 300_000);
});
