import {
  createIdentity,
  fromUtf8,
  type Identity,
  type Opened,
  type Random,
  sealMessage,
  utf8,
} from '@peerai/core-protocol';
import { nodeCrypto } from '@peerai/core-protocol/crypto-node';
import { sealSix } from '@peerai/core-protocol/pcp';
import { type ManualClock, type MemoryStore, memoryWorld, seededRandom } from '@peerai/core-protocol/testing';
import { createMessenger } from '../../messenger.ts';
import { type ContactProfile, type NamedContact, openContacts } from '../contacts.ts';
import { type Counts, createCounts } from '../counts.ts';
import type { Discover } from '../discovery.ts';
import { type HttpFace, openHttpFace } from '../face.ts';

const never = new AbortController().signal;
/** A peer of an older implementation. */
export const older = createIdentity(nodeCrypto, new Uint8Array(32).fill(9));
export const secret = 'a secret of both sides';

export interface Life {
  readonly face: HttpFace;
  readonly seen: Opened[];
  readonly clock: ManualClock;
  readonly store: MemoryStore;
  readonly counts: Counts;
  readonly self: Identity;
  readonly standing: Map<string, 'paired' | 'blocked'>;
  fails: boolean;
  post(path: string, body: Uint8Array | object): Promise<Answer>;
  get(path: string, host?: string): Promise<Answer>;
  stop(): Promise<void>;
}
interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Record<string, unknown> & { readonly error?: { readonly code?: string } };
}
interface LifeOptions {
  readonly store?: MemoryStore;
  readonly clock?: ManualClock;
  readonly contacts?: readonly NamedContact[];
  readonly isOpen?: boolean;
  readonly secret?: string;
  readonly profiles?: readonly ('peerai/1' | 'pcp/1.0-six' | 'pcp/0.1')[];
  readonly showsPeers?: boolean;
  readonly hosts?: readonly string[];
  readonly discover?: Discover;
}

export const contact = (profile: ContactProfile = 'pcp/1.0-six', publicKey = older.publicKey): NamedContact => ({
  name: 'entity-a',
  profile,
  publicKey,
  url: 'http://127.0.0.1:9',
});

/** One face over one messenger, named entity-b. */
export async function life(options: LifeOptions = {}): Promise<Life> {
  const world = memoryWorld({ seed: 5, crypto: nodeCrypto, ...options });
  const { clock, store, identity } = world;
  const messenger = createMessenger({ ...world, store: store.room('messenger') });
  const seen: Opened[] = [];
  const state = { fails: false };
  for (const kind of ['text', 'task_delegate', 'delegate']) {
    messenger.handle(kind, async (message) => {
      if (state.fails) throw new Error('not now');
      seen.push(message);
      return [store.room('seen').put(message.id, utf8(kind))];
    });
  }
  const stopping = new AbortController();
  await messenger.start(stopping.signal);
  const standing = new Map<string, 'paired' | 'blocked'>();
  const { contacts: named = [contact()], isOpen = false, secret, profiles, showsPeers = true, hosts } = options;
  const own = { entityId: 'entity-b', ...(secret === undefined ? {} : { secret }) };
  const contacts = await openContacts({ store: store.room('contacts'), crypto: nodeCrypto }, { named, isOpen, ...own });
  const counts = createCounts(clock);
  const face = await openHttpFace(
    {
      ...world,
      store: store.room('http'),
      contacts,
      counts,
      receive: messenger.receive,
      standing: (peer) => standing.get(peer) ?? 'stranger',
      paired: () => [],
      ...(options.discover === undefined ? {} : { discover: options.discover }),
      queue: async () => {
        await store.get('x');
        return { size: 1, sent: 2, failed: 3, discarded: 4 };
      },
    },
    {
      ...own,
      isOpen,
      showsPeers,
      profiles: profiles ?? ['peerai/1', 'pcp/1.0-six', 'pcp/0.1'],
      ...(hosts === undefined ? {} : { hosts }),
    },
  );
  const ask = async (method: string, path: string, host: string, body: Uint8Array): Promise<Answer> => {
    const { status, headers, body: said } = await face.answer({ method, path, host, body }, 8016, never);
    return { status, headers, body: JSON.parse(fromUtf8(said)) as Answer['body'] };
  };
  return {
    face,
    seen,
    clock,
    store,
    counts,
    self: identity,
    standing,
    get fails() {
      return state.fails;
    },
    set fails(value) {
      state.fails = value;
    },
    post: (path, body) =>
      ask('POST', path, 'localhost', body instanceof Uint8Array ? body : utf8(JSON.stringify(body))),
    get: (path, host = 'localhost') => ask('GET', path, host, new Uint8Array()),
    stop: async () => {
      stopping.abort();
      await messenger.stop();
    },
  };
}

let turn = 0;
/** Another one each time. */
export const nextRandom = (): Random => seededRandom((turn += 1));
export const sealing = (clock: ManualClock, identity = older) => {
  return { identity, clock, random: nextRandom() };
};
export const six = (
  at: Life,
  kind = 'text',
  payload: Record<string, unknown> = { a: 1 },
  identity = older,
): Uint8Array => sealSix(sealing(at.clock, identity), { version: '0.3', kind, senderId: 'entity-a', payload });
export const ours = (at: Life, from: Identity, kind = 'text', payload: unknown = 'hello'): Uint8Array =>
  sealMessage(
    { ...sealing(at.clock, from), crypto: nodeCrypto },
    { kind, recipient: at.self.peer, sequence: 0, payload },
    { form: 'json' },
  );
