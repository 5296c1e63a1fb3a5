import type { Column, ColumnType } from "../schema/columns.ts";
import { BatchBuilder } from "../table/batch.ts";
import { pandasMetadata } from "../table/pandas.ts";
import { parquetBytes } from "../table/write-parquet.ts";
import type { Sensitivity } from "./sensitivity-result.ts";

/** One index of one output. */
export interface SensitivityRow {
  output: string;
  index: string;
  input: string;
  /** The other input of an index of two. */
  with: string | null;
  value: number | null;
  half_width: number | null;
  low: number | null;
  high: number | null;
  method: string;
  /** Blocks of rows that were used, of those that the design has. */
  blocks_used: bigint;
  blocks_planned: bigint;
}

const column = (name: keyof SensitivityRow, kind: ColumnType["kind"], nullable = false): Column => ({
  ...{ name, nullable, optional: false, file: false },
  type: { kind } as ColumnType,
});

/** What pandas reads as the table's index. */
const LEVELS: readonly Column[] = [
  column("output", "string"),
  column("index", "string"),
  column("input", "string"),
  column("with", "string", true),
];
const VALUES: readonly Column[] = [
  column("value", "float64", true),
  column("half_width", "float64", true),
  column("low", "float64", true),
  column("high", "float64", true),
  column("method", "string"),
  column("blocks_used", "bigint"),
  column("blocks_planned", "bigint"),
];

export const SENSITIVITY_COLUMNS: readonly Column[] = [...LEVELS, ...VALUES];

/** The indices as rows of a table, output by output. */
export function sensitivityRows({ method, outputs }: Sensitivity): SensitivityRow[] {
  return outputs.flatMap(({ output, blocks, indices }) =>
    indices.map(({ index, input, with: other, value, halfWidth }) => {
      const hasInterval = value !== null && halfWidth !== null;
      return {
        ...{ output, index, input, with: other, value, half_width: halfWidth },
        low: hasInterval ? value - halfWidth : null,
        high: hasInterval ? value + halfWidth : null,
        method,
        blocks_used: BigInt(blocks.used),
        blocks_planned: BigInt(blocks.planned),
      };
    }),
  );
}

/** The rows as a Parquet file, which pandas reads with output, index and inputs as its MultiIndex. */
export function sensitivityParquet(sensitivity: Sensitivity): Uint8Array {
  const builder = new BatchBuilder(SENSITIVITY_COLUMNS);
  for (const row of sensitivityRows(sensitivity)) builder.append({ ...row });
  return parquetBytes(builder.take(), { pandas: pandasMetadata(LEVELS, VALUES) });
}
