import type { RunOverview } from "../../index.ts";
import type { Style } from "./style.ts";

const PAINTS: Record<RunOverview["status"], "green" | "cyan" | "yellow" | "red"> = {
  complete: "green",
  allocating: "cyan",
  allocated: "cyan",
  running: "cyan",
  paused: "yellow",
  interrupted: "yellow",
  cancelled: "yellow",
  failed: "red",
};

/** Paints `text` in the colour of a status: red also for a complete run with failed specs. */
export function paintStatus(
  style: Style,
  { status, failed }: Pick<RunOverview, "status" | "failed">,
  text: string,
): string {
  if (status === "complete" && (failed ?? 0) > 0) return style.red(text);
  return style[PAINTS[status]](text);
}
