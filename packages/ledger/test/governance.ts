import { createIdentity, type EntryBody, type Identity, type PeerId } from '@peerai/core-protocol';
import { seededRandom } from '@peerai/core-protocol/testing';
import { membersPayload } from '../src/agreement/epoch.ts';
import { encodeStatement, type Proposal, type Said } from '../src/governance/entry.ts';
import { type DecidedBlock, foldBlock, type FoldDeps, type Outcome } from '../src/governance/fold.ts';
import { type GovernanceState, initialState } from '../src/governance/state.ts';
import { crypto } from './world.ts';

const random = seededRandom(17);
export const someone = (): Identity => createIdentity(crypto, random.bytes(32));
export const textProposal = (title: string, more: Partial<Proposal> = {}): Proposal => ({
  title,
  text: '',
  action: { type: 'text' },
  openMs: 60_000,
  ...more,
});

/** A group whose chain a test writes entry by entry, each in a block of its own. */
export interface TestChain {
  readonly blocks: DecidedBlock[];
  readonly state: () => GovernanceState;
  /** @returns why it was refused, undefined when it was not. */
  say(author: PeerId, said: Said, timeMs: number): Promise<Outcome['refused']>;
  /** @returns the id of a proposal that was taken. */
  propose(author: PeerId, proposal: Proposal, timeMs: number): Promise<string>;
  put(...entries: readonly { readonly author: PeerId; readonly payload: EntryBody }[]): Promise<readonly Outcome[]>;
  /** The block with which the members that were decided begin. */
  begin(author: PeerId): Promise<void>;
}
export function testChain(deps: FoldDeps, members: readonly PeerId[]): TestChain {
  let state = initialState('ab'.repeat(32), { name: 'group', members });
  const blocks: DecidedBlock[] = [];
  const numbers = new Map<PeerId, number>();
  const put: TestChain['put'] = async (...entries) => {
    const signed = entries.map(({ author, payload }) => {
      const number = (numbers.get(author) ?? 0) + 1;
      numbers.set(author, number);
      return { author, number, ...payload };
    });
    const block = { header: { height: state.height + 1 }, entries: signed };
    const folded = await foldBlock(deps, state, block);
    blocks.push(block);
    state = folded.state;
    return folded.outcomes;
  };
  const one = async (author: PeerId, said: Said, timeMs: number): Promise<Outcome> => {
    const [outcome] = await put({ author, payload: encodeStatement({ timeMs, said }) });
    if (outcome === undefined) throw new Error('no outcome');
    return outcome;
  };
  return {
    blocks,
    state: () => state,
    put,
    say: async (author, said, timeMs) => (await one(author, said, timeMs)).refused,
    async propose(author, proposal, timeMs) {
      const { on, refused } = await one(author, { type: 'proposal', proposal }, timeMs);
      if (on === undefined || refused !== undefined) throw new Error(`refused: ${refused}`);
      return on;
    },
    async begin(author) {
      await put({ author, payload: membersPayload(state.nextMembers ?? state.members) });
    },
  };
}
