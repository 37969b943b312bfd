import type { Identity } from './identity.ts';
import type { Letter } from './letter.ts';
import { bytesOf, type Field, numberOf, readFields, textsOf, writeFields } from './protobuf.ts';
import { Refusal } from './refusal.ts';
import { type Direction, openFrame, sealFrame, type SessionFrame } from './session-frame.ts';
import { Handshake, type HandshakeOptions, type SessionKeys } from './session.ts';

/** Brings the body of one `POST /session` and gives the body of its answer. Throws the code of a refusal. */
export type Post = (body: Buffer) => Promise<Buffer>;

/** A session over HTTP, as docs/protocol/http.md says under "Sessions"; this side began it. */
export class HttpSession {
  readonly keys: SessionKeys;
  readonly #post: Post;
  readonly #out: Direction;
  readonly #in: Direction;
  #sequence = 0;

  private constructor(post: Post, keys: SessionKeys, own: Identity, peerKey: Buffer) {
    this.keys = keys;
    this.#post = post;
    this.#out = { keys, from: 'initiator', sender: own.publicKey, recipient: peerKey };
    this.#in = { keys, from: 'responder', sender: peerKey, recipient: own.publicKey };
  }

  /** Runs the handshake to its end. */
  static async open(post: Post, options: Omit<HandshakeOptions, 'role'>): Promise<HttpSession> {
    const handshake = new Handshake({ ...options, role: 'initiator' });
    while (handshake.keys === undefined) {
      const first: Field[] = handshake.begun ? [[1, handshake.session]] : [];
      const answer = readFields(await post(writeFields([...first, [2, handshake.write()]])));
      if (answer.some(([number]) => number === 2)) handshake.read(bytesOf(answer, 2));
    }
    return new HttpSession(post, handshake.keys, options.identity, Buffer.from(options.peerKey));
  }

  /** Sends one frame of that kind and opens the one that answers it. */
  async ask(kind: string, payload: Buffer, timestampMs = Date.now()): Promise<SessionFrame> {
    return await this.send(this.seal(kind, payload, timestampMs));
  }

  /** The next frame, sealed. */
  seal(kind: string, payload: Buffer, timestampMs = Date.now()): Buffer {
    this.#sequence += 1;
    return sealFrame(this.#out, { sequence: this.#sequence, epoch: 0, kind, timestampMs, payload });
  }

  async send(frame: Buffer): Promise<SessionFrame> {
    const body: Field[] = [
      [1, this.keys.session],
      [3, frame],
    ];
    return openFrame(this.#in, bytesOf(readFields(await this.#post(writeFields(body))), 3));
  }

  /** Brings a letter; says what became of it. */
  async bring(kind: string, letter: Letter): Promise<string> {
    const { id, content, sentMs, expiresMs } = letter;
    const fields: Field[] = [
      [1, Buffer.from(id)],
      [2, Buffer.from(kind)],
      [3, Buffer.from(JSON.stringify(content))],
      [4, BigInt(sentMs)],
      [5, BigInt(expiresMs)],
    ];
    const answer = await this.ask('letter', writeFields(fields), sentMs);
    const said = readFields(answer.payload);
    if (answer.kind !== 'letter.answer' || textsOf(said, 1)[0] !== id) {
      throw new Refusal('INVALID_FORMAT', 'this answers another letter');
    }
    return ['taken', 'refused', 'later'][Number(numberOf(said, 2)) - 1] ?? 'unknown';
  }
}
