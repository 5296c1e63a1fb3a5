import { PassThrough } from "node:stream";
import { expect, it } from "vitest";
import { MarkReader, markWrites } from "./spec-marks.ts";

it("lays text to the spec that printed it, wherever the stream is cut", () => {
  const stream = new PassThrough().setEncoding("utf8");
  let current: number | undefined;
  const mark = markWrites(stream as unknown as NodeJS.WriteStream, () => current);
  stream.write("loading\n");
  for (const n of [3, 4]) {
    current = n;
    stream.write(`one of ${n}\n`);
    stream.write(`two of ${n}\n`);
  }
  mark(5); // what another program prints
  PassThrough.prototype.write.call(stream, "a program's\n", "utf8");
  mark("end");
  const printed = String(stream.read());
  for (let cut = 0; cut <= printed.length; cut++) {
    const reader = new MarkReader();
    const said = new Map<number | undefined, string>();
    for (const piece of [printed.slice(0, cut), printed.slice(cut)]) {
      for (const { sortIndex, text } of reader.read(piece)) said.set(sortIndex, (said.get(sortIndex) ?? "") + text);
    }
    expect([...said]).toEqual([
      [undefined, "loading\n"],
      [3, "one of 3\ntwo of 3\n"],
      [4, "one of 4\ntwo of 4\n"],
      [5, "a program's\n"],
    ]);
    expect(reader.ends).toBe(1);
  }
});
