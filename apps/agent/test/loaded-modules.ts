/** Given to Node by `--import`: when the process ends, the file that PEERAI_TEST_MODULES names holds the address of every module it loaded. */
import { writeFileSync } from 'node:fs';
import { registerHooks } from 'node:module';

const loaded = new Set<string>();
registerHooks({
  load(url, context, next) {
    loaded.add(url);
    return next(url, context);
  },
});
const file = process.env['PEERAI_TEST_MODULES'];
process.on('exit', () => {
  if (file !== undefined) writeFileSync(file, [...loaded].join('\n'));
});
