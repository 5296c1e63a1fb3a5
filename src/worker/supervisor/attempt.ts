import { randomUUID } from "node:crypto";

/** Tells attempts apart in the names of what they write. */
export function newAttemptId(): string {
  return randomUUID().slice(0, 8);
}
