import { createHash } from 'node:crypto';
import { ml_kem768 } from '@noble/post-quantum/ml-kem.js';
import { hkdf, x25519, x25519Public } from './curve.ts';
import { type Identity, verifies } from './identity.ts';
import { bytesOf, type Field, numberOf, readFields, textsOf, writeFields } from './protobuf.ts';
import { Refusal } from './refusal.ts';

/** docs/protocol/sessions.md: who says what, and what it is on the wire. */
const FORMS = {
  three: [
    ['handshake', 1n],
    ['handshake_ack', 2n],
    ['handshake_confirm', 3n],
  ],
  six: [
    ['handshake_init', 4n],
    ['handshake_init_ack', 5n],
    ['challenge_response', 6n],
    ['session_established', 7n],
    ['session_confirm', 8n],
    ['ready', 9n],
  ],
} as const;
/** The place of the step that carries the ciphertext; from it on there are confirmations. */
const KEYED = { three: 1, six: 3 } as const;

const CLOCK_MS = 60_000;

export interface HandshakeOptions {
  readonly form: keyof typeof FORMS;
  readonly role: 'initiator' | 'responder';
  readonly identity: Identity;
  /** Ed25519 key of the other side. */
  readonly peerKey: Uint8Array;
  /** Best first. */
  readonly suites: readonly string[];
  readonly nowMs: number;
  /** Fresh random bytes: 144, cut as the vectors say. */
  readonly entropy: Buffer;
}

/** What a finished handshake agreed on. */
export interface SessionKeys {
  /** 16 bytes. */
  readonly session: Buffer;
  readonly suite: string;
  /** 32 bytes each: where the epochs of each direction begin. */
  readonly initiatorChain: Buffer;
  readonly responderChain: Buffer;
}

const sha256 = (...parts: readonly (Uint8Array | string)[]): Buffer => {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
};

/** One side of the handshake. `step` is called with each message that came and gives each that is to be sent. */
export class Handshake {
  readonly #options: HandshakeOptions;
  readonly #secret: Buffer;
  readonly #challenge: Buffer;
  readonly #kem: { readonly publicKey: Uint8Array; readonly secretKey: Uint8Array } | undefined;
  #session: Buffer;
  #transcript: Buffer;
  #place = 0;
  #suite = '';
  #peerX25519: Buffer = Buffer.alloc(0);
  #peerKem: Buffer = Buffer.alloc(0);
  #keys: readonly Buffer[] = [];

  constructor(options: HandshakeOptions) {
    const { entropy, form, role } = options;
    this.#options = options;
    this.#transcript = sha256(`peerai/session/1/${form}`);
    this.#session = Buffer.from(entropy.subarray(0, 16));
    this.#session[6] = ((this.#session[6] ?? 0) & 0x0f) | 0x40;
    this.#session[8] = ((this.#session[8] ?? 0) & 0x3f) | 0x80;
    const initiator = role === 'initiator';
    this.#secret = initiator ? entropy.subarray(16, 48) : entropy.subarray(0, 32);
    this.#kem = initiator ? ml_kem768.keygen(entropy.subarray(48, 112)) : undefined;
    this.#challenge = initiator ? entropy.subarray(112, 144) : entropy.subarray(32, 64);
  }

