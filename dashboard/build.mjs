// Bundles script and style of the dashboard into the Python package, says how large they are, and fails where that is too much.
import { build } from "esbuild";
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const GZIPPED_BYTES_MAX = { "app.js": 60_000, "app.css": 20_000, "icons.svg": 5_000, "icon.svg": 1_000 };
const here = dirname(fileURLToPath(import.meta.url));
const outdir = process.argv[2] || join(here, "../trackrecord/dashboard/static");

const { outputFiles } = await build({
  absWorkingDir: here,
  entryPoints: { app: "src/app.ts", "app-style": "src/app.css" },
  bundle: true,
  minify: true,
  format: "iife",
  target: "es2022",
  charset: "utf8",
  legalComments: "none",
  outdir,
  write: false,
});
const text = (name) => outputFiles.find((file) => file.path.endsWith(name)).text;
const files = {
  "icon.svg": readFileSync(join(here, "src/icon.svg"), "utf8"),
  "icons.svg": readFileSync(join(here, "src/icons.svg"), "utf8"),
  "app.css": text("app-style.css"),
  "app.js": text("app.js"), // the last one written is what tells whether there was a build
};
for (const [name, contents] of Object.entries(files)) {
  const bytes = gzipSync(contents, { level: 9 }).length;
  console.log(`${name}: ${contents.length} bytes, ${bytes} gzipped, of at most ${GZIPPED_BYTES_MAX[name]}`);
  if (bytes > GZIPPED_BYTES_MAX[name]) {
    console.error(`${name} is too large: every page waits for it`);
    process.exit(1);
  }
}
mkdirSync(outdir, { recursive: true });
for (const [name, contents] of Object.entries(files)) {
  writeFileSync(join(outdir, `${name}.part`), contents);
  renameSync(join(outdir, `${name}.part`), join(outdir, name));
}
