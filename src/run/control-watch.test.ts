import { beforeEach, describe, expect, it } from "vitest";
import { memoryStorage } from "../storage/memory.ts";
import type { Storage } from "../storage/storage.ts";
import { NO_CONTROLS, request, withdraw } from "./control.ts";
import { ControlWatch, type Steering } from "./control-watch.ts";
import { RunLayout } from "./layout.ts";

const layout = new RunLayout({ name: "study", version: "v1.0.0", timestamp: "2026-01-02_03-04-05" });
const POLL_MS = 5;
const never = new AbortController().signal;

describe("ControlWatch", () => {
  let storage: Storage;
  let looks: number;
  let watch: ControlWatch;
  beforeEach(() => {
    const memory = memoryStorage();
    looks = 0;
    storage = {
      ...memory,
      list: (prefix) => {
        looks++;
        return memory.list(prefix);
      },
    };
    watch = new ControlWatch(storage, POLL_MS);
  });
  const aborted = (signal: AbortSignal) =>
    new Promise<void>((resolve) => (signal.aborted ? resolve() : signal.addEventListener("abort", () => resolve())));
  const during = <T>(work: (steering: Steering) => Promise<T>, epoch = 1) => watch.use(layout, epoch, work);

  it("knows before the work begins what was asked before", async () => {
    await request(storage, layout, 1, "cancel");
    await during(async ({ stop, kill }) => expect([stop.aborted, kill.aborted]).toEqual([true, false]));
  });

  it("hears of a cancel while the work goes on, and of its becoming urgent", () =>
    during(async ({ stop, kill }) => {
      expect(stop.aborted).toBe(false);
      await request(storage, layout, 1, "cancel");
      await aborted(stop);
      expect(kill.aborted).toBe(false);
      await request(storage, layout, 1, "cancel-now");
      await aborted(kill);
    }));

  it("holds what is paused until it goes on, is cancelled, or ends", () =>
    during(async (steering) => {
      await steering.unpaused(never);
      await request(storage, layout, 1, "pause");
      await aborted(steering.stop);
      let goesOn = false;
      const waiting = steering.unpaused(never).then(() => {
        goesOn = true;
      });
      const end = new AbortController();
      const ended = steering.unpaused(end.signal);
      end.abort();
      await ended;
      expect(goesOn).toBe(false);
      await withdraw(storage, layout, 1, "pause");
      await waiting;
      expect(steering.stop.aborted).toBe(false); // a fresh signal for what is begun from now on
    }));

  it("keeps what is meant for one driver from the next", async () => {
    for (const what of ["cancel", "cancel-now", "pause"] as const) await request(storage, layout, 1, what);
    await during(async ({ controls }) => {
      expect(controls).toEqual(NO_CONTROLS);
    }, 2);
  });

  it("kills the work of a driver whose run another drives", () =>
    during(async ({ kill, stop }) => {
      await storage.put(layout.controlOf(2, "driver"), "beat");
      await aborted(kill);
      expect(stop.aborted).toBe(true);
    }));

  it("hears of what its own process asks at once, though storage is away", async () => {
    storage.list = () => {
      throw new Error("away");
    };
    watch = new ControlWatch(storage, POLL_MS);
    await during(async ({ stop }) => {
      expect(stop.aborted).toBe(false);
      watch.set(layout, 1, { cancel: "drain" });
      expect(stop.aborted).toBe(true);
    });
  });

  it("looks once for much work, and no more when there is none", async () => {
    watch = new ControlWatch(storage, 60_000);
    await Promise.all(Array.from({ length: 100 }, () => during(async () => undefined)));
    expect(looks).toBe(1);
    watch = new ControlWatch(storage, POLL_MS);
    await during(async () => undefined);
    const after = looks;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS * 10));
    expect(looks).toBe(after);
  });
});
