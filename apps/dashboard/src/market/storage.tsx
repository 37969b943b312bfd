import type { StorageLeaseView, StorageView } from '@peerai/peer/control';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { useApp } from '../app/context.ts';
import { useStorage } from '../app/queries.ts';
import { ago, bytes, count, plural } from '../shared/format.ts';
import { Button } from '../ui/button.tsx';
import { ErrorNote, Note } from '../ui/note.tsx';
import { Card, Empty } from '../ui/page.tsx';
import { Region, useNow } from '../ui/region.tsx';
import { PutFile, StoredFile } from './storage-files.tsx';
import { storageAgain } from './storage-again.ts';
import { storage as words } from './storage-words.ts';
import { market } from './strings.ts';

/** What others hold of ours and we of theirs, with the proofs of it; what it comes to stands with the other leases. */
export function StorageLeases(): ReactNode {
  const query = useStorage();
  return (
    <Card title={words.leases}>
      <Region query={query} what={words.what}>
        {(view) => <List view={view} />}
      </Region>
    </Card>
  );
}

function List({ view }: { readonly view: StorageView }): ReactNode {
  const nowMs = useNow(5_000);
  if (view.leases.length === 0) return <Empty title={words.leasesNone} text={words.leasesNoneText} />;
  return (
    <ul className="rows">
      {view.leases.map((one) => (
        <Lease key={one.lease} lease={one} files={view.files} nowMs={nowMs} />
      ))}
    </ul>
  );
}

interface LeaseProps {
  readonly lease: StorageLeaseView;
  readonly files: StorageView['files'];
  readonly nowMs: number;
}
function Lease({ lease, files, nowMs }: LeaseProps): ReactNode {
  const { role, peerName, heldBytes, bytesMax, failures } = lease;
  const own = role === 'borrower' ? files.filter((file) => file.lease === lease.lease) : [];
  const runs = lease.state === 'active';
  return (
    <li className="pad stack">
      <p className="row">
        <span>{words.lease[role](peerName)}</span>
        <span className="small quiet push">{stateOf(lease)}</span>
      </p>
      <p className="small">
        {words.held(bytes(heldBytes), bytes(bytesMax))}, {proofsOf(lease, nowMs)}
      </p>
      {failures > 0 && runs && <Note kind="warn" title={words.failures(count(failures))} />}
      {own.length > 0 && (
        <ul className="rows">
          {own.map((file) => (
            <StoredFile key={file.id} file={file} nowMs={nowMs} />
          ))}
        </ul>
      )}
      {!runs && own.length > 0 && <p className="small muted">{words.over}</p>}
      {runs && role === 'borrower' && heldBytes > 0 && <Prove lease={lease} />}
      {runs && role === 'borrower' && <PutFile lease={lease} />}
    </li>
  );
}

const stateOf = ({ state }: StorageLeaseView): string =>
  state in market.states ? market.states[state as keyof typeof market.states] : state;

/** A lender has no times of its own: it counts what both signed. */
function proofsOf({ proofs, provenMs, role }: StorageLeaseView, nowMs: number): string {
  if (proofs === 0) return words.proofsNone;
  const many = plural(proofs, 'proof');
  return role === 'lender' || provenMs === null ? words.proofsSigned(many) : words.proofs(many, ago(provenMs, nowMs));
}

function Prove({ lease: { lease, peerName } }: { readonly lease: StorageLeaseView }): ReactNode {
  const { client } = useApp();
  const cache = useQueryClient();
  const prove = useMutation({
    mutationFn: () => client.proveStorage(lease),
    // What failed counts too.
    onSettled: () => storageAgain(cache),
  });
  return (
    <div className="stack">
      <div className="row">
        <Button disabled={prove.isPending} aria-label={words.proveOne(peerName)} onClick={() => prove.mutate()}>
          {prove.isPending ? words.proving : words.prove}
        </Button>
      </div>
      {prove.isSuccess && (
        <p role="status" className="small">
          {words.proven(peerName)}
        </p>
      )}
      {prove.isError && <ErrorNote title={words.proveFailed} error={prove.error} />}
    </div>
  );
}
