import { z } from "zod";
import { messageOf } from "../errors.ts";
import { coercedReader, kindOf, type Reading, Refused } from "./coercion.ts";
import { type Column, unwrap } from "./columns.ts";
import { type Checked, makeValidator, preview, type SpecIssue, type Validator } from "./validate.ts";

/** An empty cell or flag: no value was given. */
export const EMPTY: unique symbol = Symbol("empty");

/**
 * A validator of specs as users give them, in any format. The one place that decides what a missing value becomes (an
 * empty cell, a `null` that the schema does not accept), and which text and numbers represent dates, 64-bit integers
 * and `z.coerce` fields: zod itself would turn them into 0, `false`, 1970 or "null".
 */
export function makeSpecValidator(schema: z.ZodObject, columns: readonly Column[]): Validator {
  const validate = makeValidator(schema, columns);
  const read = givenReader(schema);
  return (value): Checked<Record<string, unknown>> => {
    const issues: SpecIssue[] = [];
    const given = read(value, issues);
    return issues.length > 0 ? { ok: false, issues } : validate(given);
  };
}

/** Converts a given spec to what the schema will parse. */
export function givenReader(schema: z.ZodObject): (value: unknown, issues: SpecIssue[]) => unknown {
  const read = new Readings().ofObject(schema);
  return (value, issues) => {
    try {
      return read(value, "", issues);
    } catch (thrown) {
      issues.push({ field: "(the whole spec)", value: "…", rule: `cannot be read: ${messageOf(thrown)}` }); // nested too deeply
      return value;
    }
  };
}

/** Returns the value that the schema will parse; the same value when nothing changes. */
type Reader = (value: unknown, path: string, issues: SpecIssue[]) => unknown;

interface Field {
  name: string;
  takesNull: boolean;
  takesNothing: boolean;
  /** If omitted, `z.coerce` would turn it into a value. */
  mustBeGiven: boolean;
  read: Reader | undefined;
}

/** Readers of schemas, each created once: a schema may be recursive. */
class Readings {
  readonly #known = new Map<z.core.$ZodType, { read: Reader | undefined }>();

  ofObject(schema: z.core.$ZodObject): Reader {
    const fields = Object.entries(schema._zod.def.shape).map(([name, field]) => this.#field(name, field));
    return (value, path, issues) => (isObject(value) ? readFields(fields, value, path, issues) : value);
  }

  #field(name: string, schema: z.core.$ZodType): Field {
    const coerced = coerces(schema);
    const nothing = tryParse(schema, undefined);
    const takesNothing = schema._zod.optin !== undefined || (nothing.success && !coerced);
    const made = !nothing.success || nothing.data === "undefined" || nothing.data === false;
    return {
      name,
      takesNothing,
      takesNull: takesNull(schema),
      read: this.#of(schema),
      mustBeGiven: coerced && !takesNothing && made,
    };
  }

