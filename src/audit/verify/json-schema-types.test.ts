import { describe, expect, it } from "vitest";
import { mayHold } from "./json-schema-types.ts";

describe("a column's type beside its field's JSON Schema", () => {
  it.each([
    [{ type: "number" }, "DOUBLE", true],
    [{ type: "number" }, "VARCHAR", false],
    [{ type: "integer" }, "BIGINT", true],
    [{ type: "integer" }, "BOOLEAN", false],
    [{ type: "string" }, "VARCHAR", true],
    [{ type: "string" }, "BIGINT", false],
    [{ type: "string", format: "date-time" }, "TIMESTAMP WITH TIME ZONE", true],
    [{ type: "string", format: "date-time" }, "DOUBLE", false],
    [{ anyOf: [{ type: "number" }, { type: "null" }] }, "DOUBLE", true],
    [{ anyOf: [{ type: "number" }, { type: "null" }] }, "VARCHAR", false],
    [{ anyOf: [{ type: "number" }, { type: "string" }] }, "VARCHAR", true],
    [{ type: "array", items: { type: "string" } }, "VARCHAR[]", true],
    [{ type: "array", items: { type: "string" } }, "DOUBLE", false],
    [{ type: "object" }, "STRUCT(a BIGINT)", true],
    [{ type: "object" }, "VARCHAR", true],
    [{ enum: ["a", "b"] }, "VARCHAR", true],
    [{ enum: [1, 2] }, "BIGINT", true],
    [{ enum: [1, 2] }, "VARCHAR", false],
    [{ $ref: "#/$defs/Kind" }, "VARCHAR", true],
    [{ $ref: "#/$defs/Kind" }, "DOUBLE", false],
    [{}, "DOUBLE", true],
  ])("%j as %s: %s", (schema, type, expected) => {
    expect(mayHold(schema, type, { Kind: { enum: ["x"], type: "string" } })).toBe(expected);
  });

  it("says nothing of a reference that leads round in a circle", () => {
    expect(mayHold({ $ref: "#/$defs/A" }, "DOUBLE", { A: { $ref: "#/$defs/A" } })).toBe(true);
  });
});
