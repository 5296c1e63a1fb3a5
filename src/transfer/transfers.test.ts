import { expect, it } from "vitest";
import { RunLayout } from "../run/layout.ts";
import { memoryStorage } from "../storage/memory.ts";
import { Transfers } from "./transfers.ts";

it.each([0, -1, 1.5, Number.NaN, "many" as unknown as number])("refuses a concurrency of %s", async (concurrency) => {
  const storage = memoryStorage();
  const transfers = new Transfers({
    storage,
    locate: async () => RunLayout.parse("study/v1.0.0/2026-01-01_00-00-00")!,
    listRuns: async () => [],
    openStorage: async () => memoryStorage(),
  });
  const refused = { code: "invalid_input", message: `concurrency must be a whole number from 1, not ${concurrency}` };
  await expect(transfers.copy("study", memoryStorage("target"), { concurrency })).rejects.toMatchObject(refused);
  await expect(transfers.download("study", "folder", { concurrency })).rejects.toMatchObject(refused);
});
