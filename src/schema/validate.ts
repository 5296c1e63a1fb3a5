import type { z } from "zod";
import { messageOf } from "../errors.ts";
import { toJson } from "../json.ts";
import { IGNORED_SPEC_COLUMNS } from "./base.ts";
import type { Column, ColumnType } from "./columns.ts";

/** A rule broken by one field of one spec. */
export interface SpecIssue {
  field: string;
  /** The value as text, cut to 80 characters. */
  value: string;
  rule: string;
}

export type Checked<T> = { ok: true; value: T } | { ok: false; issues: SpecIssue[] };

/** Parses a value, then checks limits of Parquet that zod does not know. */
export type Validator<T = Record<string, unknown>> = (value: unknown) => Checked<T>;

const INT64_MIN = -(2n ** 63n);
const INT64_MAX = 2n ** 63n - 1n;

/** A validator of specs or outputs against `schema`. Reserved columns are dropped, not refused. */
export function makeValidator(schema: z.ZodObject, columns: readonly Column[]): Validator {
  const guards = columns.flatMap((column) => guardsOf(column));
  const open = isOpen(schema);
  return (value) => {
    if (hasProto(value))
      return { ok: false, issues: [{ field: "__proto__", value: preview(value), rule: PROTO_RULE }] };
    const parsed = parse(schema, withoutReserved(value));
    if ("issues" in parsed) return { ok: false, issues: parsed.issues.flatMap((issue) => toIssues(issue, value)) };
    const { data } = parsed;
    for (const guard of guards) {
      const rule = guard.check(data[guard.name]);
      if (rule) return { ok: false, issues: [{ field: guard.name, value: preview(data[guard.name]), rule }] };
    }
    const extra = open ? extraIssue(data, columns) : undefined;
    return extra ? { ok: false, issues: [extra] } : { ok: true, value: data };
  };
}

/** A user's transform or refinement may throw, or be asynchronous: that fails one spec, not the batch. */
function parse(
  schema: z.ZodObject,
  value: unknown,
): { data: Record<string, unknown> } | { issues: z.core.$ZodIssue[] } {
  try {
    const parsed = schema.safeParse(value);
    return parsed.success ? { data: parsed.data } : { issues: parsed.error.issues };
  } catch (thrown) {
    const message = `makes the schema itself fail: ${messageOf(thrown)}`;
    return { issues: [{ code: "custom", path: [], message, input: value }] };
  }
}

const PROTO_RULE = "cannot be a field's name";

/** JSON can contain this key, and zod would silently drop it. */
function hasProto(value: unknown): boolean {
  return typeof value === "object" && value !== null && Object.hasOwn(value, "__proto__");
}

/** True when the schema keeps undeclared fields (`z.looseObject`, a catchall). */
export function isOpen(schema: z.core.$ZodObject): boolean {
  const catchall = schema._zod.def.catchall;
  return catchall !== undefined && catchall._zod.def.type !== "never";
}

function withoutReserved(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (!IGNORED_SPEC_COLUMNS.some((name) => name in value)) return value;
  const rest = { ...value } as Record<string, unknown>;
  for (const name of IGNORED_SPEC_COLUMNS) delete rest[name];
  return rest;
}

interface Guard {
  name: string;
  check: (value: unknown) => string | undefined;
}

function guardsOf(column: Column, nested = false): Guard[] {
  const check = guardOf(column.type, nested);
  return check ? [{ name: column.name, check }] : [];
}

/** @param nested inside a list or object, where dates are stored as text */
function guardOf(type: ColumnType, nested = false): Guard["check"] | undefined {
  switch (type.kind) {
    case "string":
      return stringRule;
    case "json":
      return (value) => (value === undefined ? undefined : jsonRule(value));
    case "timestamp":
      return nested ? dateRule : undefined;
    case "bigint":
      return (value) =>
        typeof value === "bigint" && (value < INT64_MIN || value > INT64_MAX)
          ? "must fit a signed 64-bit integer (-2^63 to 2^63-1)"
          : undefined;
    case "list": {
      const inner = guardOf(type.element, true);
      return inner && ((value) => firstRule(value as unknown[], inner));
    }
    case "struct": {
      const inner = type.fields.flatMap((field) => guardsOf(field, true));
      if (inner.length === 0) return undefined;
      return (value) => structRule(value, inner);
    }
    default:
      return undefined;
  }
}

