import { execFile, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { localStorage } from "scythe-ts";
import { afterAll, describe, expect, it } from "vitest";
import { presenceOf, thisProcess } from "../src/run/owner.ts";
import { isAbandoned, ownedName } from "../src/temporary.ts";

const root = mkdtempSync(join(tmpdir(), "scythe-identity-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const DIST = fileURLToPath(new URL("../dist", import.meta.url));

/** Runs a command where another boot's id is read, as on another host of the same name: a mount namespace of its own. */
function elsewhere(command: string): [string, string[]] {
  const boot = join(root, "boot_id");
  writeFileSync(boot, "11111111-2222-3333-4444-555555555555\n");
  const script = `mount --bind "$0" /proc/sys/kernel/random/boot_id && exec ${command}`;
  return ["unshare", ["--mount", "sh", "-c", script, boot]];
}

const [probe, probed] = elsewhere("true");
const mayUnshare = await promisify(execFile)(probe, probed).then(
  () => true,
  () => false,
);
if (!mayUnshare) console.warn("SKIPPED: two hosts of one name (unshare --mount is not permitted here)");

describe.runIf(mayUnshare)("of two hosts of one name", () => {
  it("neither judges the other's names and drivers, nor breaks the lock of its living process", async () => {
    const data = join(root, "data");
    const storage = localStorage(data);
    const { etag } = (await storage.put("run/state.yml", "before")) as { etag: string };
    // the other host's process takes the lock, says who it is, and stops just before its rename
    const program = join(root, "holder.mjs");
    writeFileSync(
      program,
      `import { swapLocked } from ${JSON.stringify(join(DIST, "storage/local/lock.js"))};
       import { ownedName } from ${JSON.stringify(join(DIST, "temporary.js"))};
       import { thisProcess } from ${JSON.stringify(join(DIST, "run/owner.js"))};
       import { writeFileSync } from "node:fs";
       const [lock, temp, target] = process.argv.slice(2);
       const name = temp + "/" + ownedName();
       writeFileSync(name, "theirs");
       const { outcome } = await swapLocked(lock, name, target, async () => {
         console.log(JSON.stringify({ name, owner: thisProcess() }));
         await new Promise((resolve) => process.stdin.once("data", resolve));
         process.stdin.destroy();
         return "etag";
       });
       console.log(outcome);`,
    );
    const target = storage.localPath!("run/state.yml");
    const lock = createHash("sha256").update(target).digest("hex").slice(0, 32);
    const temp = join(data, ".scythe-tmp");
    const paths = [process.execPath, program, join(temp, "locks", lock), temp, target].map((path) => `'${path}'`);
    const [command, args] = elsewhere(paths.join(" "));
    const child = spawn(command, args, { stdio: ["pipe", "pipe", "inherit"] });
    const lines = child.stdout.setEncoding("utf8");
    const [first] = await once(lines, "data");
    const { name, owner } = JSON.parse(first);

    expect(owner.host).toBe(thisProcess().host);
    expect(isAbandoned(name)).toBeUndefined();
    expect(isAbandoned(ownedName())).toBe(false);
    expect(presenceOf(owner)).toBe("elsewhere");
    const writing = storage.put("run/state.yml", "ours", { ifMatch: etag });
    const early = await Promise.race([writing, new Promise((resolve) => setTimeout(resolve, 1_500, "waiting"))]);
    expect(early).toBe("waiting");
    child.stdin.end("go on\n");
    expect(await writing).toEqual({ written: false });
    expect(new TextDecoder().decode((await storage.get("run/state.yml")).body)).toBe("theirs");
  });
});
