import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { localStorage } from "scythe-ts";
import { afterAll, expect, it } from "vitest";
import { MAIN } from "../cli.ts";
import { collect } from "../collect.ts";
import { commandLine, expectWhole, finished, STEERED, stateIn, steadySpecs } from "../steered.ts";
import { Paused } from "./paused.ts";
import { drawn, family, note } from "./seed.ts";

const root = mkdtempSync(join(tmpdir(), "scythe-paused-driver-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const DEEP = ["--chunk-size", "5", "--factor", "3", "--max-depth", "1"];

/** Steps by which the first driver writes; it is stopped when all that is left of one is the link or the rename. */
const STEPS: { what: string; kind: string; at: number }[] = [
  { what: "the specs of a node", kind: "link node-specs", at: 1 },
  { what: "a wave", kind: "link wave", at: 1 },
  { what: "a part", kind: "link part", at: 2 },
  { what: "the rows of a gathered set", kind: "link gathered", at: 1 },
  { what: "the last final table", kind: "link final", at: 2 },
  { what: "the report", kind: "link report", at: 1 },
  { what: "the state, to name its engine's run", kind: "rename state", at: 3 },
  { what: "the state, to name who may write final/", kind: "rename state", at: 4 },
  { what: "the state, to say that the run is complete", kind: "rename state", at: 5 },
];

family("a driver that is stopped at the very step by which it writes", () => {
  it.each(drawn(STEPS, 2).map((step) => [step.what, step] as const))(
    "%s: overtaken meanwhile, it changes nothing",
    async (_, { kind, at }) => {
      const folder = mkdtempSync(join(root, "run-"));
      const data = join(folder, "data");
      mkdirSync(data);
      const storage = localStorage(data);
      const { scythe } = commandLine(data);
      const { file } = steadySpecs(folder, 30, 0, (n) => (n % 10 === 3 ? "fails" : "well"));
      const args = [MAIN, "run", "steady", file, ...DEEP, "--engine", "inline", "--storage", data];
      const first = new Paused({ folder, name: "first" }, { kind, at }, args, STEERED);
      await first.reached();
      const state = (await collect(storage.list("steady/"))).find(({ key }) => key.endsWith("/state.yml"))!.key;
      const id = state.slice(0, -"/state.yml".length);
      const { epoch } = await stateIn(storage, id);

      const second = await scythe("resume", id, "--take-over", "--engine", "inline");
      const wasComplete = kind === "rename state" && at === 5; // all but the word in the state was written
      expect(second.code, second.err).toBe(wasComplete ? 2 : 3);
      const before = await finished(storage, id);
      first.wake();
      const woken = await first.ended;
      expect(woken.code, woken.stderr).toBe(wasComplete ? 3 : 5);
      if (!wasComplete) expect(woken.stderr).toContain("was taken over by process");

      expect(await finished(storage, id)).toEqual(before);
      expect(await stateIn(storage, id)).toMatchObject({ status: "complete", epoch: wasComplete ? epoch : epoch + 1 });
      await expectWhole(data, id, storage, 30, 3);
      note("SIGSTOP at a step that writes, take-over, SIGCONT", { injected: 1, lost: 0, twice: 0 });
    },
  );
});
