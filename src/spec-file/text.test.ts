import { Readable } from "node:stream";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { utf8Pieces } from "./text.ts";

async function* cut(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

/** What is read of bytes that come in pieces of some size. */
async function textOf(bytes: Buffer, size = 7): Promise<string> {
  let text = "";
  for await (const piece of utf8Pieces(cut(bytes, size), "specs.csv")) text += piece.toString("utf8");
  return text;
}

describe("text that is UTF-8", () => {
  it("is read as it is, however it is cut into pieces", async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: "grapheme" }), fc.integer({ min: 1, max: 9 }), async (text, size) => {
        expect(await textOf(Buffer.from(`a${text}`), size)).toBe(`a${text}`);
      }),
    );
  });

  it.each([1, 2, 3, 100])("loses its byte order mark, in pieces of %d bytes", async (size) => {
    expect(await textOf(Buffer.from("\uFEFFé,b\n"), size)).toBe("é,b\n");
    expect(await textOf(Buffer.from(""), size)).toBe("");
    expect(await textOf(Buffer.from("x"), size)).toBe("x");
  });

  it("is unpacked when it is compressed, and UTF-16 converted when it says that it is", async () => {
    expect(await textOf(gzipSync(Buffer.from("é,b\n".repeat(1_000))))).toBe("é,b\n".repeat(1_000));
    expect(await textOf(Buffer.from("\uFEFFé😀\n", "utf16le"), 3)).toBe("é😀\n");
    expect(await textOf(Buffer.from("\uFEFFé😀\n", "utf16le").swap16(), 3)).toBe("é😀\n");
  });
});

describe("text that is not UTF-8 is refused", () => {
  it.each([1, 2, 3, 5, 1_000])("with its byte and line, in pieces of %d bytes", async (size) => {
    const latin = (text: string) => Buffer.from(text, "latin1");
    const problem = (bytes: Buffer) => textOf(bytes, size).then(String, (e) => `${e.message} ${e.hint}`);
    expect(await problem(latin("a,b\nx,y\nZürich,1\n"))).toContain("specs.csv: byte 9 (0xFC, line 3) is not UTF-8");
    expect(await problem(latin("ü"))).toContain("byte 0 (0xFC, line 1)");
    expect(await problem(Buffer.concat([Buffer.from("é\n"), Buffer.from([0xe2, 0x82])]))).toContain(
      "byte 3 (0xE2, line 2)",
    );
    expect(await problem(Buffer.from([0x61, 0xed, 0xa0, 0x80]))).toContain("byte 1 (0xED"); // half of a pair
    expect(await problem(latin("a\nü"))).toContain("iconv -f WINDOWS-1252 -t UTF-8");
  });

  it("also when it begins as UTF-16 or gzip and goes on otherwise", async () => {
    await expect(textOf(Buffer.concat([Buffer.from("\uFEFFa", "utf16le"), Buffer.from([0])]))).rejects.toThrow(
      "UTF-16",
    );
    const packed = gzipSync(Buffer.from("a,b\n".repeat(5_000)));
    await expect(textOf(packed.subarray(0, packed.length - 9))).rejects.toThrow("cut short or damaged gzip");
    packed[14]! ^= 255;
    await expect(textOf(packed)).rejects.toThrow("damaged gzip");
  });
});

it("files of other kinds are told by what they are", async () => {
  const told = (bytes: Buffer) => textOf(bytes).then(String, (e) => e.message);
  expect(await told(Buffer.from("PK\u0003\u0004\u0014\u0000\u0006", "latin1"))).toContain(
    "a spreadsheet or a zip archive",
  );
  expect(await told(Buffer.from("PAR1\u0015\u0004", "latin1"))).toContain("ends in .parquet");
  expect(await told(Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0, 0]))).toContain("zstd");
  expect(await told(Buffer.from("n,text\n", "utf16le"))).toContain("UTF-16 without a byte order mark");
});

it("a source that fails while it is read is an error of its own", async () => {
  const failing = () =>
    new Readable({
      read() {
        this.push("a,b\n");
        this.destroy(Object.assign(new Error("i/o error, read"), { code: "EIO" }));
      },
    });
  const read = async () => {
    for await (const _ of utf8Pieces(failing(), "specs.csv"));
  };
  await expect(read()).rejects.toMatchObject({
    code: "invalid_input",
    message: "specs.csv: cannot be read: i/o error, read",
  });
});
