import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parquetMetadata } from "hyparquet";
import { ByteWriter, parquetWriteBuffer } from "hyparquet-writer";
import { writeMetadata } from "hyparquet-writer/src/metadata.js";
import { expect, it } from "vitest";
import { scratchFolder } from "../allocate/allocation.testsuite.ts";
import { ParquetReader } from "./read-parquet.ts";

const scratch = scratchFolder();

it("a table with fewer rows than its footer claims is refused, not filled up with nothing", async () => {
  const path = join(scratch.path, "short.pq");
  const bytes = parquetWriteBuffer({ columnData: [{ name: "n", data: new Float64Array(100), type: "DOUBLE" }] });
  const metadata = parquetMetadata(bytes);
  metadata.num_rows = 120n;
  metadata.row_groups[0]!.num_rows = 120n;
  const footer = new ByteWriter();
  writeMetadata(footer, metadata);
  const data = Buffer.from(bytes).subarray(0, bytes.byteLength - 8 - metadata.metadata_length);
  await writeFile(path, Buffer.concat([data, footer.getBytes(), Buffer.from("PAR1")]));
  expect((await readFile(path)).subarray(-4).toString()).toBe("PAR1");
  const reader = await ParquetReader.open(path);
  try {
    await expect(reader.read(["n"], 0, 120)).rejects.toThrow("column n has 100 of the 120 rows");
    expect((await reader.read(["n"], 0, 100)).get("n")).toHaveLength(100);
  } finally {
    reader.close();
  }
});
