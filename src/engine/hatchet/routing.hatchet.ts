import { createRequire } from "node:module";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, expect, it } from "vitest";
import { describeReal, ownNamespace, realEngine } from "../../../test/servers/real-hatchet.ts";
import type { Json, Programs, Worker } from "../engine.ts";
import type { Client, SdkTask } from "./sdk.ts";

const LEAVES = 6;

/** A run of some leaves; notes who ran each, and what failed. */
function noting(by: string, notes: { ran: string[]; failed: string[]; onLeaf?: () => Promise<void> }): Programs {
  return {
    count: {
      expand: async (_node, settled) => {
        notes.failed.push(...settled.flatMap((one) => ("error" in one ? [one.error.message] : [])));
        return settled.length > 0 ? {} : { leaves: Array.from({ length: LEAVES }, (_, i) => `leaf ${i}`) };
      },
      leaf: async () => {
        await notes.onLeaf?.();
        notes.ran.push(by);
        return null;
      },
      merge: async () => ({ leaves: notes.ran.length }) as Json,
      lookupLeaf: async () => undefined,
      lookupRoot: async () => undefined,
    },
  };
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await sleep(50);
}

describeReal("hatchetEngine routes work", () => {
  const workers: Worker[] = [];
  const served = async (engine: { serve(): Promise<Worker> }) => {
    workers.push(await engine.serve());
  };
  afterEach(async () => {
    await Promise.all(workers.splice(0).map((worker) => worker.stop()));
  });

  it("to those who have the labels that it requires, and to nobody else", async () => {
    const namespace = ownNamespace();
    const notes = { ran: [], failed: [] };
    const route = { requires: { high_memory: "yes" } };
    const small = realEngine(noting("small", notes), { namespace, route, worker: { name: "small" } });
    const labels = { high_memory: "yes" };
    const large = realEngine(noting("large", notes), { namespace, route, worker: { name: "large", labels } });
    await served(small.engine);
    await served(large.engine);
    const run = await small.engine.start("count", null);
    expect(await run.result()).toEqual({ leaves: LEAVES });
    expect(new Set(notes.ran)).toEqual(new Set(["large"]));
  });

  it("to those who have its code; until there is one the run waits, and says so", async () => {
    const namespace = ownNamespace();
    const notes = { ran: [], failed: [] };
    const engineOf = (code: string) =>
      realEngine(noting(code, notes), {
        namespace,
        route: { code: { scythe_code_count: code } },
        worker: { name: code, labels: { scythe_code_count: code } },
      });
    const older = engineOf("older");
    await served(older.engine);
    const newer = engineOf("newer");
    const run = await newer.engine.start("count", null);
    await until(() =>
      newer.said.some((line) => line.includes("No worker on the Hatchet server that serves it has this code")),
    );
    expect(await run.status()).toBe("running");
    await served(newer.engine);
    expect(await run.result()).toEqual({ leaves: LEAVES });
    expect(new Set(notes.ran)).toEqual(new Set(["newer"]));
  });

  it("again when no worker has taken it in time, and says so; it is no failure", async () => {
    const namespace = ownNamespace();
    const notes = { ran: [], failed: [] };
    const route = { leafScheduleMs: 2_000 };
    const nodes = realEngine(noting("nodes", notes), { namespace, route, worker: { name: "nodes", doesLeaf: false } });
    await served(nodes.engine);
    const run = await nodes.engine.start("count", null);
    await until(() => nodes.said.filter((line) => line.includes("was taken by no worker in time")).length >= LEAVES);
    const leaves = realEngine(noting("leaves", notes), {
      namespace,
      route,
      worker: { name: "leaves", doesFan: false },
    });
    await served(leaves.engine);
    expect(await run.result()).toEqual({ leaves: LEAVES });
    expect(notes.failed).toEqual([]);
  });

  it("again when no worker has taken the run itself in time, and says so", async () => {
    const notes = { ran: [], failed: [] };
    const { engine, said } = realEngine(noting("late", notes), { namespace: ownNamespace(), nodeScheduleMs: 3_000 });
    const run = await engine.start("count", null);
    const result = run.result();
    await until(() => said.some((line) => line.includes("no worker has taken it for")));
    await served(engine);
    expect(await result).toEqual({ leaves: LEAVES });
    expect(await run.status()).toBe("succeeded");
  });

  it("of the user's own Hatchet workflows to the same workers", async () => {
    const namespace = ownNamespace();
    const { HatchetClient } = createRequire(import.meta.url)("@hatchet-dev/typescript-sdk");
    const client = HatchetClient.init({ namespace, log_level: "OFF" }) as Client;
    const own = client.task({ name: "own", fn: (input: { n: number }) => ({ twice: 2 * input.n }) });
    const notes = { ran: [], failed: [] };
    const { engine } = realEngine(noting("all", notes), {
      namespace,
      worker: { additionalWorkflows: [own as unknown as SdkTask] },
    });
    await served(engine);
    const reference = await own.runNoWait({ n: 21 });
    const details = async () => client.runs.getDetails(await reference.runId);
    let ended = await details();
    while (!ended.done) {
      await sleep(100);
      ended = await details();
    }
    expect(Object.values(ended.taskRuns).map(({ output }) => output)).toEqual([{ twice: 42 }]);
  });
});

describeReal("a run that another process started", () => {
  /** Two engines that share nothing but the server. */
  function twoEngines(notes: { ran: string[]; failed: string[]; onLeaf?: () => Promise<void> }) {
    const namespace = ownNamespace();
    const [one, other] = [noting("one", notes), noting("other", notes)];
    return { one: realEngine(one, { namespace }).engine, other: realEngine(other, { namespace }).engine };
  }

  it("is awaited by its id", async () => {
    const { one, other } = twoEngines({ ran: [], failed: [] });
    const worker = await one.serve();
    const { id } = await one.start("count", null);
    const found = await other.attach(id);
    expect(await found.result()).toEqual({ leaves: LEAVES });
    expect(await found.status()).toBe("succeeded");
    await worker.stop();
    await other.close();
  });

  it("is cancelled by its id, after the work in hand", async () => {
    let [begun, ended] = [0, 0];
    const { one, other } = twoEngines({
      ran: [],
      failed: [],
      onLeaf: async () => {
        begun++;
        await sleep(3_000);
        ended++;
      },
    });
    const worker = await one.serve();
    const run = await one.start("count", null);
    await until(() => begun > 0);
    const found = await other.attach(run.id);
    await found.cancel();
    expect(ended).toBe(begun);
    expect([await found.status(), await run.status()]).toEqual(["cancelled", "cancelled"]);
    await expect(run.result()).rejects.toMatchObject({ code: "cancelled" });
    await expect((await other.attach(run.id)).result()).rejects.toMatchObject({ code: "cancelled" });
    await worker.stop();
    await other.close();
  });
});
