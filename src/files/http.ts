import { lookup } from "node:dns/promises";
import { createWriteStream } from "node:fs";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import { BlockList, isIP } from "node:net";
import { Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { messageOf, ScytheError } from "../errors.ts";

export interface HttpOptions {
  /** Hosts (`host` or `host:port`) that may be fetched from although they are private. */
  allowHosts?: readonly string[];
  maxBytes?: number;
  /** For the whole download. */
  timeoutMs?: number;
}

const MAX_BYTES = 8 * 2 ** 30;
const TIMEOUT_MS = 15 * 60_000;
const IDLE_MS = 30_000;
const MAX_REDIRECTS = 5;

/**
 * Downloads a URL to a file. A spec's author chooses the URL, and a worker inside a private network follows it. So at
 * every hop the host's address is looked up once, must be public, and is the address connected to: a second look-up
 * could return another.
 * @throws ScytheError `invalid_input` naming the limit or rule it broke; a partial file may remain
 */
export async function downloadHttp(url: string, path: string, options: HttpOptions = {}): Promise<void> {
  const signal = AbortSignal.timeout(options.timeoutMs ?? TIMEOUT_MS);
  let at = parseUrl(url);
  for (let hop = 0; hop <= MAX_REDIRECTS; hop++) {
    const response = await open(at, options, signal);
    const status = response.statusCode ?? 0;
    const { location } = response.headers;
    if (status >= 300 && status < 400 && location) {
      response.resume();
      at = parseUrl(new URL(location, at).href);
      continue;
    }
    if (status !== 200) {
      response.resume();
      throw refused(at, `the server answered ${status}`);
    }
    await save(response, at, path, options.maxBytes ?? MAX_BYTES, signal);
    return;
  }
  throw refused(at, `more than ${MAX_REDIRECTS} redirects`);
}

function parseUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url && (url.protocol === "http:" || url.protocol === "https:")) return url;
  throw new ScytheError("invalid_input", `Cannot fetch ${text}: only http:// and https:// are fetched`);
}

async function open(url: URL, options: HttpOptions, signal: AbortSignal): Promise<IncomingMessage> {
  const address = await vettedAddress(url, options.allowHosts ?? []);
  const request = url.protocol === "https:" ? httpsRequest : httpRequest;
  return new Promise((resolve, reject) => {
    const fail = (error: unknown) => reject(refused(url, messageOf(error), error));
    const outgoing = request(url, {
      signal,
      headers: { "user-agent": "scythe-ts", "accept-encoding": "identity" },
      lookup: (_host, lookupOptions, callback) => {
        if (lookupOptions.all) callback(null, [address]);
        else callback(null, address.address, address.family);
      },
    });
    outgoing.setTimeout(IDLE_MS, () => outgoing.destroy(new Error(`no data for ${IDLE_MS / 1000} s`)));
    outgoing.on("response", resolve).on("error", fail).end();
  });
}

interface Address {
  address: string;
  family: number;
}

/** The address to connect to. All addresses of a name must be public. */
async function vettedAddress(url: URL, allowHosts: readonly string[]): Promise<Address> {
  const host = url.hostname.replace(/^\[|\]$/g, "");
  const addresses = isIP(host)
    ? [{ address: host, family: isIP(host) }]
    : await lookup(host, { all: true }).catch((error) => {
        throw refused(url, `no address for ${host}`, error);
      });
  const allowed = allowHosts.includes(host) || allowHosts.includes(url.host);
  const hidden = addresses.find(({ address }) => !isPublic(address));
  if (hidden && !allowed) {
    throw new ScytheError(
      "invalid_input",
      `Will not fetch ${url.origin}${url.pathname}: ${hidden.address} is not a public address`,
      {
        hint: `If you trust it, name the host in the config: allowHosts: [${JSON.stringify(url.host)}].`,
      },
    );
  }
  return addresses[0]!;
}

/** IANA's special-purpose registries (RFC 6890 and its updates): not globally reachable. */
const HIDDEN = new BlockList();
for (const [net, bits] of [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.0.0.0", 24],
  ["192.0.2.0", 24],
  ["192.88.99.0", 24],
  ["192.168.0.0", 16],
  ["198.18.0.0", 15],
  ["198.51.100.0", 24],
  ["203.0.113.0", 24],
  ["224.0.0.0", 3],
] as const) {
  HIDDEN.addSubnet(net, bits, "ipv4");
}
/** Only 2000::/3 is global; of it, documentation, benchmarks and tunnels that lead to IPv4 are not. */
const GLOBAL6 = new BlockList();
GLOBAL6.addSubnet("2000::", 3, "ipv6");
for (const [net, bits] of [
  ["2001::", 23],
  ["2001:db8::", 32],
  ["2002::", 16],
  ["3fff::", 20],
] as const) {
  HIDDEN.addSubnet(net, bits, "ipv6");
}

export function isPublic(address: string): boolean {
  if (isIP(address) === 4) return !HIDDEN.check(address, "ipv4");
  return isIP(address) === 6 && GLOBAL6.check(address, "ipv6") && !HIDDEN.check(address, "ipv6");
}

async function save(
  response: IncomingMessage,
  url: URL,
  path: string,
  maxBytes: number,
  signal: AbortSignal,
): Promise<void> {
  const expected = Number(response.headers["content-length"] ?? Number.NaN);
  if (expected > maxBytes) {
    response.destroy();
    throw refused(url, `it has ${expected} bytes, more than the ${maxBytes} allowed`);
  }
  let bytes = 0;
  const count = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length;
      done(bytes > maxBytes ? new Error(`it has more than the ${maxBytes} bytes allowed`) : null, chunk);
    },
  });
  try {
    await pipeline(response, count, createWriteStream(path), { signal });
  } catch (error) {
    throw refused(url, messageOf(error), error);
  }
  if (expected >= 0 && bytes !== expected) throw refused(url, `it ended after ${bytes} of ${expected} bytes`);
}

/** Omits what may be secret in a URL: user, password, query. */
function refused(url: URL, why: string, cause?: unknown): ScytheError {
  return new ScytheError("invalid_input", `Could not fetch ${url.origin}${url.pathname}: ${why}`, {
    hint: "Check the address, or store the file with the run by giving a local path.",
    cause,
  });
}
