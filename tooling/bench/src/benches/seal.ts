import { createCipheriv, createDecipheriv, createPrivateKey, createPublicKey, sign, verify } from 'node:crypto';
import { createIdentity, openMessage, ReplayWindow, sealMessage, utf8, wire } from '@peerai/core-protocol';
import { nodeCrypto } from '@peerai/core-protocol/crypto-node';
import { sessionPair } from '@peerai/core-protocol/testing';
import { systemClock, systemRandom } from '@peerai/platform';
import { type Bench, interleave, processorSeconds, resultOf } from '../harness.ts';

/** Messages of one reading: about 0.1 s each. */
const messages = 1_500;
const rounds = 9;
/** Messages that the parts take turns with, so that no part works on one that is still at hand. */
const differing = 256;
const none = new Uint8Array();
const frameGoal = { goal: 40_000, rule: 'candidate-at-least' } as const;
/** JSON text of 256 bytes, quotes included. */
const payload = 'x'.repeat(254);
/** What is signed around the payload: tag, two keys, nonce, kind, counters, the AEAD's tag. */
const signedBytesAround = 174;

/** A message with the fields of ours, for what writing and reading them must cost. */
const envelope = wire.message({ body: wire.bytes(1), signature: wire.bytes(2) });
const body = wire.message({
  version: wire.uint32(1),
  kind: wire.string(2),
  sender: wire.bytes(3),
  recipient: wire.bytes(4),
  sequence: wire.uint53(6),
  timestampMs: wire.uint53(7),
  nonce: wire.bytes(8),
  aead: wire.oneOf(9, ['aes-256-gcm', 'chacha20-poly1305']),
  content: wire.bytes(10),
});

/** A rate for one core: a second is a second of processor time. */
async function perSecond(work: (index: number) => unknown): Promise<number> {
  const seconds = await processorSeconds(() => {
    for (let index = 0; index < messages; index += 1) work(index);
  });
  return messages / seconds;
}

/** Rate of doing all parts one after the other. */
const together = (...rates: readonly (readonly number[] | undefined)[]): readonly number[] =>
  (rates[0] ?? []).map((_, round) => 1 / rates.reduce((sum, one) => sum + 1 / (one?.[round] ?? NaN), 0));

/** Signed and sealed messages of 256 B a second on one core, against the sum of the parts? */
export const seal: Bench = {
  name: 'seal',
  async run({ signal }) {
    const { parts, ...whole } = workloads();
    const readings = await interleave({ ...whole, ...parts }, { rounds, warmups: 2, signal });
    const out = together(readings.sign, readings.encrypt, readings.encode);
    const incoming = together(readings.verify, readings.decrypt, readings.decode);
    const unit = 'messages/s';
    return {
      results: [
        resultOf({ case: 'out: sealMessage', unit, candidate: readings.out, baseline: out, goal: 0.75 }),
        resultOf({ case: 'in: openMessage', unit, candidate: readings.in, baseline: incoming, goal: 0.9 }),
        resultOf({ case: 'out: the parts alone in one loop', unit, candidate: readings.partsOut, baseline: out }),
        resultOf({ case: 'in: the parts alone in one loop', unit, candidate: readings.partsIn, baseline: incoming }),
        resultOf({ case: 'session: seal', unit: 'frames/s', candidate: readings.frameOut, ...frameGoal }),
        resultOf({ case: 'session: open', unit: 'frames/s', candidate: readings.frameIn, ...frameGoal }),
        ...(Object.keys(parts) as (keyof typeof parts)[]).map((name) =>
          resultOf({ case: `part: ${name}`, unit: '/s', candidate: readings[name] }),
        ),
      ],
      notes: [
        'A second is a second of processor time. Parts: node:crypto with its keys imported once, and our protobuf codec.',
        'A baseline is the sum of the parts of one direction, each measured in a loop of its own.',
        'Session frames are sealed, not signed: 256 B payloads, AES-256-GCM, the handshake not counted.',
      ],
    };
  },
};

