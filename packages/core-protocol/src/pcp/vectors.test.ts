import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { fromHex, fromUtf8, toHex, utf8 } from '../bytes.ts';
import { nodeCrypto as crypto } from '../crypto-node/index.ts';
import { createIdentity } from '../identity/identity.ts';
import { ReplayWindow, sealMessage } from '../message/index.ts';
import { ManualClock, seededRandom } from '../testing/index.ts';
import { concatSignedBytes } from './concat.ts';
import {
  ChunkTable,
  compress,
  openPcp,
  pcpErrorReply,
  pcpErrors,
  type PcpPayload,
  pcpProfiles,
  readFrame,
  readPcpPayload,
  sealConcat,
  sealSix,
  splitTransfer,
  writeFrame,
} from './index.ts';
import { PeerAiError } from '../errors.ts';
import { readRawJson, type RawObject } from './raw-json.ts';
import { sixSignedBytes } from './six.ts';

/** PCP_VECTORS=write writes the files again, after the protocol was changed on purpose. */
const folder = join(import.meta.dirname, '../../../../docs/protocol/vectors');
const seed = new Uint8Array(32).fill(7);
const identity = createIdentity(crypto, seed);
const receiver = createIdentity(crypto, new Uint8Array(32).fill(8));
const clock = new ManualClock();
clock.jump(Date.parse('2026-02-01T12:00:00Z') - clock.nowMs());
const deps = { crypto, identity, random: seededRandom(3), clock };
const payload = {
  text: 'wörld \u{1F600} \u007f',
  small: 1e-7,
  list: [1, -2.5, null, true],
  '\u{1F600}': 1,
  '\uffff': 2,
};
const hints = { recipientId: 'entity-b', sessionId: '3f2b8c1e-7a4d-4e6f-9b21-5c0d8e7f6a13', sequence: 1 };
const common = { seed_hex: toHex(seed), public_key_hex: toHex(identity.publicKey), now: '2026-02-01T12:00:00.000Z' };
const signedWith = (signed: (message: RawObject) => Uint8Array) => (bytes: Uint8Array) => ({
  message_text: fromUtf8(bytes),
  signed_hex: toHex(signed(readRawJson(bytes) as RawObject)),
});
const six = sealSix(deps, { kind: 'status_report', senderId: 'entity-a', ...hints, payload });
const sixOld = sealSix(deps, { version: '0.3', kind: 'ping', senderId: 'entity-a', payload: {} });
const concat = sealConcat(deps, { kind: 'ping', senderId: 'entity-a', recipientId: 'entity-b', payload });
const own = sealMessage(deps, { kind: 'ping', recipient: receiver.peer, sequence: 1, payload: {} }, { form: 'json' });
const large = utf8('0123456789abcdef'.repeat(4_000));
const small = [utf8('first'), utf8('second '.repeat(300))];

const made: Readonly<Record<string, unknown>> = {
  'pcp-six': { ...common, cases: [six, sixOld].map(signedWith(sixSignedBytes)) },
  'pcp-concat': { ...common, cases: [concat].map(signedWith(concatSignedBytes)) },
  'pcp-own': { ...common, recipient_peer: receiver.peer, cases: [{ message_text: fromUtf8(own) }] },
  'pcp-chunks': {
    whole_utf8: '0123456789abcdef, 4000 times',
    chunks: splitTransfer(crypto, new Uint8Array(16).fill(1), large),
  },
  'pcp-frame': {
    messages_hex: small.map((one) => toHex(one)),
    plain_frame_hex: toHex(writeFrame(small, { compress: false })),
    deflated_frame_hex: toHex(writeFrame(small, { compress: true })),
  },
  'pcp-errors': Object.keys(pcpErrors).map((code) => ({
    code,
    ...Object.fromEntries(
      pcpProfiles.map((profile) => [profile, pcpErrorReply(new PeerAiError(code, 'the sentence'), profile)]),
    ),
  })),
};

describe('Published vectors', () => {
  it.each(Object.entries(made))('%s.json is what this program makes', (name, value) => {
    const file = join(folder, `${name}.json`);
    if (process.env['PCP_VECTORS'] === 'write') {
      mkdirSync(folder, { recursive: true });
      writeFileSync(file, `${JSON.stringify(value, undefined, 2)}\n`);
    }
    expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual(JSON.parse(JSON.stringify(value)));
  });

  it.each(['pcp-six', 'pcp-concat', 'pcp-own'])(
    '%s.json: its messages are opened here and their signatures fit',
    (name) => {
      const { cases } = JSON.parse(readFileSync(join(folder, `${name}.json`), 'utf8')) as {
        readonly cases: readonly { readonly message_text: string; readonly signed_hex?: string }[];
      };
      for (const { message_text: message, signed_hex: signed } of cases) {
        const opened = openPcp(
          { crypto, clock, replay: new ReplayWindow(), keyOf: () => identity.publicKey },
          utf8(message),
          {
            self: { peer: receiver.peer, entityId: 'entity-b' },
            profiles: pcpProfiles,
          },
        );
        expect(opened.sender).toBe(identity.peer);
        if (signed === undefined) continue;
        const { signature } = JSON.parse(message) as { readonly signature: string };
        const hex =
          signature.length === 128 ? signature : toHex(Uint8Array.from(atob(signature), (sign) => sign.charCodeAt(0)));
        expect(toHex(identity.sign(fromHex(signed)))).toBe(hex);
      }
    },
  );

  it('pcp-chunks.json makes the whole, and pcp-frame.json its messages, deflated or not', () => {
    const read = (name: string): unknown => JSON.parse(readFileSync(join(folder, `${name}.json`), 'utf8'));
    const table = new ChunkTable({ crypto });
    const { chunks } = read('pcp-chunks') as { readonly chunks: readonly object[] };
    const outcomes = chunks.map((one) =>
      table.accept(identity.peer, readPcpPayload('chunk', one).payload as PcpPayload<'chunk'>, 0),
    );
    expect(outcomes.at(-1)).toMatchObject({ state: 'whole', bytes: large });
    const frame = read('pcp-frame') as { readonly plain_frame_hex: string; readonly deflated_frame_hex: string };
    expect(readFrame(fromHex(frame.plain_frame_hex))).toEqual(small);
    expect(readFrame(fromHex(frame.deflated_frame_hex))).toEqual(small);
    expect(compress(utf8('second '.repeat(300)))?.length).toBeLessThan(100);
  });
});
