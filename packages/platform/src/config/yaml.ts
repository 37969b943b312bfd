import { createRequire } from 'node:module';

let library: typeof import('yaml') | undefined;

/** The YAML library, loaded when there is a text for it: 72 modules that an agent without a configuration file never needs. */
export function yaml(): typeof import('yaml') {
  library ??= createRequire(import.meta.url)('yaml') as typeof import('yaml');
  return library;
}
