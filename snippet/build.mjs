// Bundles the script into the Python package, says how large it is, and fails where that is too much.
import { build } from "esbuild";
import { minify } from "terser";
import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const GZIPPED_BYTES_MAX = 6000;
const here = dirname(fileURLToPath(import.meta.url));
const outfile = process.argv[2] || join(here, "../trackrecord/messenger/static/widget.js");

const { outputFiles } = await build({
  absWorkingDir: here,
  entryPoints: ["src/index.ts"],
  bundle: true,
  minifySyntax: true,
  format: "iife",
  target: "es2018",
  charset: "ascii",
  legalComments: "none",
  sourcemap: "external",
  outfile,
  write: false,
});
const bundled = (end) => outputFiles.find((file) => file.path.endsWith(end)).text;
const { code, map } = await minify(bundled(".js"), {
  ecma: 2018,
  toplevel: true,
  compress: { passes: 3, unsafe_arrows: true },
  format: { ascii_only: true },
  sourceMap: { includeSources: true, content: bundled(".map") }, // the server adds its address to the script
});
const bytes = gzipSync(code, { level: 9 }).length;
console.log(`widget.js: ${code.length} bytes, ${bytes} gzipped, of at most ${GZIPPED_BYTES_MAX}`);
if (bytes > GZIPPED_BYTES_MAX) {
  console.error("widget.js is too large: pages would wait for it");
  process.exit(1);
}
mkdirSync(dirname(outfile), { recursive: true });
// The script comes last: it is what tells whether there was a build.
for (const [path, contents] of [
  [`${outfile}.map`, map],
  [outfile, code],
]) {
  writeFileSync(`${path}.part`, contents);
  renameSync(`${path}.part`, path);
}
