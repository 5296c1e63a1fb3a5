import type { z } from "zod";
import { hashOf, jsonSchemaOf } from "./json-schema.ts";

/** What of an experiment decides whether its rows fit the tables. */
interface Schemas {
  name: string;
  input: z.ZodType;
  output: z.ZodType;
  tables: Readonly<Record<string, { schema: z.ZodType; index: readonly string[] }>>;
}

/** Tells two versions of one experiment's schemas apart: a worker with another hash must not run its specs. */
export function hashSchemas({ name, input, output, tables }: Schemas): string {
  return hashOf({
    name,
    input: jsonSchemaOf(input),
    output: jsonSchemaOf(output),
    tables: Object.entries(tables).map(([table, { schema, index }]) => ({
      name: table,
      index,
      schema: jsonSchemaOf(schema),
    })),
  });
}
