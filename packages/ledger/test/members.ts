import { createIdentity, type Identity, type PeerId, utf8 } from '@peerai/core-protocol';
import { nodeCrypto as crypto } from '@peerai/core-protocol/crypto-node';
import { ManualClock, MemoryStore, seededRandom } from '@peerai/core-protocol/testing';
import {
  type Agreement,
  type AgreementDeps,
  type AgreementLink,
  type AgreementOptions,
  createAgreement,
  type Evidence,
  type Genesis,
} from '../src/agreement/index.ts';

export const identityOf = (seed: number): Identity => createIdentity(crypto, seededRandom(seed).bytes(32));
export const payload = (text: string) => ({ kind: 'note', body: utf8(text) });
export const never = new AbortController().signal;

type Handler = (from: PeerId, bytes: Uint8Array) => void;

/** Members in one process: every message takes ten milliseconds, unless the test loses it. */
export function createGroup(count: number, options: Partial<AgreementOptions> = {}) {
  const clock = new ManualClock();
  const identities = Array.from({ length: count }, (_, at) => identityOf(at + 1)).toSorted((a, b) =>
    a.peer < b.peer ? -1 : 1,
  );
  const genesis: Genesis = {
    version: 1,
    name: 'a group',
    members: identities.map(({ peer }) => peer),
    nonce: new Uint8Array(16).fill(7),
  };
  const handlers = new Map<PeerId, Handler>();
  const group = {
    clock,
    crypto,
    genesis,
    identities,
    sent: 0,
    /** Whether a message is lost. */
    loses: (_from: PeerId, _to: PeerId, _bytes: Uint8Array): boolean => false,
    link(self: PeerId): AgreementLink {
      const send = (to: PeerId, bytes: Uint8Array): void => {
        group.sent += 1;
        if (group.loses(self, to, bytes)) return;
        void clock.sleep(10).then(() => handlers.get(to)?.(self, bytes.slice()));
      };
      return {
        broadcast: (to, bytes) => to.forEach((one) => send(one, bytes)),
        send,
        receive(handler) {
          handlers.set(self, handler);
          return () => void (handlers.get(self) === handler && handlers.delete(self));
        },
      };
    },
    async join(identity: Identity, more: Partial<AgreementDeps> = {}, store = new MemoryStore()) {
      const lies: Evidence[] = [];
      const open = async (): Promise<Agreement> => {
        const link = group.link(identity.peer);
        const deps = {
          store,
          crypto,
          identity,
          clock,
          link,
          judge: () => true,
          lied: (one: Evidence) => lies.push(one),
        };
        return createAgreement({ ...deps, ...more }, { genesis, ...options });
      };
      return { identity, store, lies, open, agreement: await open() };
    },
    async all() {
      const members = await Promise.all(identities.map((identity) => group.join(identity)));
      for (const { agreement } of members) await clock.until(agreement.start());
      return members;
    },
  };
  return group;
}
