import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { afterEach, describe, expect, it, vi } from "vitest";
import { OWNER_VARIABLE, type Platform, UNKNOWN } from "./platform.ts";
import { isThere, kill } from "./processes.ts";

/** What a platform can do beyond what each must. */
export interface Abilities {
  /** Says when a process began. */
  starts: boolean;
  /** Finds what a process has started. */
  families: boolean;
  /** Finds what has left its parent and its group, too. */
  strays: boolean;
  /** Measures processes. */
  memory: boolean;
}

const WAIT = { timeout: 30_000, interval: 20 };
/** Starts a child of its own, says both ids, and stays. `away`: that child leads a session of its own. */
const FAMILY = (away: boolean) => `
  const child = require("node:child_process").spawn(process.execPath, ["-e", "setInterval(() => 0, 1000)"],
    { stdio: "ignore", detached: ${away} });
  child.once("spawn", () => console.log(child.pid));
  setInterval(() => 0, 1000);`;

/** Holds for every platform; run for those that can be asked on this machine. */
export function platformSuite(name: string, platform: Platform, abilities: Abilities): void {
  const { starts, families, strays, memory } = abilities;
  const left = new Set<number>();
  afterEach(() => {
    for (const pid of left) kill(pid);
    left.clear();
  });

  /** A process that leads a group, as workers do, with a child in it. */
  async function family(
    away = false,
  ): Promise<{ leader: number; child: number; owner: string; process: ChildProcess }> {
    const owner = randomUUID();
    const env = { ...process.env, [OWNER_VARIABLE]: owner };
    const options = { env, detached: true, stdio: ["ignore", "pipe", "inherit"] as ["ignore", "pipe", "inherit"] };
    const started = spawn(process.execPath, ["-e", FAMILY(away)], options);
    const [line] = await once(started.stdout.setEncoding("utf8"), "data");
    const [leader, child] = [started.pid!, Number(line)];
    left.add(leader).add(child);
    return { leader, child, owner, process: started };
  }

  const gone = (pid: number) => vi.waitFor(() => expect(platform.startOf(pid)).toBeUndefined(), WAIT);

  describe(`platform ${name}`, () => {
    it("knows its boot, or says that it does not", () => {
      const boot = platform.bootId();
      expect(boot === null || boot.length > 8).toBe(true);
      expect(platform.bootId()).toBe(boot);
    });

    it("says the same start for as long as a process runs, and none afterwards", async () => {
      const { leader, process: started } = await family();
      const start = platform.startOf(leader);
      expect(platform.startOf(leader)).toBe(start);
      if (starts) expect(start).not.toBe(platform.startOf(process.ppid));
      expect(start === UNKNOWN).toBe(!starts);
      started.kill("SIGKILL");
      await once(started, "exit");
      expect(platform.startOf(leader)).toBeUndefined();
      expect(platform.startOf(2 ** 30)).toBeUndefined();
    });

    it.runIf(families)("takes a process for gone whose parent has not asked how it ended", async () => {
      const program = "sleep 0 & echo $!; exec sleep 60"; // the shell becomes a program that never asks
      const parent = spawn("/bin/sh", ["-c", program], { stdio: ["ignore", "pipe", "ignore"] });
      left.add(parent.pid!);
      const [text] = await once(parent.stdout.setEncoding("utf8"), "data");
      await gone(Number(text));
      expect(isThere(Number(text))).toBe(true);
    });

    it("kills a process, with all that it started as far as it can find it", async () => {
      const { leader, child, owner } = await family();
      if (families) expect(platform.startedBy(leader, owner)).toEqual([child]);
      else expect(platform.startedBy(leader, owner)).toEqual([]);
      platform.killTree(leader, owner);
      await gone(leader);
      if (families) await gone(child);
      expect(() => platform.killTree(leader, owner)).not.toThrow();
    });

    it.runIf(families)("kills what a process that is gone has left in its group", async () => {
      const { leader, child, owner, process: started } = await family();
      started.kill("SIGKILL");
      await once(started, "exit");
      expect(platform.startOf(child)).toBeDefined();
      platform.killLeftovers(leader, owner);
      await gone(child);
    });

    it.runIf(strays)("finds what has left its group, by the owner that it carries", async () => {
      const { leader, child, owner, process: started } = await family(true);
      expect(platform.startedBy(leader, owner)).toEqual([child]);
      started.kill("SIGKILL");
      await once(started, "exit");
      expect(platform.startedBy(leader, owner)).toEqual([child]);
      platform.killLeftovers(leader, randomUUID());
      expect(platform.startOf(child)).toBeDefined(); // somebody else's
      platform.killLeftovers(leader, owner);
      await gone(child);
    });

    it("ends a group by its leader's id", async () => {
      const { leader, child } = await family();
      process.kill(platform.killTarget(leader), "SIGKILL");
      await gone(leader);
      if (families) await gone(child);
    });

    it("measures a process with its descendants, or says that it cannot", async () => {
      const { leader, child } = await family();
      if (memory) await vi.waitFor(() => expect(platform.residentBytes([child])).toBeGreaterThan(5e6), WAIT); // once it has loaded
      const [all, one] = [platform.residentBytes([leader]), platform.residentBytes([child])];
      if (!memory) return expect([all, one]).toEqual([undefined, undefined]);
      expect(one).toBeGreaterThan(5e6);
      expect(all).toBeGreaterThan(one! + 5e6);
      const shared = platform.proportionalBytes([leader]);
      if (shared !== undefined) expect(shared).toBeLessThanOrEqual(platform.residentBytes([leader])! * 1.1);
    });

    it("counts what the system has killed for memory, or says that it does not", () => {
      const kills = platform.memoryKills();
      expect(kills === undefined || Number.isInteger(kills)).toBe(true);
    });
  });
}
