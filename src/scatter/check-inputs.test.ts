import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { RunLayout } from "../run/layout.ts";
import { localStorage } from "../storage/local/local.ts";
import { BatchBuilder } from "../table/batch.ts";
import { parquetBytes } from "../table/write-parquet.ts";
import { checkInputs } from "./check-inputs.ts";
import { RunFindings, type RunInfo } from "./run-task.ts";

const root = mkdtempSync(join(tmpdir(), "scythe-inputs-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const layout = new RunLayout({ name: "study", version: "v1.0.0", timestamp: "2026-01-02_03-04-05" });
const storage = localStorage(root);
const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");
const FILE = `${layout.artifacts}weather/a.epw`;

/** A retried run as it is allocated, with an input file. */
async function allocated(): Promise<RunInfo> {
  const uri = storage.uriOf(FILE);
  const record = JSON.stringify({ files: { weather: [uri] }, sha256: { [uri]: sha256("sun") } });
  const subset = layout.retriedSpecs(1, "attempt");
  await storage.put(layout.specs, "all specs");
  await storage.put(layout.inputArtifacts, record);
  await storage.put(FILE, "sun");
  await storage.put(subset, parquetBytes(new BatchBuilder([]).take()));
  const details = { specs_sha256: sha256("all specs"), input_artifacts_sha256: sha256(record) };
  return { layout, details, specs: subset, findings: new RunFindings() } as unknown as RunInfo;
}

describe("the inputs of a run on a disk", () => {
  it("are as they were recorded", async () => {
    await checkInputs(storage, await allocated());
  });

  it.each([
    ["its specs", () => layout.specs, "is damaged"],
    ["the specs of a retry", () => layout.retriedSpecs(1, "attempt"), "is damaged"],
    ["the record of its input files", () => layout.inputArtifacts, "is damaged"],
    ["an input file", () => FILE, "is damaged"],
    ["an input file that is gone", () => FILE, "is missing"],
  ])("are refused where these were changed: %s", async (_, keyOf, what) => {
    const run = await allocated();
    const key = keyOf();
    const { body } = await storage.get(key);
    if (what === "is missing") await storage.delete([key]);
    else writeFileSync(storage.localPath!(key), Buffer.concat([body, Buffer.from("\n")]));
    await expect(checkInputs(storage, run)).rejects.toMatchObject({
      code: "storage",
      message: expect.stringContaining(`${storage.uriOf(key)} ${what}`),
      details: { key },
    });
    await storage.put(key, body);
    await checkInputs(storage, run); // a refusal is not remembered
    if (what !== "is missing") writeFileSync(storage.localPath!(key), "");
    await checkInputs(storage, run); // once per process is enough
  });
});
