import { expect, it } from 'vitest';
import { limits } from '../limits.ts';
import type { LegacyReader } from './profile.ts';
import { sealLegacy } from './seal-legacy.ts';

const read = (() => ({ signed: new Uint8Array() })) as unknown as LegacyReader;
const sealed = (text: string) => sealLegacy(read, new Map([['text', text]]), () => '0'.repeat(128)).length;

it('A message of an older profile is made as long as one may be, its signature counted, and not one byte longer', () => {
  const room = limits.messageBytesMax - sealed('');
  expect(sealed('x'.repeat(room))).toBe(limits.messageBytesMax);
  expect(() => sealed('x'.repeat(room + 1))).toThrow(expect.objectContaining({ code: 'LIMIT_EXCEEDED' }));
});
