import { setTimeout as sleep } from "node:timers/promises";
import type { ConnectionLimits, RetryLimits, S3Address } from "./address.ts";
import { connect, type S3Connection } from "./client.ts";
import { isUnreachable, isWithoutCredentials, kindOf, type S3Action, statusOf, translate, triesFor } from "./errors.ts";

export type Attempt<T> = (connection: S3Connection, attempt: number) => Promise<T>;

/** Runs one request, again and again while what goes wrong may pass. @throws ScytheError */
export type Call = <T>(action: S3Action, attempt: Attempt<T>) => Promise<T>;

const LONGEST_PAUSE_MS = 5_000;
const LEAST_TRIES = 4;

/** Connects at the first call, and keeps to the number of connections: a request that waits its turn cannot time out. */
export function makeCall(address: S3Address, limits: ConnectionLimits & RetryLimits): Call {
  const inTurn = turns(limits.connections);
  let connecting: Promise<S3Connection> | undefined;
  let answered = false;

  const connected = () => {
    connecting ??= connect(address, limits).catch((error) => {
      connecting = undefined;
      throw error;
    });
    return connecting;
  };
  const isHopeless = (error: unknown, attempt: number, ofItsKind: number, elapsedMs: number) => {
    const wasLetIn = answered && isWithoutCredentials(error); // it has had some, and could not renew them this time
    if (ofItsKind >= (wasLetIn ? LEAST_TRIES : triesFor(error))) return true;
    if (!answered && isUnreachable(error)) return elapsedMs >= limits.unreachableMs;
    return elapsedMs >= limits.giveUpMs && attempt >= LEAST_TRIES;
  };

  return async (action, run) => {
    const start = performance.now();
    const connection = await connected().catch((error) => {
      throw translate(error, action, []);
    });
    const met = new Map<string, number>(); // a kind that is given up soon does not answer for the others before it
    for (let attempt = 1; ; attempt++) {
      try {
        const result = await inTurn(() => run(connection, attempt));
        answered = true;
        return result;
      } catch (error) {
        answered ||= statusOf(error) !== undefined;
        const pauseMs = pauseFor(attempt, limits.pauseMs);
        const ofItsKind = (met.get(kindOf(error)) ?? 0) + 1;
        met.set(kindOf(error), ofItsKind);
        if (isHopeless(error, attempt, ofItsKind, performance.now() - start + pauseMs)) {
          throw translate(error, action, await connection.secrets());
        }
        await sleep(pauseMs);
      }
    }
  };
}

/** Grows with every attempt; its half is left to chance, so that those who were refused together do not return together. */
function pauseFor(attempt: number, firstMs: number): number {
  const longest = Math.min(LONGEST_PAUSE_MS, firstMs * 2 ** (attempt - 1));
  return longest * (0.5 + Math.random() / 2);
}

/** Lets at most `count` run at the same time, whoever asks; the others wait in line. */
function turns(count: number): <T>(work: () => Promise<T>) => Promise<T> {
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
