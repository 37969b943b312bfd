import { callMethod, type Clock, type Logger, type Network, type PeerId } from '@peerai/core-protocol';
import type { OwnLedger } from '@peerai/ledger';
import { booksLimits as limits } from './limits.ts';
import type { LogGuard } from './log-guard.ts';
import { logMethod, plainLogQuestion } from './log-protocol.ts';

export interface ShownDeps {
  readonly clock: Clock;
  readonly network: Network;
  readonly logger: Logger;
  readonly ledger: Pick<OwnLedger, 'origin' | 'size'>;
  readonly guard: Pick<LogGuard, 'saw'>;
  readonly stopping: AbortSignal;
}

/** Those of a peer's heads that are of our own log. Throws what reading a note throws. */
export async function seeOwn(
  { guard, ledger, logger }: Pick<ShownDeps, 'guard' | 'ledger' | 'logger'>,
  peer: PeerId,
  notes: readonly string[],
): Promise<void> {
  for (const note of notes)
    if (note.startsWith(`${ledger.origin}\n`) && (await guard.saw(note, peer)))
      logger.error('ledger-behind', { shownBy: peer, size: Number(ledger.size) });
}

/** Whether the peer has more of our log than is here; ends soon, whatever becomes of it. */
export async function lookAtOwn(deps: ShownDeps, peer: PeerId): Promise<void> {
  const over = new AbortController();
  const signal = AbortSignal.any([deps.stopping, over.signal]);
  const ask = async (): Promise<void> => {
    const { notes } = await callMethod(deps, peer, logMethod, { ...plainLogQuestion, kind: 'heads' }, { signal });
    await seeOwn(deps, peer, notes);
  };
  await Promise.race([ask(), deps.clock.sleep(limits.lookMs, signal)]).catch(() => undefined);
  over.abort();
}
