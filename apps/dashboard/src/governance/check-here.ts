import { fromBase64Url, nobleCrypto, toHex } from '@peerai/core-protocol';
import { decodeGenesis, groupIdOf } from '@peerai/ledger/agreement';
import { createBallotBooth, type GovernanceVerification, verifyGovernance } from '@peerai/ledger/governance';
import type { ControlClient } from '@peerai/peer/control';

export interface ChainChecked extends Pick<
  GovernanceVerification,
  'ok' | 'blocks' | 'signatures' | 'digest' | 'problem'
> {
  /** Whether it leads to the state that the agent shows. */
  readonly matches: boolean;
  readonly tookMs: number;
}

/**
 * Fetches a group's chain as bytes and checks it with the ledger's own code in this page: that its first block belongs to this group's id, every signature and
 * certificate, and what the votes came to. Throws what the client throws, and INVALID_FORMAT for a genesis that is none.
 */
export async function checkChainHere(
  client: Pick<ControlClient, 'governanceGroup' | 'governanceChain'>,
  id: string,
  onProgress: (done: number, all: number) => void,
  signal: AbortSignal,
): Promise<ChainChecked> {
  const startMs = performance.now();
  const shown = await client.governanceGroup(id, signal);
  const { height } = shown.group;
  const first = await client.governanceChain(id, 1, signal);
  const genesis = decodeGenesis(fromBase64Url(first.genesis));
  if (toHex(groupIdOf(nobleCrypto, genesis)) !== id) {
    const none = { ok: false, blocks: 0, signatures: 0, digest: '', matches: false };
    return { ...none, problem: 'this is the chain of another group', tookMs: performance.now() - startMs };
  }
  // What was decided since belongs to another state than the one shown.
  const blocks = async function* () {
    let done = 0;
    for (let page = first; ; page = await client.governanceChain(id, done + 1, signal)) {
      for (const one of page.blocks.slice(0, height - done)) {
        yield fromBase64Url(one);
        onProgress((done += 1), height);
      }
      if (page.blocks.length === 0 || page.next === null || done >= height) return;
    }
  };
  const found = await verifyGovernance({ crypto: nobleCrypto, ballots: createBallotBooth() }, genesis, blocks());
  const { ok, signatures, digest, problem } = found;
  const matches = found.blocks === height && digest === shown.digest;
  return { ok, blocks: found.blocks, signatures, digest, problem, matches, tookMs: performance.now() - startMs };
}
