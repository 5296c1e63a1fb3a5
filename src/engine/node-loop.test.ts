import { setImmediate as tick } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import type { Json, Settled, TreeProgram, Wave } from "./engine.ts";
import { type NodeHost, runNodeLoop, settleAll } from "./node-loop.ts";

/** Runs one node of one wave; the run stops at the step that is named. */
async function stoppedAt(step?: "ready" | "expand" | "wave") {
  const done: string[] = [];
  const stop = new AbortController();
  const at = (name: string) => {
    done.push(name);
    if (name === step) stop.abort(new Error(`stopped at ${name}`));
  };
  const program: Pick<TreeProgram, "ready" | "expand" | "merge"> = {
    ready: async () => at("ready"),
    expand: async (_, settled): Promise<Wave> => {
      at("expand");
      return settled.length > 0 || step === "expand" ? {} : { leaves: ["leaf"] };
    },
    merge: async () => {
      at("merge");
      return "merged";
    },
  };
  const host: NodeHost = {
    signal: stop.signal,
    throwIfStopped: () => stop.signal.throwIfAborted(),
    context: () => ({ signal: stop.signal, attempt: 1, capacity: 1, slot: 0, heartbeat() {}, releaseSlot() {} }),
    planInTurn: async (plan) => {
      done.push("turn");
      const planned = await plan();
      done.push("end of turn");
      return planned;
    },
    runWave: async ({ leaves = [] }): Promise<Settled[]> => {
      at("wave");
      return leaves.map((payload) => ({ payload, result: null }));
    },
  };
  const result = await runNodeLoop(program as TreeProgram, "node", host).catch((error: Error) => error.message);
  return { result, done };
}

describe("a node", () => {
  const round = ["ready", "turn", "expand", "end of turn"];

  it("is asked for a wave, again when that has settled, and merged; it waits for its turn to plan alone", async () => {
    expect(await stoppedAt()).toEqual({ result: "merged", done: [...round, "wave", ...round, "merge"] });
  });

  it("goes no further when it is to stop: it neither plans nor merges", async () => {
    expect(await stoppedAt("ready")).toEqual({ result: "stopped at ready", done: ["ready"] });
    expect(await stoppedAt("expand")).toEqual({ result: "stopped at expand", done: round });
    expect(await stoppedAt("wave")).toEqual({ result: "stopped at wave", done: [...round, "wave", "ready"] });
  });
});

describe("a wave", () => {
  it("has settled when its last child has, also behind a failure, of which the first is thrown", async () => {
    const ended: string[] = [];
    const child = async <T>(name: string, ticks: number, value: T | Error): Promise<T> => {
      for (let i = 0; i < ticks; i++) await tick();
      ended.push(name);
      if (value instanceof Error) throw value;
      return value;
    };
    const leaf = { payload: "leaf", result: 1 };
    const nodes = () => [child<Json>("second", 2, new Error("two")), child<Json>("first", 1, new Error("one"))];
    await expect(settleAll(nodes(), [child<Settled>("last", 9, leaf)])).rejects.toThrow("two");
    expect(ended).toEqual(["first", "second", "last"]);
    expect(await settleAll([child<Json>("node", 3, "done")], [child<Settled>("leaf", 1, leaf)])).toEqual([leaf]);
  });
});
