import type { Config } from './schema.ts';

/** Keys whose values are never shown: not on a screen, not by the local API. */
export const secretKeys: readonly string[] = ['security.shared_secret'];
const hidden = '(set, not shown)';

/** The configuration as it may be shown. */
export function shownConfig(config: Config): Config {
  const { shared_secret: secret } = config.security;
  return secret === undefined ? config : { ...config, security: { ...config.security, shared_secret: hidden } };
}