function firstRule(values: unknown[] | null | undefined, check: Guard["check"]): string | undefined {
  for (const value of values ?? []) {
    const rule = check(value);
    if (rule) return rule;
  }
  return undefined;
}

function structRule(value: unknown, guards: Guard[]): string | undefined {
  if (value === null || value === undefined) return undefined;
  for (const guard of guards) {
    const rule = guard.check((value as Record<string, unknown>)[guard.name]);
    if (rule) return `${guard.name}: ${rule}`;
  }
  return undefined;
}

function dateRule(value: unknown): string | undefined {
  if (!(value instanceof Date)) return undefined;
  const year = value.getUTCFullYear();
  return year >= 1 && year <= 9999 ? undefined : "must be in the years 1 to 9999 inside a list or object";
}

/** Values that a schema such as `z.any()` accepts may not be JSON at all. */
function jsonRule(value: unknown): string | undefined {
  try {
    return stringRule(toJson(value), true);
  } catch (thrown) {
    return `must be plain JSON: ${messageOf(thrown).split("\n")[0]}`;
  }
}

/** JSON text escapes lone surrogates, so there the escaped form is searched for. */
function stringRule(value: unknown, escaped = false): string | undefined {
  if (typeof value !== "string") return undefined;
  const ok = escaped ? !/\\ud[89a-f]/i.test(value) : value.isWellFormed();
  return ok ? undefined : "must be well-formed Unicode (it has half of a surrogate pair, which UTF-8 cannot represent)";
}

function extraIssue(data: Record<string, unknown>, columns: readonly Column[]): SpecIssue | undefined {
  const known = new Set(columns.map((column) => column.name));
  for (const [field, value] of Object.entries(data)) {
    if (known.has(field) || value === null || value === undefined) continue;
    const kind = typeof value;
    const ok = kind === "boolean" || (kind === "number" && Number.isFinite(value)) || kind === "string";
    if (!ok) return { field, value: preview(value), rule: "an extra field must be a finite number, string or boolean" };
    const rule = stringRule(value);
    if (rule) return { field, value: preview(value), rule };
  }
  return undefined;
}

function toIssues(issue: z.core.$ZodIssue, root: unknown): SpecIssue[] {
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => {
      const path = [...issue.path, key];
      return { field: fieldName(path), value: preview(valueAt(root, path)), rule: "is not a field of the schema" };
    });
  }
  const value = valueAt(root, issue.path);
  const rule = value === undefined && issue.path.length > 0 ? `is missing (${issue.message})` : issue.message;
  return [{ field: fieldName(issue.path), value: preview(value), rule }];
}

function fieldName(path: readonly PropertyKey[]): string {
  return path.length === 0 ? "(the whole spec)" : path.map(String).join(".");
}

function valueAt(root: unknown, path: readonly PropertyKey[]): unknown {
  let value = root;
  for (const key of path) {
    if (value === null || value === undefined) return undefined;
    value = (value as Record<PropertyKey, unknown>)[key];
  }
  return value;
}

/** A value as one short line. */
export function preview(value: unknown): string {
  let text: string;
  if (typeof value === "string") text = toJson(value.length > 200 ? value.slice(0, 200) : value);
  else if (typeof value === "bigint") text = `${value}n`;
  else if (typeof value === "number" || value === undefined || value === null)
    text = Object.is(value, -0) ? "-0" : `${value}`;
  else if (value instanceof Date) text = Number.isNaN(value.getTime()) ? "Invalid Date" : value.toISOString();
  else text = safeJson(value);
  return text.length > 80 ? `${text.slice(0, 77)}…` : text;
}

function safeJson(value: unknown): string {
  try {
    return toJson(value) ?? String(value);
  } catch {
    return Object.prototype.toString.call(value);
  }
}
