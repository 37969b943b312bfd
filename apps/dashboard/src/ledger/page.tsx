import type { ControlClient, LedgerEntryView } from '@peerai/peer/control';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useSearch } from '@tanstack/react-router';
import { useState, type ReactNode } from 'react';
import { useApp } from '../app/context.ts';
import { keys } from '../app/keys.ts';
import { limits } from '../app/limits.ts';
import { ago, count, plural, seconds } from '../shared/format.ts';
import { saveAs } from '../shared/save.ts';
import { Button } from '../ui/button.tsx';
import { ErrorNote, Note } from '../ui/note.tsx';
import { Card, Empty, PageHead } from '../ui/page.tsx';
import { PaneHint, PaneLink, Panes } from '../ui/panes.tsx';
import { Region, useNow } from '../ui/region.tsx';
import { ChainStrip, shownMax } from './chain-strip.tsx';
import type { CheckedHere } from './check-here.ts';
import { Closed } from './closed.tsx';
import { EntryPane } from './entry-pane.tsx';
import { lineOf } from './entry-words.ts';
import { Others } from './others.tsx';
import { entry as said, ledger as words } from './strings.ts';

/** Entries in the list. */
const listed = 50;

export function LedgerPage(): ReactNode {
  const { client } = useApp();
  const { id } = useSearch({ from: '/ledger' });
  const [progress, setProgress] = useState<readonly [number, number]>();
  const entries = useQuery({
    queryKey: [...keys.ledger, 'entries'],
    queryFn: () => client.ledgerEntries({ limit: listed }),
    refetchInterval: limits.pollLiveMs,
  });
  const check = useMutation({
    async mutationFn() {
      const { checkHere } = await import('./check-here.ts');
      return checkHere(client, (done, all) => setProgress([done, all]), new AbortController().signal);
    },
  });
  const save = useMutation({ mutationFn: () => exportAll(client) });
  return (
    <>
      <PageHead title={words.title} lead={words.lead}>
        <Button disabled={save.isPending} onClick={() => save.mutate()}>
          {words.export}
        </Button>
        <Button look="primary" disabled={check.isPending} onClick={() => check.mutate()}>
          {words.check}
        </Button>
      </PageHead>
      {check.isPending && progress !== undefined && (
        <p role="status">{words.checking(count(progress[0]), count(progress[1]))}</p>
      )}
      {check.isSuccess && <Checked found={check.data} />}
      {check.isError && <ErrorNote title={words.checkFailed} error={check.error} />}
      {save.isError && <ErrorNote title={words.exportFailed} error={save.error} />}
      <Closed />
      <Region query={entries} what={words.what}>
        {(view) =>
          view.entries.length === 0 ? (
            <>
              <Empty title={words.none} text={words.noneText} />
              <Others />
            </>
          ) : (
            <div className="stack">
              <Chain newest={view.entries} badIndex={check.data?.firstBad?.index} />
              <Panes
                chosen={id !== undefined}
                list={
                  <div className="stack panes-list">
                    <EntryList entries={view.entries} />
                    <Others />
                  </div>
                }
              >
                {id !== undefined && /^\d{1,15}$/u.test(id) ? (
                  <EntryPane key={id} index={Number(id)} />
                ) : (
                  <PaneHint to="/ledger" back={words.back} text={id === undefined ? words.choose : words.gone} />
                )}
              </Panes>
            </div>
          )
        }
      </Region>
    </>
  );
}

/** The newest entries; where the check found a bad one before these, what stands around it. */
function Chain({
  newest,
  badIndex,
}: {
  readonly newest: readonly LedgerEntryView[];
  readonly badIndex: number | undefined;
}): ReactNode {
  const { client } = useApp();
  const first = newest.slice(-shownMax)[0]?.index ?? 0;
  const isOlder = badIndex !== undefined && badIndex < first;
  const from = Math.max(0, (badIndex ?? 0) - shownMax / 2);
  const around = useQuery({
    queryKey: [...keys.ledger, 'around', from],
    queryFn: () => client.ledgerEntries({ from, limit: shownMax }),
    enabled: isOlder,
  });
  return (
    <Card title={words.chain}>
      {isOlder && around.isError && <ErrorNote title={words.aroundFailed} error={around.error} />}
      <ChainStrip entries={isOlder ? (around.data?.entries ?? []) : newest} badIndex={badIndex} />
    </Card>
  );
}

function Checked({ found }: { readonly found: CheckedHere }): ReactNode {
  const { ok, checked, receipts, tookMs, firstBad } = found;
  const entries = plural(checked, 'entry', 'entries');
  if (ok)
    return (
      <Note kind="ok" title={words.checked(entries)} live>
        <p>{words.checkedText(entries, plural(receipts, 'receipt'), seconds(tookMs))}</p>
      </Note>
    );
  return (
    <Note kind="bad" title={words.broken(firstBad === undefined ? '?' : count(firstBad.index))} live>
      {firstBad !== undefined && <p>{firstBad.reason}</p>}
      <p>{words.brokenText}</p>
    </Note>
  );
}

function EntryList({ entries }: { readonly entries: readonly LedgerEntryView[] }): ReactNode {
  const now = useNow(60_000);
  return (
    <Card title={words.entries}>
      <ul className="rows">
        {entries.toReversed().map((entry) => (
          <PaneLink
            key={entry.index}
            to="/ledger"
            id={`${entry.index}`}
            icon="ledger"
            name={said.one(count(entry.index))}
            sub={lineOf(entry)}
            side={ago(entry.timeMs, now)}
          />
        ))}
      </ul>
    </Card>
  );
}

/** All entries as lines of JSON. */
async function exportAll(client: ControlClient): Promise<void> {
  const pageMax = 500;
  const lines: string[] = [];
  for (let from = 0, size = 1; from < size; from += pageMax) {
    const page = await client.ledgerEntries({ from, limit: pageMax });
    size = page.size;
    lines.push(...page.entries.map((entry) => `${JSON.stringify({ v: 1, ...entry })}\n`));
  }
  saveAs(new Blob(lines, { type: 'application/jsonl' }), words.exported);
}
