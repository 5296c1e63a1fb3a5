import { readYaml } from "../../run/yaml.ts";
import { hashOf } from "../../schema/json-schema.ts";
import type { Lineage } from "../lineage.ts";
import type { RunPlace, Side } from "./two-runs.ts";

/** A field that one run has and the other has not, or has otherwise. */
export interface FieldChange {
  /** `input`, `output`, or a table of the experiment. */
  of: string;
  field: string;
  change: "added" | "removed" | "changed";
  /** What its schema says, as far as it differs; a column's type in a table. */
  a: Record<string, unknown> | null;
  b: Record<string, unknown> | null;
}

/** Stored input files that differ, by their paths. */
export interface ArtifactsDiff {
  only_a: string[];
  only_b: string[];
  /** Of the same name and another content. */
  changed: { path: string; a: string; b: string }[];
}

type Fields = Record<string, Record<string, unknown>>;

export type IoSpec = Record<string, Fields>;

export function diffSchemas(before: IoSpec, after: IoSpec, left: Side, right: Side): FieldChange[] {
  const names = [...new Set([...left.tables.keys(), ...right.tables.keys()])];
  const own = names.filter((name) => !["specs", "scalars", "errors", "result_file_refs"].includes(name));
  return [
    ...["input", "output"].flatMap((side) => fieldChanges(side, before[side] ?? {}, after[side] ?? {})),
    ...own.flatMap((name) => fieldChanges(name, tableFields(left, right, name), tableFields(right, left, name))),
  ];
}

/** Fields of `input` and `output`, with the JSON Schema of each. */
export async function ioSpecOf({ storage, layout }: RunPlace): Promise<IoSpec> {
  const found = await readYaml<{ properties?: Record<string, { properties?: Fields }> }>(storage, layout.ioSpec);
  const sides = Object.entries(found?.value.properties ?? {});
  return Object.fromEntries(sides.map(([side, { properties }]) => [side, properties ?? {}]));
}

/** A table's own columns: those of the index tell of the input, which is compared itself. */
function tableFields(own: Side, other: Side, name: string): Fields {
  const inputs = [own, other].flatMap((side) => [...(side.tables.get("specs")?.keys() ?? [])]);
  const columns = [...(own.tables.get(name) ?? [])].filter(([column]) => !inputs.includes(column));
  return Object.fromEntries(columns.map(([column, type]) => [column, { type }]));
}

function fieldChanges(of: string, before: Fields, after: Fields): FieldChange[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  return names.flatMap((field): FieldChange[] => {
    const [a, b] = [before[field], after[field]];
    if (!a) return [{ of, field, change: "added", a: null, b: b! }];
    if (!b) return [{ of, field, change: "removed", a, b: null }];
    if (hashOf(a) === hashOf(b)) return [];
    const keys = [...new Set([...Object.keys(a), ...Object.keys(b)])].filter(
      (key) => hashOf([a[key]]) !== hashOf([b[key]]),
    );
    const part = (schema: Record<string, unknown>) => Object.fromEntries(keys.map((key) => [key, schema[key] ?? null]));
    return [{ of, field, change: "changed", a: part(a), b: part(b) }];
  });
}

export function diffArtifacts(a: Lineage, b: Lineage): ArtifactsDiff {
  const [left, right] = [a, b].map(({ artifacts }) => new Map(artifacts.map(({ path, sha256 }) => [path, sha256]))) as [
    Map<string, string>,
    Map<string, string>,
  ];
  return {
    only_a: [...left.keys()].filter((path) => !right.has(path)),
    only_b: [...right.keys()].filter((path) => !left.has(path)),
    changed: [...left].flatMap(([path, sha256]) => {
      const other = right.get(path);
      return other !== undefined && other !== sha256 ? [{ path, a: sha256, b: other }] : [];
    }),
  };
}
