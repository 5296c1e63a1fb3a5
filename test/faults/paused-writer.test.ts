import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { localStorage } from "scythe-ts";
import { afterAll, expect, it } from "vitest";
import { until } from "../steered.ts";
import { Paused } from "./paused.ts";

const folder = mkdtempSync(join(tmpdir(), "scythe-paused-writer-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const LOCAL = fileURLToPath(new URL("../../dist/storage/local/local.js", import.meta.url));

/** A process that replaces the object if it has the etag, and prints what came of it; stopped when all that is left is the rename. */
function writer(data: string, name: string, etag: string): Paused {
  const program = `
    import { localStorage } from ${JSON.stringify(LOCAL)};
    const put = await localStorage(${JSON.stringify(data)}).put("run/state.yml", ${JSON.stringify(name)}, { ifMatch: ${JSON.stringify(etag)} });
    console.log(JSON.stringify(put.written));`;
  return new Paused({ folder, name }, { kind: "rename state", at: 1 }, ["--input-type=module", "-e", program]);
}

it("of a writer that was stopped between its check and its rename, and one that broke its lock, one has written", async () => {
  const data = join(folder, "data");
  const storage = localStorage(data);
  const before = await storage.put("run/state.yml", "before");
  const { etag } = before as { etag: string };
  const first = writer(data, "first", etag);
  await first.reached();
  const second = writer(data, "second", etag);
  await second.reached(); // it has the lock now, and is stopped in its turn
  const tries = first.steps("rename lock");
  first.wake();
  await until(() => first.steps("rename lock") > tries, "another try of the first writer");
  expect(new TextDecoder().decode((await storage.get("run/state.yml")).body)).toBe("before");
  second.wake();
  expect(await second.ended).toMatchObject({ code: 0, stdout: "true\n" });
  expect(await first.ended).toMatchObject({ code: 0, stdout: "false\n" });
  expect(new TextDecoder().decode((await storage.get("run/state.yml")).body)).toBe("second");
});
