import { beforeEach, describe, expect, it } from "vitest";
import { inlineEngine } from "../engine/in-process/inline.ts";
import { ControlWatch } from "../run/control-watch.ts";
import { RunLayout } from "../run/layout.ts";
import { type Owner, thisProcess } from "../run/owner.ts";
import { newState, readState, stateText } from "../run/state.ts";
import { memoryStorage } from "../storage/memory.ts";
import type { Storage } from "../storage/storage.ts";
import { claimDrive } from "./claim-drive.ts";
import { Drives } from "./drives.ts";
import type { RunHome } from "./home.ts";

const layout = new RunLayout({ name: "study", version: "v1.0.0", timestamp: "2026-01-02_03-04-05" });
const own = thisProcess();
const elsewhere: Owner = { ...own, host: "other", machine: "another boot" };

describe("claimDrive", () => {
  let storage: Storage;
  let home: RunHome;
  beforeEach(() => {
    storage = memoryStorage();
    const controls = new ControlWatch(storage);
    home = { engine: inlineEngine({}), engineNamed: () => undefined, controls, drives: new Drives() };
  });
  const drivenBy = (owner: Owner, status: "running" | "paused" = "running") =>
    storage.put(layout.state, stateText({ ...newState(), status, epoch: 3, engine: "local", owner }));

  it.each(["running", "paused"] as const)(
    "leaves a run that is %s to a driver that lives, and names it",
    async (status) => {
      await drivenBy(own, status);
      await expect(claimDrive(storage, layout, home)).rejects.toMatchObject({
        code: "conflict",
        message: expect.stringContaining(`is already driven by process ${own.pid} on ${own.host}, since ${own.since}`),
        hint: expect.stringContaining("--take-over"),
      });
      expect((await readState(storage, layout))?.epoch).toBe(3);
    },
  );

  it("takes it when told to, and from one whose pid is another process's by now", async () => {
    await drivenBy(own);
    expect(await claimDrive(storage, layout, home, { takeOver: true })).toMatchObject({ epoch: 4, engine: "inline" });
    await drivenBy({ ...own, started: "before" });
    expect(await claimDrive(storage, layout, home)).toMatchObject({ epoch: 4, owner: { pid: own.pid } });
  });

  it("listens for a driver on another machine, and leaves the run to it once it is heard", async () => {
    await drivenBy(elsewhere);
    const waits: string[] = [];
    const claim = claimDrive(storage, layout, home, { onWait: (driver) => waits.push(driver) });
    claim.catch(() => undefined);
    while (waits.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    await storage.put(layout.controlOf(3, "driver"), "beat");
    await expect(claim).rejects.toMatchObject({ code: "conflict", message: expect.stringContaining("on other") });
    expect(waits).toHaveLength(1);
  });

  it("takes the run of one on another machine that is silent", async () => {
    await drivenBy(elsewhere);
    expect(await claimDrive(storage, layout, home, { silenceMs: 300 })).toMatchObject({ epoch: 4 });
  });

  it("is won by one of many", async () => {
    await drivenBy({ ...own, started: "before" });
    const claims = await Promise.allSettled(Array.from({ length: 5 }, () => claimDrive(storage, layout, home)));
    expect(claims.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    expect((await readState(storage, layout))?.epoch).toBe(4);
  });

  it("finds a run complete whose driver died before it could say so", async () => {
    await drivenBy({ ...own, started: "before" });
    await storage.put(layout.report, "experiment_id: study\ngeneration: 0\n");
    await expect(claimDrive(storage, layout, home)).rejects.toMatchObject({
      code: "conflict",
      message: expect.stringContaining("already complete"),
    });
    expect((await readState(storage, layout))?.status).toBe("complete");
  });
});