function workloads() {
  const sender = createIdentity(nodeCrypto, systemRandom.bytes(32));
  const recipient = createIdentity(nodeCrypto, systemRandom.bytes(32));
  const options = { form: 'protobuf', key: { aead: 'aes-256-gcm', key: systemRandom.bytes(32) } } as const;
  const deps = { crypto: nodeCrypto, identity: sender, random: systemRandom, clock: systemClock };
  const sealed = (sequence: number) =>
    sealMessage(deps, { kind: 'text.plain', recipient: recipient.peer, sequence, payload }, options);
  const parts = createParts(options.key.key);
  const { sign, encrypt, encode, verify, decrypt, decode } = parts;
  return {
    out: () => perSecond(sealed),
    in: () => {
      const letters = Array.from({ length: messages }, (_, index) => sealed(index));
      const replay = new ReplayWindow();
      return perSecond((index) =>
        openMessage({ crypto: nodeCrypto, clock: systemClock, replay }, letters[index] ?? none, {
          ...options,
          self: recipient.peer,
        }),
      );
    },
    ...frameWork(),
    partsOut: () => perSecond((index) => [encrypt(index), encode(index), sign(index)]),
    partsIn: () => perSecond((index) => [decode(), verify(index), decrypt()]),
    parts: {
      sign: () => perSecond(sign),
      encrypt: () => perSecond(encrypt),
      encode: () => perSecond(encode),
      verify: () => perSecond(verify),
      decrypt: () => perSecond(decrypt),
      decode: () => perSecond(decode),
    },
  };
}

/** A session's frames, one direction each. */
function frameWork() {
  const content = utf8(JSON.stringify(payload));
  const pair = () => sessionPair({ crypto: nodeCrypto, nowMs: systemClock.nowMs() });
  return {
    frameOut: () => {
      const { initiator } = pair();
      return perSecond(() => initiator.seal('text.plain', content, systemClock.nowMs()));
    },
    frameIn: () => {
      const { initiator, responder } = pair();
      const frames = Array.from(
        { length: messages },
        () => initiator.seal('text.plain', content, systemClock.nowMs()).frame,
      );
      return perSecond((index) => responder.open(frames[index] ?? none, systemClock.nowMs()));
    },
  };
}

/** What a message cannot do without, each on messages that differ. */
function createParts(key: Uint8Array) {
  const pkcs8 = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), systemRandom.bytes(32)]);
  const secret = createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' });
  const publicKey = createPublicKey(secret);
  const header = systemRandom.bytes(signedBytesAround);
  const text = utf8(JSON.stringify(payload));
  const signed = Array.from({ length: differing }, () => systemRandom.bytes(signedBytesAround + text.length));
  const signatures = signed.map((one) => sign(null, one, secret));
  const nonces = signed.map(() => systemRandom.bytes(12));
  const encrypt = (index: number) => {
    const cipher = createCipheriv('aes-256-gcm', key, nonces[index % differing] ?? none);
    cipher.setAAD(header);
    return Buffer.concat([cipher.update(text), cipher.final(), cipher.getAuthTag()]);
  };
  const content = encrypt(0);
  return {
    sign: (index: number) => sign(null, signed[index % differing] ?? none, secret),
    verify: (index: number) =>
      verify(null, signed[index % differing] ?? none, publicKey, signatures[index % differing] ?? none),
    encrypt,
    decrypt: () => {
      const decipher = createDecipheriv('aes-256-gcm', key, nonces[0] ?? none);
      decipher.setAAD(header);
      decipher.setAuthTag(content.subarray(-16));
      return Buffer.concat([decipher.update(content.subarray(0, -16)), decipher.final()]);
    },
    ...codecParts(content),
  };
}

function codecParts(content: Uint8Array) {
  const [key, signature] = [systemRandom.bytes(32), systemRandom.bytes(64)];
  const fields = {
    version: 1,
    kind: 'text.plain',
    sender: key,
    recipient: key,
    nonce: key,
    aead: 'aes-256-gcm',
    content,
  } as const;
  const encode = (sequence: number) => {
    utf8(JSON.stringify(payload));
    return envelope.encode({ body: body.encode({ ...fields, sequence, timestampMs: Date.now() }), signature });
  };
  const [letter, text] = [encode(7), utf8(JSON.stringify(payload))];
  const decoder = new TextDecoder();
  return {
    encode,
    decode: () => {
      body.decode(envelope.decode(letter).body);
      return JSON.parse(decoder.decode(text)) as unknown;
    },
  };
}
