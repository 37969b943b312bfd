import { relative } from 'node:path';
import { build, type Plugin } from 'rolldown';

/**
 * Joins a built program into some files instead of two thousand, because Node takes a third of a millisecond for each (docs/decisions/one-program.md).
 *
 *     node join-program.ts <folder> <name>=<file> …
 *
 * Every entry becomes `<folder>/<name>.js`; a worker keeps the name by which it is looked up beside the file that starts it.
 */
const [folder = '', ...entries] = process.argv.slice(2);

/** What stays where it was installed: machine code with the file that finds it, and packages that read files beside themselves. */
const apart =
  /\/node_modules\/(?:node-datachannel|onnxruntime-node|swagger-ui-dist|usearch|@chainsafe\/libp2p-quic\/dist\/src\/napi\.js)/;
/** What others take only where it is installed, which is not here. */
const absent =
  /^(?:node-llama-cpp|class-transformer|class-validator|@nestjs\/(?:microservices|websockets|platform-express)|@fastify\/(?:multipart|view))/;

const leaveApart: Plugin = {
  name: 'leave-apart',
  async resolveId(source, importer, options) {
    const found = await this.resolve(source, importer, { ...options, skipSelf: true });
    return found !== null && apart.test(found.id) ? { id: relative(folder, found.id), external: true } : found;
  },
};

await build({
  input: Object.fromEntries(entries.map((entry) => entry.split('=') as [string, string])),
  external: absent,
  plugins: [leaveApart],
  platform: 'node',
  output: {
    dir: folder,
    format: 'esm',
    cleanDir: true,
    sourcemap: true,
    sourcemapExcludeSources: true,
    chunkFileNames: '[name]-[hash].js',
  },
});
