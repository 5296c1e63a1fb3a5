import { Readable } from "node:stream";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { growth, LINEAR } from "../../test/growth.ts";
import { columnsOf } from "../schema/columns.ts";
import { givenReader } from "../schema/spec-validator.ts";
import { SpecStream } from "./read.ts";
import type { TextFormat } from "./source.ts";

const schema = z.object({
  n: z.number(),
  coerced: z.coerce.number(),
  big: z.bigint(),
  day: z.date(),
  flag: z.coerce.boolean(),
  text: z.string(),
  list: z.array(z.number()),
});
const COLUMNS = columnsOf(schema, "input");
const given = givenReader(schema.partial());

async function read(format: TextFormat, source: Iterable<string> | AsyncIterable<string | Buffer>): Promise<number> {
  let records = 0;
  const bytes = Readable.from(source, { objectMode: false });
  for await (const { value } of new SpecStream(bytes, "specs", format).read(COLUMNS)) {
    given(value, []);
    records++;
  }
  return records;
}

const many = (size: number, item: (i: number) => string) => Array.from({ length: size }, (_, i) => item(i)).join();
const cells = (field: string, cell: string) => `${field}\n${`${cell}\n`.repeat(4)}`;
const line = (value: string) => `${value}\n`.repeat(4);

const GROWING: [string, TextFormat, (size: number) => string][] = [
  ["digits for a number", "csv", (size) => cells("n", `${"1".repeat(size)}x`)],
  ["digits for a coerced number", "csv", (size) => cells("coerced", `${"1".repeat(size)}.x`)],
  ["digits for a 64-bit integer", "csv", (size) => cells("big", "1".repeat(size))],
  ["digits for a date", "csv", (size) => cells("day", `2024-01-31T12:00:00.${"1".repeat(size)}`)],
  ["blanks for a boolean", "csv", (size) => cells("flag", `${" ".repeat(size)}x`)],
  ["digits in a column that the schema does not name", "csv", (size) => cells("other", `${"1".repeat(size)}x`)],
  ["text in quotes", "csv", (size) => cells("text", `"${'a"",\n'.repeat(size / 5)}"`)],
  ["a list", "csv", (size) => cells("list", `"[${"1,".repeat(size / 2)}1]"`)],
  ["columns", "csv", (size) => `${many(size / 20, (i) => `c${i}`)}\n${many(size / 20, String)}\n`],
  ["keys", "jsonl", (size) => line(`{${many(size / 50, (i) => `"column number ${i} of this object":${i}`)}}`)],
  ["colons in text", "jsonl", (size) => line(`{"text": "${"\\\\:".repeat(size / 3)}"}`)],
  ["text without an end", "jsonl", (size) => `{"text": "${"a".repeat(size)}`],
  ["brackets", "json", (size) => `[${"[".repeat(size)}`],
  ["brackets in a line", "jsonl", (size) => line("[".repeat(size / 2) + "]".repeat(size / 2))],
  ["elements", "json", (size) => `[${many(size / 10, (i) => `{"n":${i}}`)}]`],
  ["digits in JSON", "jsonl", (size) => line(`{"big": "${"1".repeat(size)}"}`)],
];

describe("the time to read grows as", () => {
  it.each(GROWING)("%s in %s do", { timeout: 300_000 }, async (_what, format, textOf) => {
    const refused = () => 0; // which takes its time, too
    expect(await growth(textOf, (text) => read(format, [text]).catch(refused), 25_000, 3)).toBeLessThanOrEqual(LINEAR);
  });
});

describe("a spec without an end is refused by its size", () => {
  const MB = 2 ** 20;
  it.each<[TextFormat, string]>([
    ["csv", "text\n"],
    ["csv", 'text\n"'],
    ["csv", ""],
    ["jsonl", ""],
    ["jsonl", '{"text": "'],
    ["json", '[{"text": "'],
    ["json", '{"text": "'],
  ])("in %s after %j", async (format, start) => {
    let sent = 0;
    async function* endless() {
      yield Buffer.from(start);
      for (const piece = Buffer.alloc(MB, "a"); ; sent += MB) yield piece;
    }
    await expect(read(format, endless())).rejects.toMatchObject({
      code: "invalid_input",
      message: expect.stringContaining("larger than 64 MB"),
    });
    expect(sent).toBeLessThan(80 * MB);
  });
});
