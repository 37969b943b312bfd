import type { ConfigView } from '@peerai/peer';
import { type LoadedConfig, shownConfig } from '@peerai/platform/node';

type Row = ConfigView['values'][number];

/** Every setting with its value and where it came from. */
export function configView({ config, origins }: LoadedConfig): ConfigView {
  const rows = (value: unknown, path: string): Row[] => {
    const origin = origins[path];
    const isBranch = typeof value === 'object' && value !== null && !Array.isArray(value) && origin === undefined;
    if (!isBranch) return [{ key: path, value, origin: origin ?? 'default' }];
    return Object.entries(value).flatMap(([name, one]) => rows(one, path === '' ? name : `${path}.${name}`));
  };
  return { v: 1, values: rows(shownConfig(config), '') };
}