  #of(schema: z.core.$ZodType): Reader | undefined {
    const { inner } = unwrap(schema);
    const known = this.#known.get(inner);
    if (known) return (value, path, issues) => (known.read ? known.read(value, path, issues) : value);
    const entry: { read: Reader | undefined } = { read: undefined };
    this.#known.set(inner, entry);
    entry.read = this.#make(inner);
    return entry.read;
  }

  #make(inner: z.core.$ZodType): Reader | undefined {
    const def = inner._zod.def as unknown as Record<string, unknown> & { type: string; items: z.core.$ZodType[] };
    if (def.type === "object") return this.ofObject(inner as z.core.$ZodObject);
    if (def.type === "array") return this.#list(def.element as z.core.$ZodType);
    if (def.type === "record") return this.#record(def.valueType as z.core.$ZodType);
    if (def.type === "tuple") return this.#tuple(def.items);
    const reading = coercedReader(kindOf(inner), isCoercing(inner));
    return reading && plainReader(reading);
  }

  #list(element: z.core.$ZodType): Reader {
    const item = this.#item(element);
    return (value, path, issues) => {
      if (!Array.isArray(value)) return value;
      const items = value.map((own, i) => item(own, joined(path, i), issues));
      return items.some((own, i) => own !== value[i]) ? items : value;
    };
  }

  #record(valueType: z.core.$ZodType): Reader {
    const item = this.#item(valueType);
    return (value, path, issues) => {
      if (!isObject(value)) return value;
      const entries = Object.entries(value).map(([key, own]) => [key, item(own, joined(path, key), issues)] as const);
      return entries.some(([key, own]) => own !== value[key]) ? Object.fromEntries(entries) : value;
    };
  }

  #tuple(types: readonly z.core.$ZodType[]): Reader {
    const items = types.map((type) => this.#item(type));
    return (value, path, issues) =>
      Array.isArray(value) ? value.map((own, i) => items[i]?.(own, joined(path, i), issues) ?? own) : value;
  }

  /** A list item cannot be omitted: a null that `z.coerce` would turn into a value is refused. */
  #item(schema: z.core.$ZodType): Reader {
    const read = this.#of(schema);
    const refusesNull = coerces(schema) && !takesNull(schema);
    return (value, path, issues) => {
      if (value === null) {
        if (refusesNull) issues.push({ field: path, value: "null", rule: "must have a value here, not null" });
        return value;
      }
      return read ? read(value, path, issues) : value;
    };
  }
}

function readFields(fields: readonly Field[], value: Record<string, unknown>, path: string, issues: SpecIssue[]) {
  let copy: Record<string, unknown> | undefined;
  for (const field of fields) {
    const before = value[field.name];
    const after = readField(field, before, path, issues);
    if (after === before) continue;
    copy ??= { ...value };
    if (after === undefined) delete copy[field.name];
    else copy[field.name] = after;
  }
  return copy ?? value;
}

/** A missing value is omitted; if the field cannot be omitted but accepts null, it is null. */
function readField(field: Field, value: unknown, path: string, issues: SpecIssue[]): unknown {
  if (value === undefined) {
    if (field.mustBeGiven) issues.push(missing(field, path, "undefined", "is missing"));
    return undefined;
  }
  if (value === null) {
    if (field.takesNull) return null;
    if (!field.takesNothing) issues.push(missing(field, path, "null", "is missing: null means no value"));
    return undefined;
  }
  if (value === EMPTY) {
    if (field.takesNothing) return undefined;
    if (field.takesNull) return null;
    issues.push(missing(field, path, "(empty)", "is missing: an empty cell means no value"));
    return undefined;
  }
  return field.read ? field.read(value, joined(path, field.name), issues) : value;
}

function missing({ name }: Field, path: string, value: string, rule: string): SpecIssue {
  return { field: joined(path, name), value, rule };
}

function plainReader(reading: Reading): Reader {
  return (value, path, issues) => {
    const result = reading(value);
    if (!(result instanceof Refused)) return result;
    issues.push({ field: path, value: preview(value), rule: result.rule });
    return value;
  };
}

/** Whether the field accepts null itself; a null converted by `z.coerce` does not count. */
function takesNull(schema: z.core.$ZodType): boolean {
  const result = tryParse(schema, null);
  return result.success && (result.data === null || !coerces(schema));
}

function coerces(schema: z.core.$ZodType): boolean {
  const { inner } = unwrap(schema);
  const def = inner._zod.def as z.core.$ZodUnionDef;
  return isCoercing(inner) || (def.type === "union" && def.options.some(coerces));
}

function isCoercing(inner: z.core.$ZodType): boolean {
  return (inner._zod.def as { coerce?: boolean }).coerce === true;
}

/** A user's transform may throw on unexpected values. */
function tryParse(schema: z.core.$ZodType, value: unknown): { success: true; data: unknown } | { success: false } {
  try {
    const result = z.core.safeParse(schema, value);
    return result.success ? { success: true, data: result.data } : { success: false };
  } catch {
    return { success: false };
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function joined(path: string, name: string | number): string {
  return path === "" ? String(name) : `${path}.${name}`;
}
