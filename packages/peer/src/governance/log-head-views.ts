import { type CryptoProvider, PeerAiError, toHex } from '@peerai/core-protocol';
import { type GovernanceState, logHeadNote } from '@peerai/ledger/governance';
import { peerOf } from './acts.ts';
import type { GovernanceDeps } from './governance.ts';
import type { RunningGroup } from './group.ts';
import type { GovernanceProofView, LogHeadsView } from './log-heads.schema.ts';
import { type NameOf, whoOf } from './views.ts';

export function logHeadsView(
  { logHeads: { heads, faults }, policy }: Pick<GovernanceState, 'logHeads' | 'policy'>,
  problem: LogHeadsView['problem'],
  nameOf: NameOf,
): LogHeadsView {
  return {
    everyMinutes: policy['log-heads.every_minutes'],
    heads: [...heads].map(([peer, { size, root, height, timeMs }]) => ({
      ...whoOf(peer, nameOf),
      size: Number(size),
      root: toHex(root),
      height,
      timeMs,
    })),
    faults: faults.map(({ origin, kind, height, held, said }) => ({
      ...whoOf(origin, nameOf),
      kind,
      height,
      heldSize: Number(held.size),
      saidSize: Number(said.size),
    })),
    problem,
  };
}

/** An entry of a member's log under the newest head of it that the chain has. */
export async function proveByGroup(
  {
    crypto,
    identity,
    devices,
    logs,
    nameOf,
  }: Pick<GovernanceDeps, 'identity' | 'devices' | 'logs' | 'nameOf'> & { readonly crypto: CryptoProvider },
  group: Pick<RunningGroup, 'id' | 'state'>,
  index: number,
  origin: string,
): Promise<GovernanceProofView> {
  const peer = peerOf(devices, identity.peer, origin);
  const { logHeads, policy } = group.state();
  const head = logHeads.heads.get(peer);
  const next = `a head goes into the chain at most every ${policy['log-heads.every_minutes']} min`;
  if (head === undefined) throw new PeerAiError('NOT_FOUND', `this group’s chain has no head of that log yet; ${next}`);
  if (BigInt(index) >= head.size)
    throw new PeerAiError('NOT_IN_LOG', `the newest head in this group’s chain is of ${head.size} entries; ${next}`, {
      index,
      size: Number(head.size),
    });
  const { proof } = await logs.proveUnder(logHeadNote(crypto, peer, head), index);
  return { v: 1, group: group.id, ...whoOf(peer, nameOf), index, size: Number(head.size), height: head.height, proof };
}
