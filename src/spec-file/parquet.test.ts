import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type FileMetaData, parquetMetadata } from "hyparquet";
import { ByteWriter, parquetWriteBuffer } from "hyparquet-writer";
import { writeMetadata } from "hyparquet-writer/src/metadata.js";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { allocate, experimentOf, scratchFolder, specsOf } from "../allocate/allocation.testsuite.ts";
import { columnsOf } from "../schema/columns.ts";
import { memoryStorage } from "../storage/memory.ts";
import { withConnection } from "../table/duckdb.ts";
import { readSpecFile } from "./read.ts";

const scratch = scratchFolder();
let files = 0;

const COLUMNS = columnsOf(
  z.object({ n: z.number(), text: z.string().optional(), list: z.array(z.number()).optional() }),
  "input",
);

async function read(path: string): Promise<unknown[]> {
  const values: unknown[] = [];
  for await (const { value } of readSpecFile(path, COLUMNS)) values.push(value);
  return values;
}

async function parquet(select: string, options = ""): Promise<string> {
  const path = join(scratch.path, `${files++}.pq`);
  await withConnection({ memoryMb: 512 }, (c) => c.run(`COPY (${select}) TO '${path}' (FORMAT parquet ${options})`));
  return path;
}

/** The same file with another footer. */
async function forged(path: string, change: (metadata: FileMetaData) => void): Promise<string> {
  const bytes = await readFile(path);
  const metadata = parquetMetadata(
    bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) as ArrayBuffer,
  );
  change(metadata);
  const footer = new ByteWriter();
  writeMetadata(footer, metadata);
  const data = bytes.subarray(0, bytes.length - 8 - bytes.readUInt32LE(bytes.length - 8));
  const target = join(scratch.path, `${files++}.pq`);
  await writeFile(target, Buffer.concat([data, footer.getBytes(), Buffer.from("PAR1")])); // it writes its length itself
  return target;
}

const CLAIMS: [string, (metadata: FileMetaData) => void, RegExp][] = [
  [
    "more rows than it has",
    (m) => {
      m.num_rows = 12_000n;
      m.row_groups[0]!.num_rows = 12_000n;
    },
    /column n has 10000 values, and the file claims 12000 rows/,
  ],
  [
    "fewer rows than it has",
    (m) => {
      m.num_rows = 8_000n;
      m.row_groups[0]!.num_rows = 8_000n;
    },
    /has 10000 values, and the file claims 8000 rows/,
  ],
  [
    "more rows and values than it has",
    (m) => {
      m.num_rows = 12_000n;
      m.row_groups[0]!.num_rows = 12_000n;
      for (const { meta_data } of m.row_groups[0]!.columns) meta_data!.num_values = 12_000n;
    },
    /column n has 10000 values and claims 12000/,
  ],
  [
    "more values in one column",
    (m) => {
      m.row_groups[0]!.columns[1]!.meta_data!.num_values = 10_001n;
    },
    /column text has 10000 values and claims 10001/,
  ],
  [
    "other rows than its row groups",
    (m) => {
      m.num_rows = 10_001n;
    },
    /it claims 10001 rows, and its row groups 10000/,
  ],
  [
    "more rows than memory holds",
    (m) => {
      m.num_rows = 2n ** 50n;
      m.row_groups[0]!.num_rows = 2n ** 50n;
    },
    /claims 1125899906842624 values; the limit is/,
  ],
  [
    "more bytes than the file has",
    (m) => {
      m.row_groups[0]!.columns[0]!.meta_data!.total_compressed_size = 2n ** 45n;
    },
    /column n is outside of the file/,
  ],
  [
    "a column in another file",
    (m) => {
      m.row_groups[0]!.columns[1]!.file_path = "other.pq";
    },
    /column text is outside of the file/,
  ],
  [
    "a column that lies elsewhere",
    (m) => {
      m.row_groups[0]!.columns.length = 1;
    },
    /row group 1 has 1 of 2 columns/,
  ],
];

describe("a file that claims", () => {
  it.each(CLAIMS)("%s is refused", async (_what, change, problem) => {
    const sound = await parquet("SELECT i::DOUBLE AS n, 'x' || i AS text FROM range(10000) t(i)");
    expect(await read(await forged(sound, () => undefined))).toHaveLength(10_000);
    await expect(read(await forged(sound, change))).rejects.toMatchObject({
      code: "invalid_input",
      message: expect.stringMatching(problem),
    });
  });
});

