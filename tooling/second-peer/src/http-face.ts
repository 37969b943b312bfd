import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Receiver, Taken } from './checks.ts';
import type { Identity } from './identity.ts';
import { plain } from './json.ts';
import type { Letter } from './letter.ts';
import { readOwn, writeOwn } from './own.ts';
import { readConcat } from './pcp-concat.ts';
import { readSix } from './pcp-six.ts';
import { answerTo, type Profile, Refusal } from './refusal.ts';

/** A message that came by HTTP and held. */
export interface Heard {
  readonly profile: Profile;
  readonly kind: string;
  readonly sender: string;
  readonly payload: unknown;
}

/** This peer's HTTP face: takes messages of the three profiles on a free port of loopback and verifies them. */
export class HttpFace {
  readonly heard: Heard[] = [];
  readonly refused: string[] = [];
  readonly #server: Server;
  readonly #identity: Identity;
  readonly #receiver: Receiver;

  private constructor(identity: Identity, receiver: Receiver) {
    this.#identity = identity;
    this.#receiver = receiver;
    this.#server = createServer((request, response) => {
      void this.#answer(request).then(({ status, body }) =>
        response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body)),
      );
    });
  }

  static async start(identity: Identity, receiver: Receiver): Promise<HttpFace> {
    const face = new HttpFace(identity, receiver);
    face.#server.listen(0, '127.0.0.1');
    await once(face.#server, 'listening');
    return face;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  stop(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  async #answer(request: IncomingMessage): Promise<{ readonly status: number; readonly body: unknown }> {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const text = Buffer.concat(parts).toString('utf8');
    const profile = profileOf(request.url ?? '', text);
    try {
      if (request.method !== 'POST' || profile === undefined) throw new Refusal('NOT_FOUND', 'nothing is here');
      const read = { 'peerai/1': readOwn, 'pcp/1.0-six': readSix, 'pcp/0.1': readConcat }[profile];
      const taken = read(text, this.#receiver);
      this.heard.push({ profile, kind: taken.kind, sender: taken.sender, payload: plain(taken.payload) });
      return { status: 200, body: this.#received(profile, taken) };
    } catch (error) {
      const refusal = error instanceof Refusal ? error : new Refusal('INTERNAL', 'this peer failed');
      this.refused.push(`${profile ?? 'unknown'} ${refusal.code} ${refusal.message}`);
      return answerTo(refusal, profile ?? 'pcp/1.0-six');
    }
  }

  #received(profile: Profile, taken: Taken): unknown {
    if (profile === 'pcp/0.1') return { status: 'received' };
    const body = { status: 'received', entity_id: this.#receiver.names[0], verification: 'passed' };
    if (profile === 'pcp/1.0-six') return body;
    const payload = { id: (plain(taken.payload) as Letter).id, outcome: 'taken' };
    const said = { kind: 'message.answer', recipient: taken.sender, sequence: 1, payload };
    return { ...body, answer: JSON.parse(writeOwn(this.#identity, said)) as unknown };
  }
}

function profileOf(path: string, text: string): Profile | undefined {
  if (path === '/v0.1/message') return 'pcp/0.1';
  if (path !== '/message') return undefined;
  return /"version":\s*1[,}]/.test(text) ? 'peerai/1' : 'pcp/1.0-six';
}
