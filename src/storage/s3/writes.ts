import { createHash, randomBytes } from "node:crypto";
import type { ObjectInfo, PutCondition, PutResult } from "../storage.ts";
import { isConditionFailed, isNoKey } from "./errors.ts";
import { plainEtag, quotedEtag, type S3Place } from "./place.ts";

/**
 * Distinguishes our own earlier write from that of another process. When an answer is lost, the retry of a conditional
 * write finds the condition broken, perhaps by its own first attempt. So each conditional write stores a random token,
 * followed by those of the writes that it replaces: if our token is in the list, our write succeeded.
 */
const TOKENS = "scythe-writes";
/** Hex SHA-256 of the content, for readers to verify. */
const SHA256 = "scythe-sha256";
/** Tokens kept: at most this many writes may come between an attempt and its retry. */
const MAX_TOKENS = 64;
/** Most keys whose tokens are cached; for others one more HEAD is needed. */
const MAX_CACHED = 500;

export interface S3Head extends ObjectInfo {
  metadata: Record<string, string>;
}

/** The content to store; may be read more than once, in any order. */
export interface Content {
  size: number;
  sha256(): Promise<string>;
  /** @param end one past the last byte */
  read(start: number, end: number): Promise<Uint8Array>;
}

/** A prepared write. */
export interface S3Write {
  key: string;
  condition: PutCondition;
  token: string;
  sha256: string;
  metadata: Record<string, string>;
}

/** The headers of a condition. */
export function conditionHeaders({ ifAbsent, ifMatch }: PutCondition): { IfNoneMatch?: string; IfMatch?: string } {
  if (ifAbsent) return { IfNoneMatch: "*" };
  return ifMatch === undefined ? {} : { IfMatch: quotedEtag(ifMatch) };
}

/** True when the condition did not hold: another writer was first, or there is nothing to replace. */
export function isRefused(error: unknown, { ifMatch }: PutCondition): boolean {
  return isConditionFailed(error) || (ifMatch !== undefined && isNoKey(error));
}

export const sha256In = (metadata: Record<string, string> | undefined): string | undefined => metadata?.[SHA256];

export class S3Writes {
  readonly #place: S3Place;
  readonly #known = new Map<string, { etag: string; tokens: string[] }>();

  constructor(place: S3Place) {
    this.#place = place;
  }

  /** @returns undefined when the condition is already known not to hold */
  async begin(key: string, sha256: string, condition: PutCondition): Promise<S3Write | undefined> {
    const token = randomBytes(6).toString("base64url");
    if (!condition.ifAbsent && condition.ifMatch === undefined) {
      return { key, condition, token, sha256, metadata: { [SHA256]: sha256 } };
    }
    const earlier = condition.ifMatch === undefined ? [] : await this.#tokensOf(key, condition.ifMatch);
    if (!earlier) return undefined;
    const tokens = [token, ...earlier].slice(0, MAX_TOKENS).join(",");
    return { key, condition, token, sha256, metadata: { [SHA256]: sha256, [TOKENS]: tokens } };
  }

  /** Caches an object's metadata, so that a compare-and-swap after a read needs no further request. */
  note(key: string, etag: string, metadata: Record<string, string> | undefined): void {
    this.#known.delete(key);
    const tokens = tokensIn(metadata);
    if (!tokens) return;
    this.#known.set(key, { etag, tokens });
    if (this.#known.size > MAX_CACHED) this.#known.delete(this.#known.keys().next().value!);
  }

  /**
   * The outcome of a write whose condition was found broken after an attempt without an answer.
   * @returns undefined when the key no longer exists
   */
  async outcome(write: S3Write, size: number): Promise<PutResult | undefined> {
    const found = await this.head(write.key, "write");
    if (!found) return undefined;
    const tokens = tokensIn(found.metadata);
    if (tokens?.[0] === write.token) return { written: true, etag: found.etag };
    if (tokens?.includes(write.token)) return { written: true, etag: `replaced-${write.token}` }; // matches nothing
    if (tokens || found.size !== size) return { written: false };
    return (await this.#isSame(write, found)) ? { written: true, etag: found.etag } : { written: false };
  }

  async head(key: string, verb = "look at"): Promise<S3Head | undefined> {
    const found = await this.#head(key, verb);
    if (!found) await this.#place.assertBucketExists(); // here a missing bucket looks like a missing key
    return found;
  }

  #head(key: string, verb: string): Promise<S3Head | undefined> {
    const { bucket, call, action, objectKey } = this.#place;
    const Key = objectKey(key);
    return call(action(verb, "s3:GetObject", key), async ({ sdk, client }) => {
      try {
        const answer = await client.send(new sdk.HeadObjectCommand({ Bucket: bucket, Key }));
        const etag = plainEtag(answer.ETag);
        const metadata = answer.Metadata ?? {};
        this.note(key, etag, metadata);
        const modified = answer.LastModified ?? new Date(0);
        return { key, size: answer.ContentLength ?? 0, etag, modified, metadata };
      } catch (error) {
        if (isNoKey(error)) return undefined;
        throw error;
      }
    });
  }

  async #tokensOf(key: string, etag: string): Promise<string[] | undefined> {
    const known = this.#known.get(key);
    if (known?.etag === etag) return known.tokens;
    const found = await this.head(key, "write");
    return found?.etag === etag ? (tokensIn(found.metadata) ?? []) : undefined;
  }

  /** Compares the content itself, for servers that do not keep metadata. */
  async #isSame(write: S3Write, found: S3Head): Promise<boolean> {
    const stored = sha256In(found.metadata);
    if (stored !== undefined) return stored === write.sha256;
    const { bucket, call, action, objectKey } = this.#place;
    const Key = objectKey(write.key);
    return call(action("read", "s3:GetObject", write.key), async ({ sdk, client }) => {
      const answer = await client.send(new sdk.GetObjectCommand({ Bucket: bucket, Key }));
      const hash = createHash("sha256");
      for await (const chunk of answer.Body as AsyncIterable<Uint8Array>) hash.update(chunk);
      return hash.digest("hex") === write.sha256;
    });
  }
}

function tokensIn(metadata: Record<string, string> | undefined): string[] | undefined {
  return metadata?.[TOKENS]?.split(",");
}
