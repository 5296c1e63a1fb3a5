import { spawn } from "node:child_process";
import { once } from "node:events";
import { hostname } from "node:os";
import { describe, expect, it } from "vitest";
import { isThisMachine, machineMark, startMark, thisMachine } from "./process-identity.ts";

describe("a machine", () => {
  it("is known by its boot and container where they are known, and else by its host's name", () => {
    const own = thisMachine();
    expect(isThisMachine(own, "renamed")).toBe(own !== null);
    if (own) expect(isThisMachine(`other ${own}`, hostname())).toBe(false);
    expect(isThisMachine(undefined, hostname())).toBe(true);
    expect(isThisMachine(undefined, "other")).toBe(false);
    expect(machineMark("boot a", "crunch")).not.toBe(machineMark("boot b", "crunch"));
    expect(machineMark(null, "crunch")).not.toBe(machineMark(null, "other"));
  });

  it("says when a process began, for as long as it runs", async () => {
    expect(startMark(process.pid)).toBe(startMark(process.pid));
    const child = spawn(process.execPath, ["-e", "setInterval(() => 0, 1000)"], { stdio: "ignore" });
    await once(child, "spawn");
    expect(startMark(child.pid!)).toMatch(/^\d+$/);
    child.kill("SIGKILL");
    await once(child, "exit");
    expect(startMark(child.pid!)).toBeUndefined();
  });
});
