import { setTimeout as sleep } from "node:timers/promises";
import type { S3Address } from "./address.ts";
import { connect, type S3Connection } from "./client.ts";
import { isUnreachable, isWithoutCredentials, kindOf, type S3Action, statusOf, translate, triesFor } from "./errors.ts";
import type { ConnectionLimits, RetryLimits } from "./limits.ts";

export type Attempt<T> = (connection: S3Connection, attempt: number) => Promise<T>;

/**
 * Runs one request and retries transient errors.
 * @throws ScytheError
 */
export type Call = <T>(action: S3Action, attempt: Attempt<T>) => Promise<T>;

const MAX_PAUSE_MS = 5_000;
const MIN_TRIES = 4;

/** Connects at the first call and limits the number of connections: a request that waits for one cannot time out. */
export function makeCall(address: S3Address, limits: ConnectionLimits & RetryLimits): Call {
  const limited = limitConcurrency(limits.connections);
  let connecting: Promise<S3Connection> | undefined;
  let answered = false;

  const connected = () => {
    connecting ??= connect(address, limits).catch((error) => {
      connecting = undefined;
      throw error;
    });
    return connecting;
  };
  const mustGiveUp = (error: unknown, attempt: number, ofItsKind: number, elapsedMs: number) => {
    const hadCredentials = answered && isWithoutCredentials(error); // they worked before and could not be renewed this time
    if (ofItsKind >= (hadCredentials ? MIN_TRIES : triesFor(error))) return true;
    if (!answered && isUnreachable(error)) return elapsedMs >= limits.unreachableMs;
    return elapsedMs >= limits.giveUpMs && attempt >= MIN_TRIES;
  };

  return async (action, run) => {
    const start = performance.now();
    const connection = await connected().catch((error) => {
      throw translate(error, action, []);
    });
    const seen = new Map<string, number>(); // counted per kind: few retries of one kind do not use up those of others
    for (let attempt = 1; ; attempt++) {
      try {
        const result = await limited(() => run(connection, attempt));
        answered = true;
        return result;
      } catch (error) {
        answered ||= statusOf(error) !== undefined;
        const pauseMs = pauseFor(attempt, limits.pauseMs);
        const ofItsKind = (seen.get(kindOf(error)) ?? 0) + 1;
        seen.set(kindOf(error), ofItsKind);
        if (mustGiveUp(error, attempt, ofItsKind, performance.now() - start + pauseMs)) {
          throw translate(error, action, await connection.secrets());
        }
        await sleep(pauseMs);
      }
    }
  };
}

/** Exponential backoff, half of it random, so that clients refused together do not return together. */
function pauseFor(attempt: number, firstMs: number): number {
  const longest = Math.min(MAX_PAUSE_MS, firstMs * 2 ** (attempt - 1));
  return longest * (0.5 + Math.random() / 2);
}

/** Runs at most `count` tasks concurrently, over all callers; others wait in order. */
function limitConcurrency(count: number): <T>(work: () => Promise<T>) => Promise<T> {
  const waiting: (() => void)[] = [];
  let free = count;
  return async (work) => {
    if (free > 0) free--;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else free++;
    }
  };
}
