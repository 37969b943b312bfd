import { fromBase64Url, nobleCrypto, PeerAiError, toHex } from '@peerai/core-protocol';
import { openCheckpoint } from '@peerai/ledger';
import { verifyChainHead } from '@peerai/ledger/chain/heads';
import { decodeGenesis, groupIdOf } from '@peerai/ledger/agreement';
import { createBallotBooth, type GovernanceVerification, verifyGovernance } from '@peerai/ledger/governance';
import type { ControlClient } from '@peerai/peer/control';

export interface ChainChecked extends Pick<
  GovernanceVerification,
  'ok' | 'blocks' | 'signatures' | 'digest' | 'problem'
> {
  /** Whether it leads to the state that the agent shows. */
  readonly matches: boolean;
  /** The newest signed head against these blocks; undefined where the group has signed none. */
  readonly head?: { readonly ok: boolean; readonly size: number };
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
  const kept: Uint8Array[] = [];
  const blocks = async function* () {
    let done = 0;
    for (let page = first; ; page = await client.governanceChain(id, done + 1, signal)) {
      for (const one of page.blocks.slice(0, height - done)) {
        const block = fromBase64Url(one);
        kept.push(block);
        yield block;
        onProgress((done += 1), height);
      }
      if (page.blocks.length === 0 || page.next === null || done >= height) return;
    }
  };
  const found = await verifyGovernance({ crypto: nobleCrypto, ballots: createBallotBooth() }, genesis, blocks());
  const { ok, signatures, digest, problem } = found;
  const matches = found.blocks === height && digest === shown.digest;
  const { note } = shown.signed;
  const head = note === null ? {} : { head: await checkHead(note, found.state.headKeys, kept) };
  const tookMs = performance.now() - startMs;
  return { ok, blocks: found.blocks, signatures, digest, problem, matches, ...head, tookMs };
}

/** Under a key that the chain itself names, and of these blocks. */
async function checkHead(
  note: string,
  { former, key }: GovernanceVerification['state']['headKeys'],
  blocks: readonly Uint8Array[],
): Promise<NonNullable<ChainChecked['head']>> {
  const { origin, size } = openCheckpoint(nobleCrypto, note);
  const isNamed = [...former, ...(key === undefined ? [] : [key])].some((one) => one.key === origin);
  const all = async function* () {
    yield* blocks;
  };
  try {
    await verifyChainHead(nobleCrypto, origin, note, all());
    return { ok: isNamed, size: Number(size) };
  } catch (error) {
    if (!PeerAiError.is(error)) throw error;
    return { ok: false, size: Number(size) };
  }
}
