import {
  type Clock,
  type CryptoProvider,
  type Identity,
  type Logger,
  type Messenger,
  type Network,
  PeerAiError,
  type PeerId,
  type Random,
  serveMethod,
  type Store,
} from '@peerai/core-protocol';
import { collect } from '../rows.ts';
import type { Engine } from './engine.ts';
import { exchangeMethod, stateKind } from './protocol.ts';
import type { Changed } from './replica.ts';

export interface StatesDeps {
  /** A room of its own. */
  readonly store: Store;
  /** Before it is started. */
  readonly messenger: Messenger;
  readonly network: Network;
  readonly identity: Identity;
  readonly crypto: CryptoProvider;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** May this peer bring us documents, and have ours that are shared with it? */
  readonly mayShare: (peer: PeerId) => boolean;
  /** Members of a group, oneself included; without it no document is a group's. */
  readonly groupMembers?: (group: string) => Promise<readonly PeerId[] | undefined>;
  /** A document came, went, or says something else now. */
  readonly changed?: (id: string, changed: Changed) => void;
}
export interface DocumentView {
  /** 32 hex digits. */
  readonly id: string;
  readonly name: string;
  readonly founder: PeerId;
  /** The group whose members share it. */
  readonly group: string | undefined;
  /** Oneself included. */
  readonly members: readonly PeerId[];
  readonly keys: number;
  readonly textChars: number;
  /** Bytes of signed entries it takes. */
  readonly bytes: number;
}
/** Every method throws DOCUMENT_UNKNOWN where there is no such document, and what the store throws. */
export interface States {
  start(signal: AbortSignal): Promise<void>;
  /** Safe to call twice. */
  stop(): Promise<void>;
  /** Shared with these peers, or with the members of a group. Throws LIMIT_EXCEEDED (name), LIMIT_REACHED. */
  create(
    name: string,
    shared: { readonly members?: readonly PeerId[]; readonly group?: string },
  ): Promise<DocumentView>;
  /** By its founder. Throws REFUSED, LIMIT_REACHED. */
  share(id: string, peers: readonly PeerId[]): Promise<DocumentView>;
  /** Later changes do not go to it any more; what it has it keeps. Throws REFUSED. */
  unshare(id: string, peer: PeerId): Promise<DocumentView>;
  /** Gone here, for good; others keep theirs. */
  forget(id: string): Promise<void>;
  list(): Promise<readonly DocumentView[]>;
  /** Brings every document to all who share it now: for when a group has other members. */
  offer(): Promise<void>;
  values(id: string): Promise<Readonly<Record<string, unknown>>>;
  text(id: string): Promise<string>;
  /** False where it was so already. Throws INVALID_FORMAT (no JSON), LIMIT_EXCEEDED (key, value), LIMIT_REACHED (the document is full). */
  set(id: string, key: string, value: unknown): Promise<boolean>;
  /** False where there was none. */
  remove(id: string, key: string): Promise<boolean>;
  /** Makes the document's text this one by one replacement, beside which others' edits stay. Throws LIMIT_EXCEEDED, LIMIT_REACHED. */
  write(id: string, text: string): Promise<boolean>;
}

/**
 * Documents that several peers write at the same time and that become the same everywhere: keys with JSON values and one text each, by Yjs. Each change is
 * signed by its author and goes over live links first, by letter to those who are away; peers that meet tell each other what they lack.
 */
export function openStates(deps: StatesDeps): States {
  const { store, messenger, network, clock } = deps;
  let ending: AbortController | undefined;
  let serving: Disposable[] = [];
  let opened: Promise<Engine> | undefined;
  const links = new Map<PeerId, Set<string>>();
  const engine = (): Promise<Engine> => {
    opened ??= (async () => {
      const { openEngine } = await import('./engine.ts');
      const made = openEngine(deps);
      if (ending !== undefined) await made.start(ending.signal);
      for (const peer of links.keys()) await made.linked(peer, true);
      return made;
    })();
    // What failed is tried anew the next time.
    opened.catch(() => {
      opened = undefined;
    });
    return opened;
  };
  const isEmpty = async (): Promise<boolean> =>
    opened === undefined && (await collect(store.range('charter/', 'charter0', { limit: 1 }))).length === 0;
  /** Throws DOCUMENT_UNKNOWN without loading anything where there is none at all. */
  const some = async (): Promise<Engine> => {
    if (await isEmpty()) throw new PeerAiError('DOCUMENT_UNKNOWN', 'there is no such document here');
    return engine();
  };
  const watch = async (signal: AbortSignal): Promise<void> => {
    for await (const { peer, state, path, address } of network.links(signal)) {
      const all = links.get(peer) ?? new Set();
      const wasUp = all.size > 0;
      if (state === 'up') all.add(`${path} ${address}`);
      else all.delete(`${path} ${address}`);
      if (all.size > 0) links.set(peer, all);
      else links.delete(peer);
      if (all.size > 0 !== wasUp) await (await opened?.catch(() => undefined))?.linked(peer, all.size > 0);
    }
  };
  const stop = async (): Promise<void> => {
    ending?.abort(new PeerAiError('ABORTED', 'replicated state was stopped'));
    ending = undefined;
    links.clear();
    for (const one of serving.splice(0)) one[Symbol.dispose]();
    await (await opened?.catch(() => undefined))?.idle();
    opened = undefined;
  };
  return {
    stop,
    start: async (signal) => {
      if (ending !== undefined) return;
      const mine = new AbortController();
      ending = mine;
      signal.addEventListener('abort', () => mine.abort(signal.reason), { once: true, signal: mine.signal });
      if (!(await isEmpty())) await engine();
      serving = [
        messenger.handle(stateKind, async (message) => {
          await (await engine()).takeLetter(message);
          return [];
        }),
        serveMethod(network, exchangeMethod, async (asked, { peer }) => (await engine()).answer(peer, asked), {
          clock,
        }),
      ];
      void watch(mine.signal).catch((error: unknown) => {
        if (!mine.signal.aborted) {
          deps.logger.warn('state-links-unwatched', { code: PeerAiError.is(error) ? error.code : 'INTERNAL' });
        }
      });
    },
    create: async (name, shared) => (await engine()).create(name, shared),
    share: async (id, peers) => (await some()).members(id, (members) => [...new Set([...members, ...peers])]),
    unshare: async (id, peer) => (await some()).members(id, (members) => members.filter((one) => one !== peer)),
    forget: async (id) => (await some()).forget(id),
    list: async () => ((await isEmpty()) ? [] : (await engine()).list()),
    offer: async () => {
      if (!(await isEmpty())) await (await engine()).offer();
    },
    values: async (id) => (await some()).values(id),
    text: async (id) => (await some()).text(id),
    set: async (id, key, value) => (await some()).set(id, key, value),
    remove: async (id, key) => (await some()).remove(id, key),
    write: async (id, text) => (await some()).write(id, text),
  };
}
