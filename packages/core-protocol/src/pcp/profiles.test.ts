import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { fromHex, toHex, utf8 } from '../bytes.ts';
import { nodeCrypto as crypto } from '../crypto-node/index.ts';
import { createIdentity } from '../identity/identity.ts';
import { peerIdFromPublicKey } from '../identity/peer-id.ts';
import { ReplayWindow } from '../message/index.ts';
import { ManualClock } from '../testing/index.ts';
import { concatSignedBytes } from './concat.ts';
import { openPcp, pcpProfiles } from './index.ts';
import type { RawObject } from './raw-json.ts';
import { readRawJson } from './raw-json.ts';
import { sixSignedBytes } from './six.ts';

interface Vector {
  readonly id: string;
  readonly kind: string;
  readonly expect: string;
  readonly key_seed_hex?: string;
  readonly public_key_hex: string;
  readonly canonical_hex?: string;
  readonly signed_bytes_hex?: string;
  readonly signature_hex?: string;
  readonly message: { readonly sender_id: string; readonly recipient_id: string };
}

const folder = join(import.meta.dirname, '../../../../../shared/vectors/peer-protocol');
const files = existsSync(folder) ? readdirSync(folder).filter((file) => /^(?:six|v01)-.*\.json$/.test(file)) : [];
/** The message as it stands in the file: JSON.parse would change the text of its numbers. */
const rawMessage = (file: string): Uint8Array =>
  utf8(/"message": (\{[\s\S]*?\n \})/.exec(readFileSync(join(folder, file), 'utf8'))?.[1] ?? '');
const clock = new ManualClock();
clock.jump(Date.parse('2026-02-01T12:00:00Z') - clock.nowMs());

describe.skipIf(files.length === 0)(
  'Vectors of the reference (../shared/vectors/peer-protocol; skipped where absent)',
  () => {
    it('are eleven', () => expect(files).toHaveLength(11));

    describe.each(files)('%s', (file) => {
      const vector = JSON.parse(readFileSync(join(folder, file), 'utf8')) as Vector;
      const isSix = vector.kind === 'pcp10-six-field-signature';
      const key = fromHex(vector.public_key_hex);
      const open = (bytes: Uint8Array) =>
        openPcp({ crypto, clock, replay: new ReplayWindow(), keyOf: () => key }, bytes, {
          self: { peer: peerIdFromPublicKey(new Uint8Array(32).fill(9)), entityId: vector.message.recipient_id },
          profiles: pcpProfiles,
        });

      if (vector.expect === 'invalid') {
        it('is refused, as it must be', () => {
          expect(() => open(rawMessage(file))).toThrow(expect.objectContaining({ code: 'INVALID_SIGNATURE' }));
        });
        return;
      }
      it('is opened from its raw bytes and says what was signed', () => {
        const opened = open(rawMessage(file));
        expect(opened).toMatchObject({
          profile: isSix ? 'pcp/1.0-six' : 'pcp/0.1',
          senderId: vector.message.sender_id,
          sender: peerIdFromPublicKey(key),
          recipientId: vector.message.recipient_id,
          sentMs: clock.nowMs(),
        });
        for (const field of ['version', 'kind', 'sender', 'timestampMs', 'nonce', 'payload']) {
          expect(opened.proven.has(field)).toBe(true);
        }
        expect(opened.proven.has('recipient')).toBe(!isSix);
        expect(opened.proven.has('session') || opened.proven.has('sequence')).toBe(false);
      });
      it('signs the same bytes', () => {
        const message = readRawJson(rawMessage(file)) as RawObject;
        const signed = isSix ? sixSignedBytes(message) : concatSignedBytes(message);
        const expected = vector.canonical_hex ?? vector.signed_bytes_hex;
        if (expected !== undefined) expect(toHex(signed)).toBe(expected);
        if (vector.key_seed_hex === undefined) return;
        const identity = createIdentity(crypto, fromHex(vector.key_seed_hex));
        expect(toHex(identity.sign(signed))).toBe(vector.signature_hex);
      });
    });
  },
);
