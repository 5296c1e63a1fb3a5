import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { platform } from "../platform/current.ts";
import { UNKNOWN } from "../platform/platform.ts";
import { ownerText, presenceOf, thisProcess } from "./owner.ts";

const own = thisProcess();

describe("presenceOf", () => {
  it("finds this process here, whatever the machine is called", () => {
    expect(presenceOf(own)).toBe("here");
    if (own.machine) expect(presenceOf({ ...own, host: "renamed" })).toBe("here");
  });

  it("tells a reused pid from its owner", () => {
    expect(presenceOf({ ...own, started: `${own.started}0` })).toBe("gone");
  });

  it("finds a process that has ended gone, before it was asked how, too", async () => {
    const child = spawn(process.execPath, ["-e", "setInterval(() => 0, 1000)"], { stdio: "ignore" });
    await once(child, "spawn");
    const owner = { ...own, pid: child.pid!, started: null };
    expect(presenceOf(owner)).toBe("here");
    child.kill("SIGKILL");
    await once(child, "exit");
    expect(presenceOf(owner)).toBe("gone");
  });

  it.skipIf(!existsSync("/proc/self/stat"))("takes a zombie for gone", async () => {
    // a shell that ends while a child of its own, which it never waited for, is a zombie
    const parent = spawn("/bin/sh", ["-c", "sleep 0 & echo $!; exec sleep 60"], {
      stdio: ["ignore", "pipe", "ignore"],
    });
    const [text] = await once(parent.stdout!.setEncoding("utf8"), "data");
    const pid = Number(String(text).trim());
    while (presenceOf({ ...own, pid, started: null }) !== "gone")
      await new Promise((resolve) => setTimeout(resolve, 10));
    expect(existsSync(`/proc/${pid}/stat`)).toBe(true);
    parent.kill("SIGKILL");
    await once(parent, "exit");
  });

  it("cannot tell of another machine, another boot of one of its name, or another container", () => {
    expect(presenceOf({ ...own, host: "other", machine: "another boot" })).toBe("elsewhere");
    expect(presenceOf({ host: "other", pid: own.pid })).toBe("elsewhere");
    if (own.machine) expect(presenceOf({ ...own, machine: "another boot" })).toBe("elsewhere");
  });

  it("leaves it to the heartbeat whose an id is where the system does not say since when", () => {
    const silent = { ...platform, startOf: (pid: number) => platform.startOf(pid) && UNKNOWN };
    const other = { ...own, pid: process.ppid, started: UNKNOWN };
    expect(presenceOf(other, silent)).toBe("elsewhere");
    expect(presenceOf({ ...own, started: UNKNOWN }, silent)).toBe("here");
    expect(presenceOf({ ...other, pid: 2 ** 30 }, silent)).toBe("gone");
  });

  it("reads the owner of an older state.yml by its host", () => {
    expect(presenceOf({ host: own.host, pid: own.pid })).toBe("here");
  });
});

it("is told of by pid, host and time", () => {
  expect(ownerText({ host: "crunch", pid: 7, since: "2026-01-31T12:00:00.000Z" })).toBe(
    "process 7 on crunch, since 2026-01-31T12:00:00.000Z",
  );
});
