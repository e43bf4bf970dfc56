// The bundlers, each in a process of its own: `node build.mjs BUNDLER FROM TO` bundles page.js, sw.js and whatever worker they start from a folder into another, as a
// project of that bundler would, and prints what it warned of and which modules it used, as JSON. To add one, add a function here, and its name to `BUNDLERS` in bundlers.mjs.
import path from "node:path";

const BUNDLERS = {
  async esbuild(from, to) {
    const { build } = await import("esbuild");
    const { warnings, metafile } = await build({
      // It knows no workers: they are entries like the others.
      entryPoints: ["page.js", "worker.js", "sw.js"], absWorkingDir: from, outdir: to, bundle: true, minify: true, format: "esm", metafile: true, logLevel: "silent",
      loader: { ".wasm": "file" },
    });
    return { warnings: warnings.map(({ text }) => text), modules: Object.keys(metafile.inputs) };
  },

  async rollup(from, to) {
    const { rollup } = await import("rollup");
    const { nodeResolve } = await import("@rollup/plugin-node-resolve");
    const warnings = [];
    const input = ["page.js", "worker.js", "sw.js"].map((file) => path.join(from, file));
    const bundle = await rollup({ input, plugins: [nodeResolve({ browser: true })], onwarn: ({ message }) => warnings.push(message) });
    const { output } = await bundle.write({ dir: to, format: "es" });
    return { warnings, modules: output.flatMap(({ moduleIds = [] }) => moduleIds) };
  },

  async webpack(from, to) {
    const { default: webpack } = await import("webpack");
    const compiler = webpack({ mode: "production", context: from, entry: { page: "./page.js", sw: "./sw.js" }, output: { path: to, filename: "[name].js" } });
    const stats = await new Promise((resolve, reject) => compiler.run((error, stats) => (error ? reject(error) : resolve(stats))));
    const { errors, warnings, modules } = stats.toJson({ all: false, errors: true, warnings: true, modules: true, nestedModules: true });
    if (errors.length > 0) throw new Error(errors.map(({ message }) => message).join("\n"));
    return { warnings: warnings.map(({ message }) => message), modules: modules.flatMap((module) => [module, ...(module.modules ?? [])]).map(({ identifier }) => identifier).filter(Boolean) };
  },

  async vite(from, to) {
    const { build } = await import("vite");
    const warnings = [];
    const modules = [];
    const noted = { name: "noted", generateBundle: (_, bundle) => void modules.push(...Object.values(bundle).flatMap(({ moduleIds = [] }) => moduleIds)) };
    const warn = (message) => warnings.push(message);
    await build({
      root: from, configFile: false, base: "./", plugins: [noted], worker: { format: "es" },
      customLogger: { info() {}, warn, warnOnce: warn, error: warn, clearScreen() {}, hasErrorLogged: () => false, hasWarned: false },
      build: {
        outDir: to,
        emptyOutDir: true,
        rollupOptions: {
          input: { page: path.join(from, "index.html"), sw: path.join(from, "sw.js") },
          // A service worker needs an address that stays.
          output: { entryFileNames: ({ name }) => (name === "sw" ? "sw.js" : "assets/[name]-[hash].js") },
        },
      },
    });
    return { warnings, modules };
  },
};

const [name, from, to] = process.argv.slice(2);
const { warnings, modules } = await BUNDLERS[name](from, to);
console.log(JSON.stringify({ warnings, modules }));
