import type { LedgerEntryView } from '@peerai/peer/control';
import { fromBase64Url } from '@peerai/core-protocol';
import { useMutation, useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { useApp } from '../app/context.ts';
import { keys } from '../app/keys.ts';
import { usePeers } from '../app/queries.ts';
import { bytes, count, plural, shortId, span } from '../shared/format.ts';
import { saveAs } from '../shared/save.ts';
import { Button } from '../ui/button.tsx';
import { Facts } from '../ui/facts.tsx';
import { ErrorNote, Note } from '../ui/note.tsx';
import { Card } from '../ui/page.tsx';
import { PaneHead, PaneHint } from '../ui/panes.tsx';
import { Region } from '../ui/region.tsx';
import { amountOf, heldOf, leasedOf, titleOf } from './entry-words.ts';
import { entry as words, ledger } from './strings.ts';

/** One entry: what it says, and what proves it. */
export function EntryPane({ index }: { readonly index: number }): ReactNode {
  const { client } = useApp();
  const page = useQuery({
    queryKey: [...keys.ledger, 'entry', index],
    queryFn: () => client.ledgerEntries({ from: index, limit: 1 }),
  });
  return (
    <>
      <PaneHead to="/ledger" back={ledger.back} name={words.one(count(index))} />
      <Region query={page} what={words.what}>
        {({ entries: [entry] }) =>
          entry === undefined ? (
            <PaneHint to="/ledger" back={ledger.back} text={ledger.gone} />
          ) : (
            <>
              <Said entry={entry} />
              <Proof entry={entry} />
            </>
          )
        }
      </Region>
    </>
  );
}

function Said({ entry }: { readonly entry: LedgerEntryView }): ReactNode {
  const { kind, timeMs, hash, previous, receipt, training, message, lease, capsule, key, decision, checkpoint } = entry;
  const { trainingClaim: claim } = entry;
  const round = training ?? claim;
  const name = useName();
  const [first, second] = lease?.what === 'end' ? [words.endedBy, words.endedWith] : [words.lender, words.borrower];
  return (
    <Card title={titleOf(entry)}>
      <div className="pad stack">
        <Facts
          facts={[
            [words.kind, kind],
            [words.when, new Date(timeMs).toLocaleString('en')],
            [words.hash, <code key="hash">{shortId(hash)} …</code>],
            [words.previous, <code key="previous">{shortId(previous)} …</code>],
            [words.model, receipt?.model ?? null],
            [words.provider, receipt === undefined ? null : name(receipt.provider)],
            [words.consumer, receipt === undefined ? null : name(receipt.consumer)],
            [
              words.tokens,
              receipt === undefined ? null : words.inAndOut(count(receipt.promptTokens), count(receipt.answerTokens)),
            ],
            [words.lease, lease === undefined ? null : <code key="lease">{shortId(lease.lease)} …</code>],
            [words.leasedWhat, lease === undefined ? null : leasedOf(lease)],
            [words.minutes, lease === undefined || lease.minutes === null ? null : span(lease.minutes * 60_000)],
            [words.held, lease === undefined ? null : heldOf(lease)],
            [first, lease === undefined ? null : name(lease.peers[0])],
            [second, lease === undefined ? null : name(lease.peers[1])],
            [words.cost, lease === undefined ? null : amountOf(lease)],
            [words.place, lease?.what === 'receipt' ? count(lease.n) : null],
            [words.last, lease?.what === 'end' ? (lease.n === 0 ? words.noReceipt : count(lease.n)) : null],
            [words.signed, signedBy(entry)],
            [words.run, round === undefined ? null : <code key="run">{shortId(round.run)}</code>],
            [words.round, round === undefined ? null : count(round.round + 1)],
            [
              words.commitment,
              claim === undefined ? null : <code key="commitment">{shortId(claim.commitment)} …</code>,
            ],
            [words.update, claim?.kind === 'reveal' ? <code key="update">{shortId(claim.update)} …</code> : null],
            [
              words.instead,
              claim?.kind === 'commit' && claim.instead !== null ? (
                <code key="instead">{shortId(claim.instead)} …</code>
              ) : null,
            ],
            [words.updates, training === undefined ? null : count(training.counted)],
            [words.refused, training === undefined ? null : count(training.refused)],
            [words.group, decision === undefined ? null : <code key="group">{shortId(decision.group)} …</code>],
            [words.height, decision === undefined ? null : count(decision.height)],
            [words.block, decision === undefined ? null : <code key="block">{shortId(decision.block)} …</code>],
            [words.log, checkpoint === undefined ? null : name(checkpoint.origin)],
            [words.logSize, checkpoint === undefined ? null : count(checkpoint.size)],
            [words.logRoot, checkpoint === undefined ? null : <code key="root">{shortId(checkpoint.root)} …</code>],
            [words.keyFrom, key?.kind === 'succession' ? <code key="from">…{key.from.slice(-8)}</code> : null],
            [words.keyTo, key?.kind === 'succession' ? <code key="to">…{key.to.slice(-8)}</code> : null],
            [words.keyEnded, key?.kind === 'revocation' ? <code key="ended">…{key.peer.slice(-8)}</code> : null],
            [words.capsule, capsule === undefined ? null : <code key="capsule">{shortId(capsule.capsule)} …</code>],
            [words.level, capsule?.level ?? null],
            [words.author, capsule === undefined ? null : name(capsule.author)],
            [words.bytes, capsule === undefined ? null : bytes(capsule.bytes)],
            [words.parents, capsule === undefined ? null : count(capsule.parents.length)],
          ]}
        />
        {message !== undefined && (
          <p className="small muted anywhere">
            {words.message}: <code>{message.hash}</code>
          </p>
        )}
      </div>
    </Card>
  );
}

function signedBy({ receipt, lease }: LedgerEntryView): string | null {
  if (receipt === undefined && lease === undefined) return null;
  return receipt?.signedBy === 'both' || lease?.signed === true ? words.both : words.half;
}

function Proof({ entry: { index, hash } }: { readonly entry: LedgerEntryView }): ReactNode {
  const { client } = useApp();
  const name = useName();
  const download = useMutation({
    async mutationFn() {
      const { proof } = await client.prove(index);
      saveAs(new Blob([fromBase64Url(proof).slice()]), `entry-${index}.proof`);
    },
  });
  const check = useMutation({
    async mutationFn() {
      const { proof, entry } = await client.prove(index);
      const { checkProofHere } = await import('./check-here.ts');
      return checkProofHere(proof, entry, hash);
    },
  });
  return (
    <Card title={words.proof}>
      <div className="pad stack">
        <p className="small muted">{words.proofText}</p>
        <div className="row">
          <Button onClick={() => download.mutate()}>{words.download}</Button>
          <Button onClick={() => check.mutate()}>{words.checkProof}</Button>
        </div>
        {check.isSuccess && (
          <Note kind="ok" title={words.proven(plural(check.data.size, 'entry', 'entries'))} live>
            <p>
              {check.data.cosigners.length === 0
                ? words.nobody
                : words.signers(check.data.cosigners.map(name).join(', '))}
            </p>
          </Note>
        )}
        {check.isError && <ErrorNote title={words.failed} error={check.error} />}
        {download.isError && <ErrorNote title={words.failed} error={download.error} />}
      </div>
    </Card>
  );
}

/** A device's name, or the end of a key. */
function useName(): (peerId: string) => string {
  const { data = [] } = usePeers();
  return (peerId) => data.find((peer) => peer.peerId === peerId)?.name ?? `…${peerId.slice(-8)}`;
}
