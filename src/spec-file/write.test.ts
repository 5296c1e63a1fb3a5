import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";
import type { SpecBatch } from "../sampling/design/design.ts";
import { columnsOf } from "../schema/columns.ts";
import { readSpecFile } from "./read.ts";
import { writeSpecFile } from "./write.ts";

const columns = columnsOf(z.object({ x: z.number(), n: z.int().optional(), text: z.string().optional() }), "input");
const X = [-0, 5e-324, 0.1 + 0.2, -Number.MAX_VALUE];
const N = [Number.MAX_SAFE_INTEGER, null, Number.MIN_SAFE_INTEGER, 0];
const TEXT = ['a,"b"\r\nc', " edges ", "007", "ü🙂"];
const batch: SpecBatch = {
  ...{ first: 0, rows: 4 },
  columns: [
    { name: "x", values: Float64Array.from(X) },
    { name: "n", values: N },
    { name: "text", values: TEXT },
  ],
};

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "scythe-write-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe.each(["parquet", "csv", "jsonl"])("specs written as %s", (format) => {
  it("are read as they were, to the last bit", async () => {
    const path = join(folder, `specs.${format}`);
    expect(await writeSpecFile(path, columns, [batch, { ...batch, first: 4 }])).toBe(8);
    const read: Record<string, unknown>[] = [];
    for await (const { value } of readSpecFile(path, columns)) read.push(value as Record<string, unknown>);
    expect(read).toHaveLength(8);
    for (const [i, { x, n = null, text }] of read.entries()) {
      expect(Object.is(Number(x), X[i % 4])).toBe(true);
      expect(n === null || typeof n === "symbol" ? null : Number(n)).toBe(N[i % 4]); // an empty cell is a symbol
      expect(text).toBe(TEXT[i % 4]);
    }
  });

  it("leave nothing behind when they end in an error, and replace none", async () => {
    const path = join(folder, `specs.${format}`);
    const broken = function* () {
      yield batch;
      throw new Error("no more");
    };
    await expect(writeSpecFile(path, columns, broken())).rejects.toThrow("no more");
    expect(readdirSync(folder)).toEqual([]);
    await writeSpecFile(path, columns, [batch]);
    const before = readFileSync(path);
    await expect(writeSpecFile(path, columns, [batch])).rejects.toMatchObject({ code: "conflict" });
    await expect(writeSpecFile(path, columns, broken(), { overwrite: true })).rejects.toThrow("no more");
    expect(readFileSync(path)).toEqual(before);
    expect(readdirSync(folder)).toHaveLength(1);
  });
});
