import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { isScytheError } from "../errors.ts";
import { copyContract } from "./copy.testsuite.ts";
import { freshPrefix, keysOf, listingContract } from "./listing.testsuite.ts";
import { getText, listAll, type PutResult, type Storage } from "./storage.ts";

const textOf = async (storage: Storage, key: string) => (await getText(storage, key))?.text;
const etagIn = (result: PutResult) => {
  if (!result.written) throw new Error("was not written");
  return result.etag;
};
const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => "resolved",
    (e) => (isScytheError(e) ? e.code : `not ours: ${e}`),
  );

/** The contract of `Storage`: every implementation passes it. */
export function storageSuite(name: string, makeStorage: () => Promise<Storage> | Storage): void {
  describe(`${name} keeps the storage contract`, () => {
    let storage: Storage;
    let scratch: string;
    beforeAll(async () => {
      storage = await makeStorage();
      scratch = await mkdtemp(join(tmpdir(), "scythe-storage-suite-"));
    });
    afterAll(() => rm(scratch, { recursive: true, force: true }));

    listingContract(() => storage);
    copyContract(() => storage);

    describe("put and get", () => {
      it("gives back what was put, and replaces it", async () => {
        const key = `${freshPrefix()}/a`;
        await storage.put(key, "one");
        await storage.put(key, new Uint8Array([0, 255, 10, 13]));
        expect([...(await storage.get(key)).body]).toEqual([0, 255, 10, 13]);
      });

      it("keeps text as UTF-8", async () => {
        const key = `${freshPrefix()}/text`;
        const text = "äöü 😀 \u0000 中文 \r\n\uFEFF";
        await storage.put(key, text);
        expect(new TextDecoder("utf-8", { ignoreBOM: true }).decode((await storage.get(key)).body)).toBe(text);
      });

      it("keeps an empty object", async () => {
        const key = `${freshPrefix()}/empty`;
        const etag = etagIn(await storage.put(key, ""));
        expect((await storage.get(key)).body.byteLength).toBe(0);
        expect(await storage.head(key)).toMatchObject({ key, size: 0, etag });
      });

      it("keeps 20 MB", async () => {
        const key = `${freshPrefix()}/large`;
        const body = Buffer.alloc(20_000_000, "scythe ");
        for (let i = 0; i < body.length; i += 4099) body[i] = i % 256;
        await storage.put(key, body);
        expect(Buffer.compare((await storage.get(key)).body, body)).toBe(0);
        expect((await storage.head(key))?.size).toBe(20_000_000);
      });

      it("keeps its bytes when the caller's change", async () => {
        const key = `${freshPrefix()}/own`;
        const body = new Uint8Array([1, 2, 3]);
        await storage.put(key, body);
        body[0] = 9;
        (await storage.get(key)).body[1] = 9;
        expect([...(await storage.get(key)).body]).toEqual([1, 2, 3]);
      });

      it("tells two contents of one size apart by their etags", async () => {
        const key = `${freshPrefix()}/etags`;
        const etags = new Set<string>();
        for (let i = 0; i < 100; i++)
          etags.add(etagIn(await storage.put(key, `content ${String(i).padStart(3, "0")}`)));
        expect(etags.size).toBe(100);
      });

      it("says the same etag in put, get, head and list", async () => {
        const prefix = freshPrefix();
        const key = `${prefix}/a`;
        const etag = etagIn(await storage.put(key, "content"));
        expect((await storage.get(key)).etag).toBe(etag);
        expect((await storage.head(key))?.etag).toBe(etag);
        expect((await listAll(storage, prefix))[0]?.etag).toBe(etag);
      });

      it("shows readers one write or the other, whole", async () => {
        const key = `${freshPrefix()}/swap`;
        const bodies = ["a", "b"].map((letter) => letter.repeat(300_000));
        await storage.put(key, bodies[0]!);
        const writing = (async () => {
          for (let i = 0; i < 15; i++) await storage.put(key, bodies[i % 2]!);
        })();
        const seen: string[] = [];
        for (let i = 0; i < 30; i++) seen.push(new TextDecoder().decode((await storage.get(key)).body));
        await writing;
        expect(seen.filter((text) => !bodies.includes(text))).toEqual([]);
      });
    });

    describe("conditions", () => {
      it("lets one of many create a key", async () => {
        const prefix = freshPrefix();
        for (let round = 0; round < 10; round++) {
          const key = `${prefix}/${round}`;
          const writers = Array.from({ length: 16 }, (_, i) => storage.put(key, `writer ${i}`, { ifAbsent: true }));
          const results = await Promise.all(writers);
          const winners = results.flatMap((result, i) => (result.written ? [i] : []));
          expect(winners).toHaveLength(1);
          expect(await textOf(storage, key)).toBe(`writer ${winners[0]}`);
        }
      });

      it("lets one of many replace an etag", async () => {
        const prefix = freshPrefix();
        for (let round = 0; round < 10; round++) {
          const key = `${prefix}/${round}`;
          const ifMatch = etagIn(await storage.put(key, "before"));
          const results = await Promise.all(
            Array.from({ length: 16 }, (_, i) => storage.put(key, `writer ${i}`, { ifMatch })),
          );
          const winners = results.flatMap((result, i) => (result.written ? [i] : []));
          expect(winners).toHaveLength(1);
          expect(await textOf(storage, key)).toBe(`writer ${winners[0]}`);
        }
      });

      it("loses no update by compare-and-swap", async () => {
        const key = `${freshPrefix()}/counter`;
        await storage.put(key, "0");
        const increment = async () => {
          for (;;) {
            const { text, etag } = (await getText(storage, key))!;
            const { written } = await storage.put(key, String(Number(text) + 1), { ifMatch: etag });
            if (written) return;
          }
        };
        await Promise.all(
          Array.from({ length: 8 }, async () => {
            for (let i = 0; i < 5; i++) await increment();
          }),
        );
        expect(await textOf(storage, key)).toBe("40");
      });

      it("writes nothing when the etag is an old one, or the key is gone", async () => {
        const prefix = freshPrefix();
        const old = etagIn(await storage.put(`${prefix}/a`, "one"));
        await storage.put(`${prefix}/a`, "two");
        expect(await storage.put(`${prefix}/a`, "three", { ifMatch: old })).toEqual({ written: false });
        expect(await textOf(storage, `${prefix}/a`)).toBe("two");
        expect(await storage.put(`${prefix}/b`, "x", { ifMatch: old })).toEqual({ written: false });
        expect(await keysOf(storage, `${prefix}/`)).toEqual([`${prefix}/a`]);
      });

      it("holds for files too", async () => {
        const key = `${freshPrefix()}/file`;
        const path = join(scratch, "conditional.txt");
        await writeFile(path, "file");
        const first = await storage.putFile(key, path, { ifAbsent: true });
        await writeFile(path, "other");
        expect(await storage.putFile(key, path, { ifAbsent: true })).toEqual({ written: false });
        expect(await storage.putFile(key, path, { ifMatch: "not an etag" })).toEqual({ written: false });
        expect(await textOf(storage, key)).toBe("file");
        expect((await storage.putFile(key, path, { ifMatch: etagIn(first) })).written).toBe(true);
      });
    });

    it("holds nothing up when a replacement fails, or is refused", async () => {
      const key = `${freshPrefix()}/again`;
      const etag = etagIn(await storage.put(key, "one"));
      const gone = join(scratch, "no such file");
      expect(await codeOf(storage.putFile(key, gone, { ifMatch: etag }))).not.toBe("resolved");
      expect(await storage.put(key, "other", { ifMatch: "not an etag" })).toEqual({ written: false });
      expect((await storage.put(key, "two", { ifMatch: etag })).written).toBe(true);
      expect(await textOf(storage, key)).toBe("two");
    });

    describe("files", () => {
      it("copies a file in, leaving it, and brings it back", async () => {
        const key = `${freshPrefix()}/file.bin`;
        const path = join(scratch, "in.bin");
        const body = Buffer.alloc(1_000_000, 7);
        await writeFile(path, body);
        const etag = etagIn(await storage.putFile(key, path));
        expect((await storage.head(key))?.etag).toBe(etag);
        const back = join(scratch, "made", "on the way", "out.bin");
        await storage.getFile(key, back);
        expect(Buffer.compare(await readFile(back), body)).toBe(0);
        expect((await readFile(path)).length).toBe(1_000_000);
        await storage.getFile(key, back); // over what is there
        expect(await readdir(join(scratch, "made", "on the way"))).toEqual(["out.bin"]);
      });

      it("may take a moved file away, and has it then", async () => {
        const key = `${freshPrefix()}/moved`;
        const path = join(scratch, "moved.txt");
        await writeFile(path, "moved");
        await storage.putFile(key, path, { move: true });
        expect(await textOf(storage, key)).toBe("moved");
        expect(await readdir(scratch)).not.toContain("moved.txt");
      });

      it("leaves a file where it is when the condition of its move does not hold", async () => {
        const key = `${freshPrefix()}/taken`;
        const path = join(scratch, "unmoved.txt");
        await storage.put(key, "first");
        await writeFile(path, "second");
        expect(await storage.putFile(key, path, { move: true, ifAbsent: true })).toEqual({ written: false });
        expect(await storage.putFile(key, path, { move: true, ifMatch: '"other"' })).toEqual({ written: false });
        expect(await readFile(path, "utf8")).toBe("second");
        const { etag } = (await storage.head(key))!;
        expect((await storage.putFile(key, path, { move: true, ifMatch: etag })).written).toBe(true);
        expect(await textOf(storage, key)).toBe("second");
      });

      it("leaves nothing where a missing object was to go", async () => {
        const folder = join(scratch, "nothing");
        expect(await codeOf(storage.getFile(`${freshPrefix()}/gone`, join(folder, "x")))).toBe("not_found");
        expect(await readdir(folder).catch(() => [])).toEqual([]);
      });
    });

    describe("what is not there, or not a key", () => {
      it("is not_found, or undefined", async () => {
        const prefix = freshPrefix();
        await storage.put(`${prefix}/folder/a`, "x");
        for (const key of [`${prefix}/none`, `${prefix}/none/deeper`, `${prefix}/folder`, `${prefix}/folder/a/below`]) {
          expect(await codeOf(storage.get(key)), key).toBe("not_found");
          expect(await storage.head(key), key).toBeUndefined();
          expect(await getText(storage, key), key).toBeUndefined();
        }
      });

      const bad = ["", "/", "/a", "a/", "a//b", "..", "../a", "a/../b", ".", "a/./b", "a\\b", "a\0b", "ä".repeat(513)];
      it.each(bad.map((key) => [JSON.stringify(key).slice(0, 20), key] as const))(
        "refuses the key %s everywhere",
        async (_, key) => {
          const path = join(scratch, "bad.txt");
          await writeFile(path, "x");
          const uses = {
            put: () => storage.put(key, "x"),
            get: () => storage.get(key),
            head: () => storage.head(key),
            putFile: () => storage.putFile(key, path),
            getFile: () => storage.getFile(key, path),
            delete: () => storage.delete([key]),
          };
          for (const [use, call] of Object.entries(uses)) expect(await codeOf(call()), use).toBe("storage");
        },
      );

      it("refuses prefixes that leave the storage", async () => {
        for (const prefix of ["../", "a/../../", "/", "a//"]) {
          expect(await codeOf(listAll(storage, prefix)), prefix).toBe("storage");
          expect(await codeOf(storage.listFolders(prefix)), prefix).toBe("storage");
        }
      });
    });

    describe("URIs", () => {
      it("lead back to their keys", () => {
        for (const key of ["a", "a/b.pq", "with space/ü#?%20.txt"]) {
          expect(storage.uriOf(key).startsWith(`${storage.uri}/`)).toBe(true);
          expect(storage.keyOf(storage.uriOf(key))).toBe(key);
        }
      });

      it("of elsewhere have no key", () => {
        for (const uri of [
          "",
          "a/b",
          "https://example.org/a",
          "file://host/a",
          "file:///a%2Fb",
          "s3://other-bucket/a",
          `${storage.uri}-twin/a`,
        ]) {
          expect(storage.keyOf(uri), uri).toBeUndefined();
        }
      });
    });
  });
}