describe("a file", () => {
  it.each(["uncompressed", "snappy", "gzip", "zstd", "brotli", "lz4_raw"])(
    "compressed by %s is read",
    async (codec) => {
      const sql = "SELECT i::DOUBLE AS n, 'é' || i AS text, [i, i + 0.5] AS list FROM range(9000) t(i)";
      const values = await read(await parquet(sql, `, COMPRESSION ${codec}, ROW_GROUP_SIZE 4096`));
      expect(values).toHaveLength(9_000);
      expect(values.at(-1)).toEqual({ n: 8_999, text: "é8999", list: [8_999, 8_999.5] });
    },
  );

  it("of large rows is read in parts of its row group, each row once", async () => {
    const sql = "SELECT i::DOUBLE AS n, repeat(chr(97 + (i % 26)::INTEGER), 20000) AS text FROM range(4000) t(i)";
    let row = 0;
    for await (const { at, value } of readSpecFile(await parquet(sql), COLUMNS)) {
      expect(at).toBe(`row ${row + 1}`);
      const { n, text } = value as { n: number; text: string };
      expect([n, text.length, text[0]]).toEqual([row, 20_000, String.fromCharCode(97 + (row % 26))]);
      row++;
    }
    expect(row).toBe(4_000);
  });

  it.each(["uncompressed", "zstd"])("of decimals (%s) gives the numbers that are written there", async (codec) => {
    const digits = "unnest([0.3, -0.7, 4, NULL, 1234567.1])";
    const nested =
      "[0.3]::DECIMAL(10, 1)[] AS list, {a: 0.3::DECIMAL(38, 1), b: [[0.7]]::DECIMAL(10, 1)[][]} AS object";
    for (const type of ["DECIMAL(8, 1)", "DECIMAL(18, 1)", "DECIMAL(38, 1)"]) {
      const path = await parquet(`SELECT ${digits}::${type} AS n, ${nested}`, `, COMPRESSION ${codec}`);
      const object = { a: 0.3, b: [[0.7]] };
      expect(await read(path), type).toEqual([0.3, -0.7, 4, null, 1234567.1].map((n) => ({ n, list: [0.3], object })));
    }
  });

  it("of decimals with more digits than a number has is exact where it is whole, else the nearest number", async () => {
    const whole = "SELECT unnest([9007199254740993, -9007199254740993, 12])::DECIMAL(38, 0) AS n";
    expect(await read(await parquet(whole))).toEqual([{ n: 9007199254740993n }, { n: -9007199254740993n }, { n: 12 }]);
    const broken = "SELECT 1234567890123456789012345.678::DECIMAL(38, 3) AS n";
    expect(await read(await parquet(broken))).toEqual([{ n: Number("1234567890123456789012345.678") }]);
  });

  it("of decimals as bytes of any length is read as every other", async () => {
    const path = join(scratch.path, `${files++}.pq`);
    const data = [Uint8Array.of(3), Uint8Array.of(0xff, 0x38)];
    const columnData = [{ name: "n", data, type: "BYTE_ARRAY" as const, nullable: false }];
    const plain = parquetWriteBuffer({ columnData, statistics: false });
    await writeFile(path, Buffer.from(plain));
    const decimals = await forged(path, ({ schema }) => {
      Object.assign(schema[1]!, { converted_type: "DECIMAL", scale: 1, precision: 10 });
    });
    expect(await read(decimals)).toEqual([{ n: 0.3 }, { n: -20 }]);
  });

  it.each(["BIGINT", "UBIGINT", "DECIMAL(38, 0)"])(
    "of %s beyond 2^53 is exact, or refused by row and field",
    async (type) => {
      const path = await parquet(
        `SELECT unnest([7, 9007199254740993])::${type} AS n, unnest([7, 9007199254740993])::${type} AS loose`,
      );
      const storage = memoryStorage();
      for (const number of [z.number(), z.int(), z.coerce.number()]) {
        const refused = allocate(storage, path, {}, experimentOf(z.object({ n: number, loose: z.bigint() })));
        const invalid = [{ at: "row 2", field: "n", value: "9007199254740993n" }];
        await expect(refused).rejects.toMatchObject({ code: "invalid_specs", details: { count: 1, invalid } });
      }
      const experiment = experimentOf(z.object({ n: z.bigint(), loose: z.coerce.bigint() }));
      const run = await allocate(storage, path, {}, experiment);
      expect(await specsOf(storage, run, experiment, scratch.path)).toMatchObject([
        { n: 7n, loose: 7n },
        { n: 9007199254740993n, loose: 9007199254740993n },
      ]);
    },
  );

  it("with bytes in it that are not text is refused", async () => {
    const path = join(scratch.path, `${files++}.pq`);
    const data = [Uint8Array.from([0x5a, 0xfc]), Uint8Array.from([0x61])];
    await writeFile(
      path,
      Buffer.from(parquetWriteBuffer({ columnData: [{ name: "text", data, type: "BYTE_ARRAY" }] })),
    );
    await expect(read(path)).rejects.toMatchObject({
      code: "invalid_input",
      message: expect.stringMatching(/bytes that are not UTF-8/),
    });
  });

  it("that was damaged anywhere is read as it was, or refused, and never ends the process", async () => {
    const sound = await readFile(await parquet("SELECT i::DOUBLE AS n, 'x' || i AS text FROM range(50) t(i)"));
    for (let at = 0; at < sound.length; at += 7) {
      const bytes = Buffer.from(sound);
      bytes[at]! ^= 0x55;
      const path = join(scratch.path, "damaged.pq");
      await writeFile(path, bytes);
      const result = await read(path).catch((error) => error);
      if (!Array.isArray(result)) expect(result).toMatchObject({ name: "ScytheError", code: "invalid_input" });
      else expect(result).toHaveLength(50);
    }
  });
});
