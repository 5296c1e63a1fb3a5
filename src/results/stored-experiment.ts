import type { AnyExperiment } from "../experiment/define.ts";
import type { RunLayout } from "../run/layout.ts";
import type { Manifest } from "../run/manifest.ts";
import { readYaml } from "../run/yaml.ts";
import { FEATURES } from "../scatter/part-columns.ts";
import type { Column, ColumnType } from "../schema/columns.ts";
import { SORT_INDEX } from "../schema/id-columns.ts";
import type { Storage } from "../storage/storage.ts";

/** The columns of a part: name → DuckDB type. */
export type PartTypes = ReadonlyMap<string, string>;

/**
 * Rebuilds from the run's own records as much of its experiment as its tables need, for readers without its code or
 * with changed code. Objects, and lists of them, stay JSON text as in a part.
 * @param rows types of the succeeded specs' rows; undefined while there is no part
 * @param tables types of the rows of the experiment's own tables, as far as there are any
 */
export async function storedExperiment(
  storage: Storage,
  layout: RunLayout,
  { experiment_name: name, scythe }: Manifest,
  rows: PartTypes | undefined,
  tables: ReadonlyMap<string, PartTypes>,
): Promise<AnyExperiment> {
  const io = (await readYaml<IoSpec>(storage, layout.ioSpec))?.value.properties;
  const extra = new Set(scythe?.extra_columns.map((column) => column.name));
  const columns = (fields: Fields = {}) =>
    Object.entries(fields).flatMap(([field, schema]) => {
      const type = rows?.get(field);
      return type === undefined || extra.has(field) ? [] : [columnOf(field, type, schema)];
    });
  const outputs = columns(io?.output?.properties);
  const own = [...tables].map(([table, types]) => {
    const fields = [...types].filter(([field]) => field !== SORT_INDEX.name && field !== "sort_subindex");
    return [table, fields.map(([field, type]) => columnOf(field, type, {}))] as const;
  });
  return {
    name,
    columns: {
      input: columns(io?.input?.properties),
      scalars: outputs.filter((column) => !column.file),
      files: outputs.filter((column) => column.file),
      tables: Object.fromEntries(own),
    },
    tables: Object.fromEntries(own.map(([table]) => [table, { index: [] }])),
    computedFeatures: rows?.has(FEATURES) ? () => ({}) : undefined,
  } as unknown as AnyExperiment;
}

interface FieldSchema {
  type?: unknown;
  format?: unknown;
  items?: FieldSchema;
  anyOf?: FieldSchema[];
}
type Fields = Record<string, FieldSchema>;
interface IoSpec {
  properties?: { input?: { properties?: Fields }; output?: { properties?: Fields } };
}

function columnOf(name: string, type: string, schema: FieldSchema): Column {
  const each = [schema, ...(schema.anyOf ?? [])];
  const file = each.some(({ format }) => format === FILE);
  const files = each.some(({ items }) => items?.format === FILE);
  return {
    name,
    type: kindOf(type, each),
    nullable: true,
    optional: false,
    file: file || files,
  };
}

const FILE = "uri-reference";
const ELEMENTS: Readonly<Record<string, ColumnType>> = {
  string: { kind: "string" },
  number: { kind: "float64" },
  integer: { kind: "int64" },
  boolean: { kind: "boolean" },
};

function kindOf(type: string, schemas: readonly FieldSchema[]): ColumnType {
  if (type === "BOOLEAN") return { kind: "boolean" };
  if (type === "BIGINT") return { kind: "bigint" };
  if (type !== "DOUBLE") {
    const items = schemas.find((schema) => schema.type === "array")?.items?.type;
    const element = typeof items === "string" ? ELEMENTS[items] : undefined;
    return element ? { kind: "list", element } : { kind: "string" };
  }
  if (schemas.some(({ format }) => format === "date-time")) return { kind: "timestamp" };
  return { kind: schemas.some((schema) => schema.type === "integer") ? "int64" : "float64" };
}
