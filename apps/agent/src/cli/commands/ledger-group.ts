import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { fromBase64Url } from '@peerai/core-protocol';
import { decodeGenesis } from '@peerai/ledger/agreement';
import { exportEntryProof } from '@peerai/ledger/governance';
import type { ControlClient, GovernanceProofView } from '@peerai/peer/control';

/** An entry, its path to a head of its log, and the group's chain up to the block with that head, in one file. */
export async function writeGroupProof(
  client: Pick<ControlClient, 'governanceChain' | 'proveByGroup'>,
  { group, index, origin }: { readonly group: string; readonly index: number; readonly origin?: string },
  file: string,
  signal: AbortSignal,
): Promise<GovernanceProofView> {
  const proven = await client.proveByGroup(group, index, origin, signal);
  const first = await client.governanceChain(proven.group, 1, signal);
  const blocks = async function* () {
    let height = 0;
    for (let page = first; ; page = await client.governanceChain(proven.group, height + 1, signal)) {
      for (const one of page.blocks) {
        height += 1;
        yield fromBase64Url(one);
        if (height === proven.height) return;
      }
      if (page.next === null) return;
    }
  };
  const genesis = decodeGenesis(fromBase64Url(first.genesis));
  const pieces = exportEntryProof(fromBase64Url(proven.proof), genesis, blocks());
  await pipeline(Readable.from(pieces), createWriteStream(file));
  return proven;
}
