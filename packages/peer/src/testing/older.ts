import { createIdentity, fromUtf8, type Identity, nobleCrypto, ReplayWindow, utf8 } from '@peerai/core-protocol';
import {
  openPcp,
  type PcpClaim,
  type PcpOpened,
  type PcpProfile,
  sealConcat,
  sealSix,
} from '@peerai/core-protocol/pcp';
import { type ManualClock, seededRandom } from '@peerai/core-protocol/testing';
import type { HttpPost, NamedContact } from '@peerai/messaging/http';
import { type PeerOptions, type TestPeer, type TestWorld, testWorld } from './peers.ts';
import { live } from './steps.ts';

/** A peer of an older implementation, on the other side of HTTP. */
export interface OlderPeer {
  readonly identity: Identity;
  readonly contact: NamedContact;
  /** What was posted to it, opened with the sender's key. */
  readonly heard: PcpOpened[];
  /** Takes what a peer posts to it. `answers` may say no. */
  readonly post: HttpPost;
  answers: (opened: PcpOpened) => { readonly status: number; readonly body: unknown };
  /** Posts a message of its profile to the peer; the answer's status and body. */
  say(
    to: TestPeer,
    kind: string,
    payload: Readonly<Record<string, unknown>>,
  ): Promise<{ readonly status: number; readonly body: Readonly<Record<string, unknown>> }>;
}

interface OlderOptions {
  readonly profile?: PcpClaim['profile'];
  readonly hasUrl?: boolean;
  readonly contact?: Partial<NamedContact>;
}
export interface OlderScene {
  readonly world: TestWorld;
  readonly old: OlderPeer;
  readonly a: TestPeer;
}

/** A peer, and an older one that it knows by name. */
export async function olderScene(
  { profiles, ...peer }: Pick<PeerOptions, 'seed' | 'operators'> & { readonly profiles?: readonly PcpProfile[] },
  options: OlderOptions = {},
): Promise<OlderScene> {
  const world = testWorld();
  const peers: TestPeer[] = [];
  const old = olderPeer(world.clock, { ...options, senders: () => peers });
  const http = { contacts: [old.contact], ...(profiles === undefined ? {} : { profiles }) };
  const a = await world.peer('a', { ...peer, post: old.post, settings: { http } });
  peers.push(a);
  return { world, old, a };
}

function olderPeer(
  clock: ManualClock,
  options: OlderOptions & { readonly senders: () => readonly TestPeer[] },
): OlderPeer {
  const { profile = 'pcp/1.0-six', hasUrl = true, senders } = options;
  const identity = createIdentity(nobleCrypto, new Uint8Array(32).fill(77));
  const random = seededRandom(77);
  const replay = new ReplayWindow();
  const heard: PcpOpened[] = [];
  const older: OlderPeer = {
    identity,
    contact: {
      name: 'old',
      profile,
      publicKey: identity.publicKey,
      ...(hasUrl ? { url: 'http://old.example' } : {}),
      ...options.contact,
    },
    heard,
    answers: () => ({ status: 200, body: { status: 'received' } }),
    post: async ({ body }) => {
      const { publicKey } = senders()[0]?.identity ?? identity;
      const self = { peer: identity.peer, entityId: 'old' };
      const opened = openPcp({ clock, crypto: nobleCrypto, replay, keyOf: () => publicKey }, body, {
        self,
        profiles: [profile],
      });
      const { status, body: said } = older.answers(opened);
      if (status === 200) heard.push(opened);
      return { status, body: utf8(JSON.stringify(said)) };
    },
    async say(to, kind, payload) {
      const deps = { identity, clock, random };
      const draft = { kind, senderId: 'old', payload };
      const [path, body] =
        profile === 'pcp/0.1'
          ? ['/v0.1/message', sealConcat(deps, { ...draft, recipientId: to.identity.peer })]
          : ['/message', sealSix(deps, { ...draft, version: '0.3' })];
      const request = { method: 'POST', path, host: 'localhost', body };
      const answer = await clock.until(to.peer.http.answer(request, 8016, live()));
      return { status: answer.status, body: JSON.parse(fromUtf8(answer.body)) as Readonly<Record<string, unknown>> };
    },
  };
  return older;
}
