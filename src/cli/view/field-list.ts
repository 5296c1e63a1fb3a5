import { type AnyExperiment, inputSchemaOf } from "../../index.ts";
import { jsonText } from "./json-text.ts";
import { tableText } from "./table-text.ts";

/** A field of an experiment's input, as a person types it. */
export interface Field {
  name: string;
  /** `number 0 … 15`, `a | b`, `file`, `whole number ≥ 1`. */
  type: string;
  required: boolean;
  default: unknown;
  description: string;
}

type Schema = Record<string, unknown>;

export function fieldsOf(experiment: AnyExperiment): Field[] {
  const schema = inputSchemaOf(experiment);
  const required = new Set((schema.required as string[] | undefined) ?? []);
  return Object.entries((schema.properties as Record<string, Schema> | undefined) ?? {}).map(([name, property]) => ({
    name,
    type: typeText(property),
    required: required.has(name),
    default: property.default,
    description: (property.description as string | undefined) ?? "",
  }));
}

/** The fields as an aligned table. */
export function fieldTable(fields: readonly Field[]): string {
  const rows = fields.map((field) => [field.name, field.type, needText(field), field.description]);
  const columns = ["field", "type", "", "description"].map((name) => ({ name }));
  return tableText(columns, rows, { indent: 2 }).text;
}

function needText(field: Field): string {
  if (field.default !== undefined) return `default ${jsonText(field.default)}`;
  return field.required ? "required" : "optional";
}

const NAMES: Record<string, string> = { integer: "whole number", boolean: "true | false" };
const FORMATS: Record<string, string> = {
  "uri-reference": "file",
  "date-time": "date and time",
  date: "date",
  time: "time",
};

/** What a schema takes, in few words. */
export function typeText(schema: Schema): string {
  const choices = schema.enum as unknown[] | undefined;
  if (choices) return choices.map(choiceText).join(" | ");
  if (schema.const !== undefined) return choiceText(schema.const);
  const options = (schema.anyOf ?? schema.oneOf) as Schema[] | undefined;
  if (options) return options.map(typeText).join(" | ");
  if (Array.isArray(schema.type)) return schema.type.map((type) => typeText({ ...schema, type })).join(" | ");
  if (schema.type === "array") return `list of ${typeText((schema.items as Schema | undefined) ?? {})}`;
  const format = FORMATS[schema.format as string];
  if (schema.type === "string") return format ?? "text";
  const name = NAMES[schema.type as string] ?? String(schema.type ?? "any");
  return `${name}${boundsText(schema)}`;
}

/** As it is typed after `--set field=`. */
function choiceText(choice: unknown): string {
  return typeof choice === "string" ? choice : jsonText(choice);
}

function boundsText(schema: Schema): string {
  const low = limitOf(schema.minimum);
  const high = limitOf(schema.maximum);
  const above = limitOf(schema.exclusiveMinimum);
  const below = limitOf(schema.exclusiveMaximum);
  if (low !== undefined && high !== undefined) return ` ${low} … ${high}`;
  const parts = [];
  if (low !== undefined) parts.push(`≥ ${low}`);
  if (above !== undefined) parts.push(`> ${above}`);
  if (high !== undefined) parts.push(`≤ ${high}`);
  if (below !== undefined) parts.push(`< ${below}`);
  return parts.length > 0 ? ` ${parts.join(", ")}` : "";
}

/** The bounds of every safe integer are not worth telling. */
function limitOf(value: unknown): number | undefined {
  return typeof value === "number" && Math.abs(value) < Number.MAX_SAFE_INTEGER ? value : undefined;
}
