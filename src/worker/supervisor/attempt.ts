import { randomUUID } from "node:crypto";

/** A random id that makes the names of what an attempt writes unique. */
export function newAttemptId(): string {
  return randomUUID().slice(0, 8);
}
