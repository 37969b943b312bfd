import { createCipheriv, createDecipheriv, createPrivateKey, createPublicKey, sign, verify } from 'node:crypto';
import { createIdentity, openMessage, ReplayWindow, sealMessage, utf8, wire } from '@peerai/core-protocol';
import { nodeCrypto } from '@peerai/core-protocol/crypto-node';
import { systemClock, systemRandom } from '@peerai/platform';
import { type Bench, interleave, processorSeconds, resultOf } from '../harness.ts';

/** Messages of one reading: about 0.1 s each. */
const messages = 1_500;
const rounds = 9;
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

export const seal: Bench = {
  name: 'seal',
  question: 'Signed and sealed messages of 256 B a second on one core, against the sum of the parts?',
  async run({ signal }) {
    const { parts, ...whole } = workloads();
    const readings = await interleave({ ...whole, ...parts }, { rounds, warmups: 2, signal });
    const out = together(readings.sign, readings.encrypt, readings.encode);
    const incoming = together(readings.verify, readings.decrypt, readings.decode);
    const part = (name: keyof typeof parts) =>
      resultOf({ case: `part: ${name}`, unit: '/s', candidate: readings[name] });
    return {
      results: [
        resultOf({ case: 'out: sealMessage', unit: 'messages/s', candidate: readings.out, baseline: out, goal: 0.75 }),
        resultOf({
          case: 'in: openMessage',
          unit: 'messages/s',
          candidate: readings.in,
          baseline: incoming,
          goal: 0.9,
        }),
        ...(Object.keys(parts) as (keyof typeof parts)[]).map(part),
      ],
      notes: [
        'A second is a second of processor time. Parts: node:crypto with its keys imported once, and our protobuf codec; a baseline is all of one direction, one after the other.',
        'Session frames (sealed, not signed) do not exist yet: no row.',
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
  return {
    out: () => perSecond(sealed),
    in: () => {
      const letters = Array.from({ length: messages }, (_, index) => sealed(index));
      const replay = new ReplayWindow();
      return perSecond((index) =>
        openMessage({ crypto: nodeCrypto, clock: systemClock, replay }, letters[index] ?? new Uint8Array(), {
          ...options,
          self: recipient.peer,
        }),
      );
    },
    parts: { ...cryptoParts(options.key.key), ...codecParts() },
  };
}

function cryptoParts(key: Uint8Array) {
  const pkcs8 = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), systemRandom.bytes(32)]);
  const secret = createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' });
  const publicKey = createPublicKey(secret);
  const signed = systemRandom.bytes(signedBytesAround + 256);
  const signature = sign(null, signed, secret);
  const [nonce, header, text] = [
    systemRandom.bytes(12),
    systemRandom.bytes(signedBytesAround),
    utf8(JSON.stringify(payload)),
  ];
  const encrypt = () => {
    const cipher = createCipheriv('aes-256-gcm', key, nonce);
    cipher.setAAD(header);
    return Buffer.concat([cipher.update(text), cipher.final(), cipher.getAuthTag()]);
  };
  const sealedText = encrypt();
  return {
    sign: () => perSecond(() => sign(null, signed, secret)),
    encrypt: () => perSecond(encrypt),
    verify: () => perSecond(() => verify(null, signed, publicKey, signature)),
    decrypt: () =>
      perSecond(() => {
        const decipher = createDecipheriv('aes-256-gcm', key, nonce);
        decipher.setAAD(header);
        decipher.setAuthTag(sealedText.subarray(-16));
        return Buffer.concat([decipher.update(sealedText.subarray(0, -16)), decipher.final()]);
      }),
  };
}

function codecParts() {
  const [key, content, signature] = [systemRandom.bytes(32), systemRandom.bytes(272), systemRandom.bytes(64)];
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
    encode: () => perSecond(encode),
    decode: () =>
      perSecond(() => {
        body.decode(envelope.decode(letter).body);
        return JSON.parse(decoder.decode(text)) as unknown;
      }),
  };
}
