import {
  bounded,
  type Clock,
  type CryptoProvider,
  fromUtf8,
  type Identity,
  type Logger,
  type Network,
  type PeerId,
  type Store,
  toHex,
  utf8,
} from '@peerai/core-protocol';
import { openCheckpoint } from '@peerai/ledger';
import { type Block, type ChainEntry, createAgreement, type Genesis, groupIdOf } from '@peerai/ledger/agreement';
import { createGroupChain } from '@peerai/ledger/chain';
import { agreementProtocol } from '../governance/governance-protocol.ts';
import { createLines } from '../governance/lines.ts';
import { blockKind } from './chain.ts';
import { limits } from './limits.ts';

export interface GroupBlocksDeps {
  readonly store: Store;
  readonly identity: Identity;
  readonly crypto: CryptoProvider;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly network: Network;
  readonly stopping: AbortSignal;
}

/** Blocks that a group of devices decides together: each entry is a member's signed head, so who has the chain can hold every member to its log. */
export interface GroupBlocks {
  /** Closes the next block over what waits here, this head too where the chain has none as new. @returns its hash, hex; '' when nothing waits. Throws TIMEOUT. */
  mine(head: string | undefined): Promise<string>;
  /** The heads that this device stated, when all of the chain holds; undefined when it does not. */
  verify(): Promise<readonly string[] | undefined>;
  stats(): Promise<{ readonly blocks: number; readonly pending: number }>;
  stop(): Promise<void>;
}

/** Takes part until it is stopped. Members are those of the genesis, for good. Throws INVALID_FORMAT for a wrong genesis, LEDGER_DAMAGED. */
export async function openGroupBlocks(deps: GroupBlocksDeps, genesis: Genesis): Promise<GroupBlocks> {
  const { identity, crypto, clock, network, stopping } = deps;
  const self = identity.peer;
  const store = deps.store.room('group');
  const lines = createLines({ network, clock, stopping }, agreementProtocol);
  const ending = new AbortController();
  /** How long each member's log was by its newest head in the chain. */
  const sizes = new Map<PeerId, bigint>();
  let read = 0;
  let waiting: (() => void)[] = [];

  const sizeOf = ({ author, kind, body }: Pick<ChainEntry, 'author' | 'kind' | 'body'>): bigint | undefined =>
    kind === blockKind ? headSize(crypto, author, body) : undefined;
  const agreement = await createAgreement(
    {
      ...deps,
      store: store.room('agreement'),
      link: lines.link(toHex(groupIdOf(crypto, genesis))),
      // By the entry alone: one that were refused later, after a newer head, would hold up all that its author says.
      judge: (entry) => sizeOf(entry) !== undefined,
    },
    { genesis },
  );
  const chain = createGroupChain({ store: store.room('chain'), crypto, genesis, self, agreement });
  const wake = (): void => waiting.splice(0).forEach((one) => one());
  const take = ({ header, entries }: Block): void => {
    for (const entry of entries) {
      const size = sizeOf(entry) ?? 0n;
      if (size > (sizes.get(entry.author) ?? 0n)) sizes.set(entry.author, size);
    }
    read = header.height;
    wake();
  };
  const follow = async (): Promise<void> => {
    for await (const block of agreement.decisions(1, ending.signal)) take(block);
  };
  const following = follow()
    .catch(() => deps.logger.error('group-chain-unreadable'))
    .finally(() => {
      ending.abort();
      wake();
    });
  const caughtUp = async (): Promise<void> => {
    while (read < agreement.status().height && !ending.signal.aborted)
      await new Promise<void>((resolve) => waiting.push(resolve));
  };
  await caughtUp();
  const hearing = network.answer(agreementProtocol, (channel) => lines.hear(channel));
  await agreement.start();

  return {
    async mine(head) {
      await caughtUp();
      if (head !== undefined) {
        const body = utf8(head);
        const inChain = sizes.get(self) ?? 0n;
        const waits = (await chain.pending()).some((entry) => fromUtf8(entry.body) === head);
        if (!waits && (headSize(crypto, self, body) ?? 0n) > inChain) await chain.add({ kind: blockKind, body });
      }
      const block = await bounded(clock, limits.groupBlockMs, stopping, (signal) => chain.mineBlock(signal));
      return block === undefined ? '' : toHex(block.hash);
    },
    async verify() {
      if (!(await chain.verify()).ok) return undefined;
      const { height } = agreement.status();
      const own: string[] = [];
      const enough = new AbortController();
      if (height > 0)
        for await (const { header, entries } of agreement.decisions(1, enough.signal)) {
          for (const entry of entries) {
            if (sizeOf(entry) === undefined) return undefined;
            if (entry.author === self) own.push(fromUtf8(entry.body));
          }
          if (header.height >= height) enough.abort();
        }
      return own;
    },
    stats: async () => ({ blocks: agreement.status().height, pending: (await chain.pending()).length }),
    async stop() {
      ending.abort();
      hearing[Symbol.dispose]();
      await agreement.stop();
      await following;
    },
  };
}

/** Entries of the log that this note is the head of; undefined when it is none of this peer's. */
function headSize(crypto: CryptoProvider, author: PeerId, body: Uint8Array): bigint | undefined {
  try {
    const { origin, size } = openCheckpoint(crypto, fromUtf8(body));
    return origin === author ? size : undefined;
  } catch {
    return undefined;
  }
}
