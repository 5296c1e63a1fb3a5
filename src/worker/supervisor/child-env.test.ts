import { expect, it } from "vitest";
import { childEnv } from "./child-env.ts";

const env = {
  PATH: "/bin",
  HOME: "/h",
  LANG: "C",
  LC_ALL: "C",
  TZ: "UTC",
  TMPDIR: "/t",
  NODE_OPTIONS: "--x",
  SCYTHE_X: "1",
  AWS_ACCESS_KEY_ID: "a",
  AWS_SECRET_ACCESS_KEY: "b",
  AWS_SESSION_TOKEN: "c",
  AWS_PROFILE: "p",
  GITHUB_TOKEN: "g",
  HATCHET_CLIENT_TOKEN: "h",
  NODE_AUTH_TOKEN: "n",
  SCYTHE_SECRET: "s",
  DATABASE_URL: "d",
  SSH_AUTH_SOCK: "k",
  NODE_MIRROR: "https://ann:pass@registry/",
  "npm_config_//r/:_authToken": "t",
};

it("passes on what processes need, and no keys or tokens", () => {
  expect(Object.keys(childEnv([], env)).sort()).toEqual(
    ["HOME", "LANG", "LC_ALL", "NODE_OPTIONS", "PATH", "SCYTHE_X", "TMPDIR", "TZ"].sort(),
  );
});

it("passes on what the config names, by name or by how it begins", () => {
  const own = childEnv(["AWS_*", "DATABASE_URL", "NONE", "GITHUB.TOKEN"], env);
  expect(own).toMatchObject({ AWS_ACCESS_KEY_ID: "a", AWS_SECRET_ACCESS_KEY: "b", DATABASE_URL: "d", PATH: "/bin" });
  expect(own).not.toHaveProperty("GITHUB_TOKEN");
  expect(own).not.toHaveProperty("NONE");
});
