import type { LeaseDetail, NodesView } from '@peerai/peer/control';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState, type ReactNode } from 'react';
import { useApp } from '../app/context.ts';
import { keys } from '../app/keys.ts';
import { plural } from '../shared/format.ts';
import { Button } from '../ui/button.tsx';
import { ErrorNote } from '../ui/note.tsx';
import { credits, nodePrice } from './credits.ts';
import { nodes as words } from './node-words.ts';
import { vectorsOf, wave } from './vectors.ts';
import { Whole } from './whole.tsx';

/** Of one lease; the lender may give fewer. */
const nodesMax = 1_024;

/** Runs a new cluster on nodes of a device; the answer is there when the work is done. */
export function BorrowForm({ lender }: { readonly lender: NodesView['peers'][number] }): ReactNode {
  const { client } = useApp();
  const cache = useQueryClient();
  const { peerId, name, free, minutesMax, nodeHourMicro } = lender;
  const [nodes, setNodes] = useState(`${Math.min(8, free)}`);
  const [minutes, setMinutes] = useState('1');
  const wish = { nodes: Number(nodes), minutes: Number(minutes) };
  const isWhole = Number.isSafeInteger(wish.nodes) && Number.isSafeInteger(wish.minutes);
  const borrow = useMutation({
    mutationFn: async (fields: FormData) => {
      const vectors = vectorsOf(fields.get('numbers') as string);
      if ('line' in vectors) throw new Error(words.badNumbers(vectors.line));
      return await client.borrow({ peer: peerId, minutes: wish.minutes, cluster: { nodes: wish.nodes }, vectors });
    },
    async onSettled() {
      const changed = [keys.freeNodes, keys.nodeLeases, keys.market];
      await Promise.all(changed.map((queryKey) => cache.invalidateQueries({ queryKey, exact: true })));
    },
  });
  return (
    <form
      className="stack"
      onSubmit={(event) => {
        event.preventDefault();
        borrow.mutate(new FormData(event.currentTarget));
      }}
    >
      <p className="small muted">{words.borrowText}</p>
      <label className="field">
        {words.count}
        <Whole value={nodes} max={Math.min(free, nodesMax)} onValue={setNodes} />
      </label>
      <label className="field">
        {words.minutes}
        <Whole value={minutes} max={minutesMax} onValue={setMinutes} />
      </label>
      <label className="field">
        {words.numbers}
        <textarea name="numbers" rows={4} required spellCheck={false} defaultValue={wave} />
      </label>
      {isWhole && <p className="small muted">{words.locks(credits(nodePrice(nodeHourMicro, wish)))}</p>}
      <div className="row">
        <Button look="primary" type="submit" disabled={borrow.isPending}>
          {borrow.isPending ? words.borrowing : words.borrowOf(name)}
        </Button>
      </div>
      <div role="status">{borrow.isSuccess && <Done done={borrow.data} />}</div>
      {borrow.isError && <ErrorNote title={words.borrowFailed} error={borrow.error} />}
    </form>
  );
}

function Done({ done: { lease, result } }: { readonly done: LeaseDetail }): ReactNode {
  const outputs = result?.outputs ?? [];
  const fired = outputs.flat().filter((value) => value !== 0).length;
  return (
    <div className="stack small">
      <p>
        {words.done(
          plural(lease.steps, 'vector'),
          `${plural(lease.nodes, 'node')} of ${lease.peerName}`,
          plural(fired, 'time'),
          credits(lease.paidMicro),
        )}
      </p>
      <p className="row">
        <a download="outputs.json" href={`data:application/json,${encodeURIComponent(JSON.stringify(outputs))}`}>
          {words.saveOutputs}
        </a>
        {result?.state !== undefined && (
          <a download="cluster.bin" href={`data:application/octet-stream;base64,${plainBase64(result.state)}`}>
            {words.saveCluster}
          </a>
        )}
      </p>
    </div>
  );
}

/** Addresses of data take the alphabet with plus and slash. */
const plainBase64 = (text: string): string => text.replaceAll('-', '+').replaceAll('_', '/');
