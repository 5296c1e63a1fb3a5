import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { deferred } from "../engine/toy-programs.testsuite.ts";
import { memoryStorage } from "../storage/memory.ts";
import type { Storage } from "../storage/storage.ts";
import { drivenSeconds, Heartbeat, LivenessMonitor, SILENCE_MS } from "./heartbeat.ts";
import { RunLayout } from "./layout.ts";
import { thisProcess } from "./owner.ts";
import { newState, type RunState, stateText } from "./state.ts";

const layout = new RunLayout({ name: "study", version: "v1.0.0", timestamp: "2026-01-02_03-04-05" });
const elsewhere = { ...thisProcess(), host: "other", machine: "another boot" };
const state = (epoch = 1): RunState => ({ ...newState(), status: "running", epoch, engine: "local", owner: elsewhere });
const HOUR_MS = 3_600_000;

describe("a driver on another machine", () => {
  let storage: Storage;
  let beats = 0;
  const beat = (epoch = 1) => storage.put(layout.controlOf(epoch, "driver"), `beat ${beats++}`);
  const pass = (ms: number) => vi.advanceTimersByTime(ms);
  beforeEach(() => {
    storage = memoryStorage();
    vi.useFakeTimers({ toFake: ["performance", "Date"] });
  });
  afterEach(() => void vi.useRealTimers());

  it("lives once its heartbeat has changed, and as long as it does", async () => {
    const watch = new LivenessMonitor(storage, layout);
    await beat();
    expect(await watch.check(state())).toBe("unknown");
    for (let i = 0; i < 10; i++) {
      pass(SILENCE_MS - 10_000);
      await beat();
      expect(await watch.check(state())).toBe("alive");
    }
  });

  it.each([
    ["with its last beat still there", true],
    ["that never beat", false],
  ])("is gone after a minute of silence, %s", async (_name, beaten) => {
    const watch = new LivenessMonitor(storage, layout);
    if (beaten) await beat();
    expect(await watch.check(state())).toBe("unknown");
    pass(SILENCE_MS - 1_000);
    expect(await watch.check(state())).toBe("unknown");
    pass(1_000);
    expect(await watch.check(state())).toBe("gone");
  });

  it("neither dies nor lives by a clock that jumps", async () => {
    const watch = new LivenessMonitor(storage, layout);
    await beat();
    await watch.check(state());
    for (const jump of [HOUR_MS, -HOUR_MS, -HOUR_MS, HOUR_MS]) {
      vi.setSystemTime(Date.now() + jump);
      pass(5_000);
      await beat();
      expect(await watch.check(state())).toBe("alive");
    }
    pass(SILENCE_MS / 2);
    vi.setSystemTime(Date.now() - HOUR_MS);
    expect(await watch.check(state())).toBe("alive");
    pass(SILENCE_MS / 2);
    expect(await watch.check(state())).toBe("gone");
  });

  it("is listened for anew when another has taken over", async () => {
    const watch = new LivenessMonitor(storage, layout);
    await watch.check(state());
    pass(SILENCE_MS);
    expect(await watch.check(state(2))).toBe("unknown");
    await beat(2);
    pass(5_000);
    expect(await watch.check(state(2))).toBe("alive");
  });
});

it("of this machine is known at once", async () => {
  const watch = new LivenessMonitor(memoryStorage(), layout);
  expect(await watch.check({ ...state(), owner: thisProcess() })).toBe("alive");
  expect(await watch.check({ ...state(), owner: { ...thisProcess(), started: "another time" } })).toBe("gone");
});

it("a driver's heartbeat writes nothing once it has stopped", async () => {
  const memory = memoryStorage();
  const gate = deferred();
  const slow: Storage = { ...memory, put: (...args) => gate.promise.then(() => memory.put(...args)) };
  const stopped = new Heartbeat(slow, layout, { epoch: 1, generation: 0 })
    .stop()
    .then(() => memory.head(layout.controlOf(1, "driver")));
  gate.resolve();
  expect(await stopped).toBeDefined(); // the beat that was under way came before
});

describe("the time for which a run was driven", () => {
  const plant = (storage: Storage, epoch: number, beat: unknown) =>
    storage.put(layout.controlOf(epoch, "driver"), typeof beat === "string" ? beat : JSON.stringify(beat));
  const now = () => new Date().toISOString();

  it("is that of all drivers of the generation, to this moment", async () => {
    const storage = memoryStorage();
    await plant(storage, 1, { beat: 3, at: "2020-01-01T00:00:00Z", generation: 0, driven: 100 });
    await plant(storage, 2, "cut sho");
    await plant(storage, 3, { beat: 1, at: now() }); // of an earlier version
    await plant(storage, 4, { beat: 9, at: now(), generation: 1, driven: 1_000 });
    await plant(storage, 5, { beat: 2, at: now(), generation: 0, driven: 20 });
    const seconds = await drivenSeconds(storage, layout, { epoch: 5, generation: 0 });
    expect(seconds).toBeGreaterThanOrEqual(120);
    expect(seconds).toBeLessThan(130);
    expect(await drivenSeconds(storage, layout, { epoch: 1, generation: 0 })).toBeUndefined(); // nobody tells it any more
    expect(await drivenSeconds(storage, layout, { epoch: 6, generation: 0 })).toBeUndefined();
  });

  it("leaves out pauses, and the time in which the process was stopped", async () => {
    vi.useFakeTimers({ toFake: ["performance", "Date", "setInterval", "clearInterval"] });
    try {
      const storage = memoryStorage();
      const of = (status: RunState["status"]) => storage.put(layout.state, stateText({ ...state(), status }));
      const beats = async (count: number) => {
        for (let i = 0; i < count; i++) {
          vi.advanceTimersByTime(5_000);
          for (let turn = 0; turn < 20; turn++) await Promise.resolve(); // the beat reads and writes
        }
      };
      await of("running");
      const heartbeat = new Heartbeat(storage, layout, { epoch: 1, generation: 0 });
      await beats(4);
      await of("paused");
      await beats(10);
      await of("running");
      await beats(2);
      vi.setSystemTime(Date.now() + HOUR_MS);
      await heartbeat.stop();
      const seconds = await drivenSeconds(storage, layout, { epoch: 1, generation: 0 });
      expect(seconds).toBeCloseTo(30, 6);
    } finally {
      vi.useRealTimers();
    }
  });
});
