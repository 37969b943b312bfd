import { useMutation } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { useApp } from '../app/context.ts';
import { useLedgerHead } from '../app/queries.ts';
import { count, plural, shortId } from '../shared/format.ts';
import { Button } from '../ui/button.tsx';
import { ErrorNote, Note } from '../ui/note.tsx';
import { Card } from '../ui/page.tsx';
import { Region } from '../ui/region.tsx';
import { health } from './strings.ts';

/** The log of receipts, and one button that reads all of it. */
export function LedgerCard(): ReactNode {
  const { client } = useApp();
  const head = useLedgerHead();
  const verify = useMutation({ mutationFn: () => client.verifyLedger() });
  return (
    <Card title={health.ledger}>
      <Region query={head} what="ledger">
        {({ size, root }) => (
          <div className="pad stack">
            <p className="small muted">{health.ledgerText}</p>
            <dl className="facts">
              <dt>{health.entries}</dt>
              <dd>{count(size)}</dd>
              <dt>{health.root}</dt>
              <dd>{root === '' ? health.none : <code>{shortId(root)} …</code>}</dd>
            </dl>
            <Button disabled={verify.isPending} onClick={() => verify.mutate()}>
              {verify.isPending ? health.verifying : health.verify}
            </Button>
            {verify.isSuccess &&
              (verify.data.ok ? <Intact {...verify.data} /> : <Broken firstBad={verify.data.firstBad} />)}
            {verify.isError && <ErrorNote title={health.verifyFailed} error={verify.error} />}
          </div>
        )}
      </Region>
    </Card>
  );
}

function Intact({ checked, receipts }: { readonly checked: number; readonly receipts: number }): ReactNode {
  return (
    <Note kind="ok" title={health.intact} live>
      <p>{health.intactText(plural(checked, 'entry', 'entries'), plural(receipts, 'receipt'))}</p>
    </Note>
  );
}

function Broken({
  firstBad,
}: {
  readonly firstBad: { readonly index: number; readonly reason: string } | undefined;
}): ReactNode {
  return (
    <Note kind="bad" title={health.broken(firstBad === undefined ? '?' : count(firstBad.index))} live>
      {firstBad !== undefined && <p>{firstBad.reason}</p>}
      <p>{health.brokenText}</p>
    </Note>
  );
}
