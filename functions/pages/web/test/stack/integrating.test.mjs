/** The commands of docs/integrating.md, as a reader types them in the project's folder, against the real stack. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { options, stackFile } from "./stack.mjs";

const root = join(dirname(fileURLToPath(import.meta.url)), "../../../../..");

/** Cargo runs this check and holds its lock, so `cargo local` starts the program that it would start. */
const PRELUDE = `cargo() { shift; "$LOCAL_PROGRAM" "$@"; }\n`;

/** Runs a script, and returns its exit code and its output. */
function run(script) {
  return new Promise((resolve, reject) => {
    const shell = spawn("bash", ["-euo", "pipefail", "-c", PRELUDE + script], { cwd: root, env: { ...process.env, STACK: stackFile } });
    let output = "";
    for (const stream of [shell.stdout, shell.stderr]) stream.on("data", (bytes) => (output += bytes));
    shell.on("error", reject);
    shell.on("close", (code) => resolve({ code, output }));
  });
}

test("every command of the guide for integrators works as it is written", options, async () => {
  const guide = await readFile(join(root, "docs/integrating.md"), "utf8");
  // A block with the word "up" starts a stack, which this check has done already.
  const blocks = [...guide.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map(([, script]) => script);
  assert.ok(blocks.length > 3, "the guide has commands");
  for (const script of blocks) {
    const { code, output } = await run(script);
    assert.equal(code, 0, `${script}\n${output}`);
  }
});
