/**
 * Builds `../dist` and the list of its files for the function. With `--check`, builds into memory
 * and fails if the committed files differ.
 */
import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build, transform } from "esbuild";
import { minify } from "terser";

/** The largest size of all scripts and styles together, compressed. */
const BUDGET_BYTES = 40_000;

const web = dirname(fileURLToPath(import.meta.url));
const dist = join(web, "../dist");
const list = join(web, "../src/files.rs");

/** Members that the browser calls. */
const FROM_BROWSER = new Set(["attributeChangedCallback", "connectedCallback", "disconnectedCallback"]);

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

/** How the last step makes a bundle smaller. */
const SMALLER = { module: true, ecma: 2022, compress: { passes: 3, pure_getters: true, unsafe_arrows: true, inline: 1, keep_fargs: false, lhs_constants: false } };

/** Minifies the CSS in templates, none of which has an expression. */
const compactCss = {
  name: "compact-css",
  setup(build) {
    build.onLoad({ filter: /\.ts$/ }, async ({ path }) => {
      let contents = await readFile(path, "utf8");
      for (const [whole, css] of contents.matchAll(/css`([^`$]*)`/g)) {
        const { code } = await transform(css, { loader: "css", minify: true, target: "chrome123" });
        contents = contents.replace(whole, () => `css\`${code.trim()}\``);
      }
      return { contents, loader: "ts" };
    });
  },
};

/** Removes the indentation of HTML templates, where no text depends on it. Minified code has none. */
const compactHtml = (text) =>
  text
    .replace(/`\n\s+|\n\s+`/g, "`")
    .replace(/\n\s+(?=>|<\/)/g, "")
    .replace(/\n\s+/g, " ");

/**
 * The names that only the sources use, so that the bundle may rename them: protected members and those
 * in camel case, unless the API, the CRM's page, a template, a string or the library has the same name.
 */
async function ownNames() {
  const folder = join(web, "src");
  const files = (await readdir(folder, { recursive: true })).filter((name) => name.endsWith(".ts")).sort();
  const texts = await Promise.all(files.map((name) => readFile(join(folder, name), "utf8")));
  const api = texts[files.indexOf("api/types.ts")];
  const text = texts.filter((one) => one !== api).join("\n");
  const [options] = text.match(/^export interface Options \{.*?^\}/ms);
  const isShared = (name) =>
    FROM_BROWSER.has(name) ||
    new RegExp(`^ +"?${name}"?\\??:|"${name}"`, "m").test(api) ||
    new RegExp(`^ +${name}\\??[:(]`, "m").test(options) ||
    new RegExp(`[ .?@]${name}=|declare ${name}\\b|"${name}"`).test(text);
  const words = "(?:(?:abstract|async|get|override|readonly) )*";
  const found = text.matchAll(new RegExp(`^  (?:protected ${words}(\\w+)|${words}([a-z]+[A-Z]\\w*)(?:<\\w+>)?(?:\\??: |\\(.*\\): ))`, "gm"));
  const names = new Set([...found].map(([, member, other]) => member ?? other));
  return [...names].filter((name) => !isShared(name)).sort();
}

async function bundle(entry, options = {}) {
  const mangleProps = new RegExp(`^(${(await ownNames()).join("|")})$`);
  const result = await build({ ...common, entryPoints: [entry], plugins: [compactCss], mangleProps, ...options });
  // What esbuild writes becomes smaller still: it inlines less, and keeps more variables.
  const { code } = await minify(compactHtml(result.outputFiles[0].text.trimEnd()), SMALLER);
  return `${code}\n`;
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
