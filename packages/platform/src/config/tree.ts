import * as z from 'zod';
import { configSchema } from './schema.ts';

/** One key of the schema as JSON Schema shows it. */
export interface KeyInfo {
  readonly key: string;
  readonly description: string;
  readonly type: string;
  /** As a person would write it; absent when there is none. */
  readonly default?: unknown;
  readonly choices?: readonly string[];
  /** The environment variable that sets it. */
  readonly env: string;
}
interface Node {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly enum?: readonly string[];
  readonly properties?: Readonly<Record<string, Node>>;
}

/** JSON Schema (2020-12) of what a configuration file may hold. */
export function configJsonSchema(): Record<string, unknown> {
  return z.toJSONSchema(configSchema, { io: 'input' }) as Record<string, unknown>;
}

/** Every key with a value, in the order of the schema. */
export function configKeys(): readonly KeyInfo[] {
  return [...leaves(configJsonSchema(), '')];
}

function* leaves(node: Node, prefix: string): Generator<KeyInfo> {
  for (const [name, child] of Object.entries(node.properties ?? {})) {
    const key = prefix + name;
    if (child.properties !== undefined) yield* leaves(child, `${key}.`);
    else yield keyInfo(key, child);
  }
}

/** `network.max_connections` is PEERAI_NETWORK__MAX_CONNECTIONS. */
export function envName(key: string): string {
  return `PEERAI_${key.replaceAll('.', '__').toUpperCase()}`;
}

function keyInfo(key: string, node: Node): KeyInfo {
  return {
    key,
    description: node.description ?? key,
    type: node.type ?? 'value',
    env: envName(key),
    ...(node.default === undefined ? {} : { default: node.default }),
    ...(node.enum === undefined ? {} : { choices: node.enum }),
  };
}
