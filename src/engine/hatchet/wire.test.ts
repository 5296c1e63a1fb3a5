import { describe, expect, it } from "vitest";
import { ScytheError } from "../../errors.ts";
import { readError, stackWithError } from "./wire.ts";

/** As the SDK sends an error and the server tells of it. */
const across = (error: Error) => readError(JSON.stringify({ message: error.message, stack: stackWithError(error) }));

describe("errors across Hatchet", () => {
  it("keep code, hint, details, stack and causes", () => {
    const cause = new TypeError("inner");
    const error = new ScytheError("storage", "outer", { hint: "do this", details: { key: "k" }, cause });
    const read = across(error) as ScytheError;
    expect(read).toBeInstanceOf(ScytheError);
    expect(read).toMatchObject({ code: "storage", message: "outer", hint: "do this", details: { key: "k" } });
    expect(read.cause).toMatchObject({ name: "TypeError", message: "inner" });
    expect(read.stack).toBe(error.stack);
  });

  it("keep what others threw", () => {
    const read = across(new RangeError("too far"));
    expect(read).toMatchObject({ name: "RangeError", message: "too far" });
  });

  it("are read from whatever the server says", () => {
    expect(readError("TIMED_OUT").message).toBe("TIMED_OUT");
    expect(readError("").message).toBe("the task failed without a message");
    expect(readError('{"message":"plain","stack":"Error: plain"}')).toMatchObject({
      message: "plain",
      stack: "Error: plain",
    });
  });

  it("stay small, however long they were", () => {
    const error = new Error("x".repeat(1e6), { cause: new Error("y".repeat(1e6)) });
    expect(stackWithError(error).length).toBeLessThan(20_000);
  });
});
