import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { versitygwBinary } from "./versitygw-binary.ts";

export interface S3Server {
  endpoint: string;
  credentials: { accessKeyId: string; secretAccessKey: string };
  /** What a process that is to use this server needs in its environment. */
  env: Record<string, string>;
  /** Makes a bucket, with a random name if none is given. */
  createBucket(name?: string): Promise<string>;
  /** Stops the process and removes what it stored. */
  stop(): Promise<void>;
}

const STARTS = 6;
const READY_MS = 15_000;
/** Runs "$0" with its arguments as long as our end of the pipe is open: it ends with us, however we end. */
const UNTIL_STDIN_ENDS = 'exec 3<&0; "$0" "$@" 3<&- & pid=$!; (cat <&3; kill $pid) >/dev/null 2>&1 & wait $pid';

/** Starts a real S3 server on loopback, over a folder of its own. @returns undefined (and says why) when none is to be had */
export async function startS3Server(): Promise<S3Server | undefined> {
  const binary = await versitygwBinary();
  if (!binary) return undefined;
  const folder = await mkdtemp(join(tmpdir(), "scythe-s3-"));
  const credentials = { accessKeyId: `test-${randomUUID()}`, secretAccessKey: `secret-${randomUUID()}` };
  try {
    const { child, endpoint } = await startOnFreePort(binary, folder, credentials);
    return serverOf(child, endpoint, folder, credentials);
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

function serverOf(
  child: ChildProcess,
  endpoint: string,
  folder: string,
  credentials: S3Server["credentials"],
): S3Server {
  return {
    endpoint,
    credentials,
    env: {
      AWS_ENDPOINT_URL_S3: endpoint,
      AWS_REGION: "us-east-1",
      AWS_ACCESS_KEY_ID: credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    },
    createBucket: async (name = `test-${randomUUID()}`) => {
      process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = "true";
      const { CreateBucketCommand, S3Client } = await import("@aws-sdk/client-s3");
      const client = new S3Client({ endpoint, credentials, region: "us-east-1", forcePathStyle: true });
      await client.send(new CreateBucketCommand({ Bucket: name }));
      client.destroy();
      return name;
    },
    stop: async () => {
      await end(child);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Another process may take a port between our look and the server's start, so more than one is tried. */
async function startOnFreePort(binary: string, folder: string, credentials: S3Server["credentials"]) {
  let said = "";
  for (let left = STARTS; left > 0; left--) {
    const port = await freePort();
    const options = await storeOptions(folder, said);
    const child = spawn(
      "/bin/sh",
      [
        "-c",
        UNTIL_STDIN_ENDS,
        binary,
        "--port",
        `127.0.0.1:${port}`,
        "--keep-alive",
        "--quiet",
        "--health",
        "/health",
        "posix",
        ...options,
      ],
      {
        stdio: ["pipe", "pipe", "pipe"],
        env: {
          PATH: process.env.PATH,
          ROOT_ACCESS_KEY: credentials.accessKeyId,
          ROOT_SECRET_KEY: credentials.secretAccessKey,
        },
      },
    );
    said = "";
    const hear = (data: Buffer) => {
      said = (said + data).slice(-4_000);
    };
    child.stdout!.on("data", hear);
    child.stderr!.on("data", hear);
    const endpoint = `http://127.0.0.1:${port}`;
    if (await isReady(child, endpoint)) return { child, endpoint };
    await end(child);
  }
  throw new Error(`versitygw did not start: ${said}`);
}

/** Where the file system keeps no extended attributes, the server keeps its metadata in files beside. */
async function storeOptions(folder: string, said: string): Promise<string[]> {
  const data = join(folder, "data");
  const beside = join(folder, "metadata");
  for (const path of [data, beside]) await mkdir(path, { recursive: true });
  return /xattr|extended attr/i.test(said) ? ["--sidecar", beside, data] : [data];
}

async function isReady(child: ChildProcess, endpoint: string): Promise<boolean> {
  const deadline = Date.now() + READY_MS;
  while (Date.now() < deadline && child.exitCode === null && child.signalCode === null) {
    const answer = await fetch(`${endpoint}/health`, { signal: AbortSignal.timeout(1_000) }).catch(() => undefined);
    await answer?.arrayBuffer();
    if (answer?.ok && child.exitCode === null) return true;
    await sleep(25);
  }
  return false;
}

/** The shell ends once the server has, which it asks to when its input ends. */
async function end(child: ChildProcess): Promise<void> {
  const isGone = child.exitCode !== null || child.signalCode !== null;
  const gone = isGone ? undefined : once(child, "exit");
  child.stdin!.destroy();
  await gone;
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, "close");
  return port;
}
