import { describe, expect, it } from "vitest";
import { commandText } from "./command-text.ts";

describe("what was typed", () => {
  it("is told so that it can be typed again", () => {
    expect(commandText(["run", "fits", "--specs", "my specs.csv", "--seed", "7"])).toBe(
      "scythe run fits --specs 'my specs.csv' --seed 7",
    );
    expect(commandText(["run", "fits", "--grid", "angle=1,2", "--storage", "s3://bucket/prefix"])).toBe(
      "scythe run fits --grid 'angle=1,2' --storage s3://bucket/prefix",
    );
  });

  it.each([
    [["--set", "api_key=abcdef"]],
    [["--set", "dbPassword=abcdef"]],
    [["--token", "abcdef"]],
    [["--set", "source=https://user:abcdef@example.org/a.csv"]],
    [["--set", "source=https://example.org/a.csv?X-Amz-Signature=abcdef"]],
    [["https://abcdef@example.org/specs.csv"]],
    [["--set", "sources=https://a.org/x?sig=abcdef,https://b.org/y?sig=abcdef"]],
    [["--set=secret=abcdef"]],
  ])("tells no secret: %j", (words) => {
    expect(commandText(["run", "fits", ...words])).not.toContain("abcdef");
  });
});
