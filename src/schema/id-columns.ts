import { ID_COLUMNS } from "./base.ts";
import type { Column } from "./columns.ts";

/** The first columns of every table. */
export const ID_FIELDS: readonly Column[] = ID_COLUMNS.map((name) => ({
  name,
  type: { kind: name === "sort_index" ? "int64" : "string" },
  nullable: false,
  optional: false,
  file: false,
}));

export const SORT_INDEX: Column = ID_FIELDS.find((column) => column.name === "sort_index")!;
