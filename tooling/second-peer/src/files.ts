import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '../../..');
const outside = join(root, '../shared/vectors/peer-protocol');

/** A vector of docs/protocol/vectors. */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- the caller says what stands in its file
export function docVector<Shape>(name: string): Shape {
  return JSON.parse(readFileSync(join(root, 'docs/protocol/vectors', `${name}.json`), 'utf8')) as Shape;
}

/** The pictures that two screens compare, as docs/protocol/tickets.md names them. */
export function pictureNames(): string[] {
  const text = readFileSync(join(root, 'docs/protocol/tickets.md'), 'utf8');
  const [, list = ''] = /The pictures, from 0 to 63: ([^.]+)\./.exec(text) ?? [];
  return list.split(/,\s+/);
}

/** A vector of the older implementations, of which a checkout alone has none. */
export interface OldVector {
  readonly id: string;
  readonly kind: string;
  readonly expect: string;
  readonly public_key_hex: string;
  readonly message: Readonly<Record<string, unknown>>;
  readonly canonical_hex?: string;
  readonly signed_bytes_hex?: string;
  /** The file's own text: what a parser made of a number is not what was signed. */
  readonly text: string;
}

/** Those of one kind; none where the folder is not there. */
export function oldVectors(kind: string): OldVector[] {
  if (!existsSync(outside)) return [];
  const names = readdirSync(outside).filter((name) => name.endsWith('.json'));
  const texts = names.map((name) => readFileSync(join(outside, name), 'utf8'));
  return texts
    .map((text) => ({ ...(JSON.parse(text) as Omit<OldVector, 'text'>), text }))
    .filter((vector) => vector.kind === kind);
}
