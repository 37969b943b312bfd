import { type Identity, nobleCrypto, utf8 } from '@peerai/core-protocol';
import { memoryWorld } from '@peerai/core-protocol/testing';
import { openLedger } from '@peerai/ledger';
import { evidenceOfSize } from '@peerai/ledger/witness';

/** Two heads of one size that this peer signed over two histories. */
export async function forkOf(identity: Identity): Promise<Uint8Array> {
  const notes: string[] = [];
  for (const text of ['a', 'b']) {
    const { store, clock, crypto } = memoryWorld({ seed: 9 });
    const ledger = await openLedger({ store, clock, crypto, identity });
    await ledger.append([{ kind: 'note', body: utf8(text) }]);
    notes.push((await ledger.checkpoint()).note);
  }
  const evidence = evidenceOfSize(nobleCrypto, notes[0] ?? '', notes[1] ?? '');
  if (evidence === undefined) throw new Error('these heads prove nothing');
  return evidence;
}
