/**
 * Builds `../dist` and the list of its files for the function. With `--check`, builds into memory
 * and fails if the committed files differ.
 */
import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";

/** The largest size of all scripts and styles together, compressed. */
const BUDGET_BYTES = 40_000;

const web = dirname(fileURLToPath(import.meta.url));
const dist = join(web, "../dist");
const list = join(web, "../src/files.rs");

const hash = (bytes) => createHash("sha256").update(bytes).digest("hex").slice(0, 12);

const common = {
  bundle: true,
  minify: true,
  write: false,
  format: "esm",
  target: "es2022",
  charset: "utf8",
  legalComments: "none",
  absWorkingDir: web,
  logLevel: "warning",
};

/** Removes the indentation of CSS in templates; its meaning does not depend on it. */
const compactCss = {
  name: "compact-css",
  setup(build) {
    build.onLoad({ filter: /\.ts$/ }, async ({ path }) => {
      const text = await readFile(path, "utf8");
      const contents = text.replace(/css`[^`]*`/g, (css) =>
        css.replace(/\s*\n\s*/g, "").replace(/\/\*.*?\*\//g, "").replace(/: /g, ":").replace(/ \{/g, "{").replace(/;\}/g, "}"),
      );
      return { contents, loader: "ts" };
    });
  },
};

/** Collapses the indentation of HTML templates, where no text depends on it. Minified code has none. */
const compactHtml = (text) => text.replace(/\n\s+/g, " ");

async function bundle(entry, options = {}) {
  const result = await build({ ...common, entryPoints: [entry], plugins: [compactCss], ...options });
  return compactHtml(result.outputFiles[0].text.trimEnd()) + "\n";
}

async function files() {
  const main = await bundle("src/index.ts");
  const mainName = `xero.${hash(main)}.js`;
  const frame = await bundle("src/frame.ts", {
    plugins: [
      {
        name: "main-script",
        setup(build) {
          build.onResolve({ filter: /^\.\/index\.js$/ }, () => ({ path: `./${mainName}`, external: true }));
        },
      },
    ],
  });
  const style = await build({ ...common, entryPoints: ["src/frame.css"] });
  const css = style.outputFiles[0].text;
  return [
    { role: "Script", name: mainName, text: main },
    { role: "FrameScript", name: `frame.${hash(frame)}.js`, text: frame },
    { role: "FrameStyle", name: `frame.${hash(css)}.css`, text: css },
  ];
}

/** The list that the function embeds, in the form that rustfmt gives it. */
function listOf(built) {
  const entries = built.map(
    ({ role, name }) =>
      `    BundleFile {\n        role: FileRole::${role},\n        name: "${name}",\n` +
      `        bytes: include_bytes!("../dist/${name}"),\n    },\n`,
  );
  return (
    "//! The files of the bundle. Written by `npm run build`.\n\n" +
    "use runtime::pages::{BundleFile, FileRole};\n\n" +
    "/// Every file of the bundle.\n" +
    `pub(crate) const FILES: [BundleFile; ${built.length}] = [\n${entries.join("")}];\n`
  );
}

const built = await files();
const compressed = built.reduce((sum, file) => sum + gzipSync(file.text, { level: 9 }).length, 0);
const wanted = new Map([...built.map((file) => [join(dist, file.name), file.text]), [list, listOf(built)]]);
for (const file of built) {
  const gz = gzipSync(file.text, { level: 9 }).length;
  console.log(`${file.name}: ${file.text.length} bytes, ${gz} compressed`);
}
console.log(`together: ${compressed} of at most ${BUDGET_BYTES} bytes compressed`);
if (compressed > BUDGET_BYTES) {
  console.error("The bundle is too large.");
  process.exit(1);
}

if (process.argv.includes("--check")) {
  const present = (await readdir(dist)).map((name) => join(dist, name));
  const stray = present.filter((path) => !wanted.has(path));
  const differing = [];
  for (const [path, text] of wanted) {
    const found = await readFile(path, "utf8").catch(() => undefined);
    if (found !== text) differing.push(path);
  }
  if (stray.length + differing.length > 0) {
    for (const path of [...differing, ...stray]) console.error(`differs: ${path}`);
    console.error("The committed bundle is not the one that its sources make. Run `npm run build` and commit the result.");
    process.exit(1);
  }
  console.log("The committed bundle is the one that its sources make.");
} else {
  await rm(dist, { recursive: true, force: true });
  await mkdir(dist, { recursive: true });
  for (const [path, text] of wanted) await writeFile(path, text);
}
