import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { fileRef } from "./file-ref.ts";
import { hashOf, jsonSchemaOf } from "./json-schema.ts";

describe("jsonSchemaOf", () => {
  const schema = z.object({
    when: z.date().describe("Start"),
    big: z.bigint(),
    file: fileRef().describe("Weather file [.epw]"),
    many: z.array(z.date()).optional(),
    count: z.int().min(1).default(3),
  });

  it("has dates, 64-bit integers and files, which zod alone has not", () => {
    const { properties } = jsonSchemaOf(schema) as { properties: Record<string, unknown> };
    expect(properties).toMatchObject({
      when: { type: "string", format: "date-time", description: "Start" },
      big: { type: "integer", format: "int64" },
      file: { type: "string", format: "uri-reference", description: "Weather file [.epw]" },
      many: { type: "array", items: { type: "string", format: "date-time" } },
    });
    expect(Object.keys(jsonSchemaOf(schema))).not.toContain("~standard");
  });

  it("describes either side of a default", () => {
    expect(jsonSchemaOf(schema, "output").required).toContain("count");
    expect(jsonSchemaOf(schema, "input").required).not.toContain("count");
  });

  it("is JSON, also of a schema that holds itself", () => {
    const json = jsonSchemaOf(z.object({ any: z.json() }));
    expect(JSON.parse(JSON.stringify(json))).toEqual(json);
  });
});

describe("hashOf", () => {
  it("does not mind the order of keys, and minds everything else", () => {
    const shuffled = (value: unknown): unknown => {
      if (Array.isArray(value)) return value.map(shuffled);
      if (typeof value !== "object" || value === null) return value;
      return Object.fromEntries(
        Object.entries(value)
          .reverse()
          .map(([key, own]) => [key, shuffled(own)]),
      );
    };
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (a, b) => {
        expect(hashOf(shuffled(a))).toBe(hashOf(a));
        if (hashOf(a) === hashOf(b)) expect(shuffled(a)).toEqual(b);
      }),
    );
    expect(hashOf(["a", "b"])).not.toBe(hashOf(["b", "a"]));
  });
});