  /** The keys, once every step was said. */
  get keys(): SessionKeys | undefined {
    const [initiatorChain, responderChain] = this.#keys;
    if (this.#place < FORMS[this.#options.form].length || !initiatorChain || !responderChain) return undefined;
    return { session: this.#session, suite: this.#suite, initiatorChain, responderChain };
  }

  /** Whether a message was said. */
  get begun(): boolean {
    return this.#place > 0;
  }

  /** 16 bytes; the responder has it from the offer. */
  get session(): Buffer {
    return this.#session;
  }

  /** The next message, which is this side's to say. */
  write(): Buffer {
    const { identity } = this.#options;
    const [name, value] = this.#step(this.#own());
    const { body, ciphertextSecret } = this.#body();
    const b = sha256(this.#transcript, name, '\0', body);
    const proof = identity.sign(Buffer.concat([Buffer.from('peerai/session-handshake/1\0'), b]));
    if (ciphertextSecret !== undefined) this.#agree(ciphertextSecret, b);
    const confirmation: Field[] = this.#place < this.#keyed() ? [] : [[4, this.#confirmation(this.#own(), b)]];
    this.#go(b, proof);
    return writeFields([[1, value], [2, body], [3, proof], ...confirmation]);
  }

  /** Takes a message of the other side. Throws a Refusal when it does not hold. */
  read(message: Buffer): void {
    if (message.length > 4_096) throw new Refusal('LIMIT_EXCEEDED', 'a handshake message has at most 4,096 bytes');
    const [name, value] = this.#step(this.#other());
    const envelope = readFields(message);
    if (numberOf(envelope, 1) !== value) throw new Refusal('INVALID_STATE', `${name} was awaited`);
    const body = bytesOf(envelope, 2);
    const proof = bytesOf(envelope, 3);
    const b = sha256(this.#transcript, name, '\0', body);
    const signed = Buffer.concat([Buffer.from('peerai/session-handshake/1\0'), b]);
    if (!verifies(this.#options.peerKey, signed, proof)) {
      throw new Refusal('CHALLENGE_INVALID', 'the proof does not hold');
    }
    const ciphertext = this.#take(readFields(body));
    if (ciphertext !== undefined) this.#agree(Buffer.from(this.#decapsulate(ciphertext)), b);
    if (this.#place >= this.#keyed() && !bytesOf(envelope, 4).equals(this.#confirmation(this.#other(), b))) {
      throw new Refusal('CHALLENGE_INVALID', 'the confirmation does not hold');
    }
    this.#go(b, proof);
  }

  #own = (): 0 | 1 => (this.#options.role === 'initiator' ? 0 : 1);
  #other = (): 0 | 1 => (this.#options.role === 'initiator' ? 1 : 0);
  #keyed = (): number => KEYED[this.#options.form];

  /** The name and the value of the awaited step, which must be of that side (0 initiator, 1 responder). */
  #step(side: 0 | 1): readonly [string, bigint] {
    const step = FORMS[this.#options.form][this.#place];
    if (step === undefined || this.#place % 2 !== side) throw new Refusal('INVALID_STATE', 'this is not awaited');
    return step;
  }

  #go(b: Buffer, proof: Buffer): void {
    this.#transcript = sha256(b, proof);
    this.#place += 1;
  }

  #body(): { readonly body: Buffer; readonly ciphertextSecret: Buffer | undefined } {
    const { identity, peerKey, suites, nowMs, entropy } = this.#options;
    const kem =
      this.#place === this.#keyed() ? ml_kem768.encapsulate(this.#peerKem, entropy.subarray(64, 96)) : undefined;
    const ciphertextSecret = kem === undefined ? undefined : Buffer.from(kem.sharedSecret);
    if (this.#place > 1) {
      const ciphertext: Field[] = kem === undefined ? [] : [[2, kem.cipherText]];
      return { body: writeFields([[1, this.#session], ...ciphertext]), ciphertextSecret };
    }
    const own = x25519Public(this.#secret);
    if (this.#place === 1) {
      const fields: Field[] = [
        [1, 1n],
        [2, this.#session],
        [3, Buffer.from(this.#suite)],
        [4, own],
        [5, this.#challenge],
      ];
      return { body: writeFields(kem === undefined ? fields : [...fields, [6, kem.cipherText]]), ciphertextSecret };
    }
    const body = writeFields([
      [1, 1n],
      [2, this.#session],
      [3, identity.publicKey],
      [4, peerKey],
      ...suites.map((suite) => [5, Buffer.from(suite)] as const),
      [6, Buffer.from('ed25519')],
      [7, own],
      [8, this.#kem?.publicKey ?? Buffer.alloc(0)],
      [9, this.#challenge],
      [10, BigInt(nowMs)],
    ]);
    return { body, ciphertextSecret: undefined };
  }

  /** Takes what a body says; gives its ciphertext where this step has one. */
  #take(body: readonly Field[]): Buffer | undefined {
    if (this.#place === 0) {
      this.#takeOffer(body);
      return undefined;
    }
    const [sessionField, ciphertextField] = this.#place === 1 ? [2, 6] : [1, 2];
    if (!bytesOf(body, sessionField).equals(this.#session)) throw new Refusal('WRONG_SESSION', 'another session');
    if (this.#place === 1) {
      this.#suite = bytesOf(body, 3).toString('utf8');
      const offered = this.#options.suites.includes(this.#suite) && numberOf(body, 1) === 1n;
      if (!offered) throw new Refusal('CHALLENGE_INVALID', 'this was not offered');
      this.#peerX25519 = bytesOf(body, 4);
    }
    const there = body.some(([number]) => number === ciphertextField);
    if (there !== (this.#place === this.#keyed())) throw new Refusal('INVALID_FORMAT', 'a ciphertext at another step');
    return there ? bytesOf(body, ciphertextField) : undefined;
  }

  #takeOffer(body: readonly Field[]): void {
    const { identity, peerKey, suites, nowMs } = this.#options;
    const versions = body.filter(([number]) => number === 1).map(([, value]) => value);
    if (!versions.includes(1n)) throw new Refusal('INVALID_VERSION', 'no common version');
    if (!bytesOf(body, 3).equals(peerKey)) throw new Refusal('UNKNOWN_SENDER', 'an offer of somebody else');
    if (!bytesOf(body, 4).equals(identity.publicKey)) throw new Refusal('WRONG_RECIPIENT', 'for somebody else');
    if (Math.abs(Number(numberOf(body, 10)) - nowMs) > CLOCK_MS) throw new Refusal('CLOCK_SKEW', 'another time');
    const suite = textsOf(body, 5).find((one) => suites.includes(one));
    if (suite === undefined || bytesOf(body, 6).toString('utf8') !== 'ed25519') {
      throw new Refusal('REFUSED', 'no common suite');
    }
    this.#suite = suite;
    this.#session = bytesOf(body, 2);
    this.#peerX25519 = bytesOf(body, 7);
    this.#peerKem = bytesOf(body, 8);
  }

  #decapsulate(ciphertext: Buffer): Uint8Array {
    if (this.#kem === undefined) throw new Refusal('INVALID_STATE', 'only the initiator opens a ciphertext');
    return ml_kem768.decapsulate(ciphertext, this.#kem.secretKey);
  }

  #agree(kemSecret: Buffer, b: Buffer): void {
    const secret = Buffer.concat([x25519(this.#secret, this.#peerX25519), kemSecret]);
    const keys = hkdf(secret, b, 'peerai/session/1/keys', 128);
    this.#keys = [0, 32, 64, 96].map((at) => keys.subarray(at, at + 32));
  }

  #confirmation(side: 0 | 1, b: Buffer): Buffer {
    return hkdf(this.#keys[2 + side] ?? Buffer.alloc(0), b, 'peerai/session/1/confirm', 32);
  }
}
