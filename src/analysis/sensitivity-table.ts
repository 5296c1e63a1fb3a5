import type { Sensitivity } from "./sensitivity-result.ts";

/** The indices as a Parquet table: one row an output, index and input, which pandas reads as its MultiIndex. */
export async function sensitivityParquet(sensitivity: Sensitivity): Promise<Uint8Array> {
  const rows = await import("./sensitivity-rows.ts");
  return rows.sensitivityParquet(sensitivity);
}
