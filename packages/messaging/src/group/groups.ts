import {
  type Clock,
  type Logger,
  type Network,
  PeerAiError,
  type PeerId,
  serveMethod,
  type Store,
} from '@peerai/core-protocol';
import type { PeerMessenger } from '../messenger.ts';
import { collect, type DeliveryState } from '../rows.ts';
import type { Engine } from './engine.ts';
import type { IntakeDeps } from './intake.ts';
import { groupKind } from './letters.ts';
import { keyPackageMethod } from './protocol.ts';
import type { SuiteDeps } from './suite.ts';

export interface GroupsDeps extends SuiteDeps {
  /** A room of its own; `take`'s changes may be of any room of the same file. */
  readonly store: Store;
  /** Before it is started. */
  readonly messenger: PeerMessenger;
  readonly network: Network;
  readonly clock: Clock;
  readonly logger: Logger;
  /** The changes returned are committed together with the group's new secrets: each message is handled once. */
  readonly take: IntakeDeps['take'];
  /** May this peer add us to its groups? Without it every peer may that our owner lets in at all. */
  readonly mayAdd?: IntakeDeps['mayAdd'];
  /** A group came, changed or is gone; `undefined`: gone. */
  readonly changed?: (id: string, group: GroupView | undefined) => void;
}
export interface GroupView {
  /** 32 hex digits. */
  readonly id: string;
  readonly name: string;
  /** The one member that adds and removes. */
  readonly committer: PeerId;
  readonly members: readonly PeerId[];
  /** Rises with each change of members or keys. */
  readonly epoch: number;
}
/** Where a message stands with each member; `unknown`: it was so long ago that the messenger forgot. */
export interface GroupReport {
  readonly id: string;
  readonly group: string;
  readonly members: readonly {
    readonly peer: PeerId;
    readonly state: DeliveryState | 'unknown';
    readonly code?: string;
  }[];
}
/** Every method throws GROUP_UNKNOWN where there is no such group, NOT_COMMITTER where only the committer may, and what the store throws. */
export interface Groups {
  start(signal: AbortSignal): Promise<void>;
  /** Safe to call twice. */
  stop(): Promise<void>;
  /** A new group with oneself in it. Throws LIMIT_EXCEEDED (the name), LIMIT_REACHED. */
  create(name: string): Promise<GroupView>;
  /** All of them in one step, or none. Throws PEER_UNREACHABLE, REFUSED (a peer does not let us), LIMIT_REACHED (members), ALREADY_MEMBER. */
  add(id: string, peers: readonly PeerId[], signal: AbortSignal): Promise<GroupView>;
  /** Throws NOT_MEMBER. */
  remove(id: string, peer: PeerId): Promise<GroupView>;
  /** Our keys of it are gone when this resolves; the committer hands its part to the member that came next. */
  leave(id: string): Promise<void>;
  /** New keys for everybody, by the committer: what leaked before opens nothing that comes after. */
  renew(id: string): Promise<GroupView>;
  list(): Promise<readonly GroupView[]>;
  /** To every other member, durable when it resolves; returns the message's id. Throws INVALID_FORMAT, LIMIT_EXCEEDED. */
  send(id: string, kind: string, payload: unknown): Promise<string>;
  report(message: string): Promise<GroupReport | undefined>;
}

/**
 * Groups whose messages only members read: MLS (RFC 9420) by ts-mls, carried by the messenger to each member. MLS itself is loaded when there is a
 * group, or somebody asks for one.
 */
export function openGroups(deps: GroupsDeps): Groups {
  const { store, messenger, network, clock } = deps;
  const mayAdd = deps.mayAdd ?? (() => true);
  let ending: AbortController | undefined;
  let serving: Disposable[] = [];
  let opened: Promise<Engine> | undefined;
  const engine = (): Promise<Engine> => {
    opened ??= (async () => {
      const { openEngine } = await import('./engine.ts');
      const made = await openEngine(deps, mayAdd);
      if (ending !== undefined) await made.start(ending.signal);
      return made;
    })();
    // What failed is tried anew the next time.
    opened.catch(() => {
      opened = undefined;
    });
    return opened;
  };
  const isEmpty = async (): Promise<boolean> =>
    opened === undefined && (await collect(store.range('', '\u{10ffff}', { limit: 1 }))).length === 0;
  const stop = async (): Promise<void> => {
    ending?.abort();
    ending = undefined;
    for (const one of serving.splice(0)) one[Symbol.dispose]();
    await (await opened?.catch(() => undefined))?.idle();
  };
  return {
    stop,
    start: async (signal) => {
      if (ending !== undefined) return;
      const mine = new AbortController();
      ending = mine;
      signal.addEventListener('abort', () => mine.abort(), { once: true, signal: mine.signal });
      if (!(await isEmpty())) await engine();
      serving = [
        messenger.handle(groupKind, async (message, by) => {
          await (await engine()).takeLetter(message, by);
          return [];
        }),
        serveMethod(
          network,
          keyPackageMethod,
          async (_, { peer }) => {
            if (!mayAdd(peer)) throw new PeerAiError('REFUSED', 'this peer may not add us to its groups');
            return (await engine()).handOut(peer);
          },
          { clock },
        ),
      ];
    },
    create: async (name) => (await engine()).create(name),
    add: async (id, peers, signal) => (await engine()).add(id, peers, signal),
    remove: async (id, peer) => (await engine()).remove(id, peer),
    renew: async (id) => (await engine()).renew(id),
    leave: async (id) => (await engine()).leave(id),
    list: async () => ((await isEmpty()) ? [] : (await engine()).list()),
    send: async (id, kind, payload) => (await engine()).send(id, kind, payload),
    report: async (message) => ((await isEmpty()) ? undefined : (await engine()).report(message)),
  };
}
