import type { GovernanceDetail } from '@peerai/peer/control';
import { useMutation } from '@tanstack/react-query';
import { useEffect, useRef, useState, type ReactNode } from 'react';
import { useApp } from '../app/context.ts';
import { count, plural, seconds, shortId } from '../shared/format.ts';
import { Button } from '../ui/button.tsx';
import { Facts } from '../ui/facts.tsx';
import { ErrorNote, Note } from '../ui/note.tsx';
import { Card } from '../ui/page.tsx';
import type { ChainChecked } from './check-here.ts';
import { chain as words } from './strings.ts';

export function ChainCard({ view: { group, digest } }: { readonly view: GovernanceDetail }): ReactNode {
  const { client } = useApp();
  const [progress, setProgress] = useState<readonly [number, number]>();
  const leaving = useRef(new AbortController());
  useEffect(() => {
    const ended = new AbortController();
    leaving.current = ended;
    return () => ended.abort();
  }, []);
  const check = useMutation({
    async mutationFn() {
      const { checkChainHere } = await import('./check-here.ts');
      return checkChainHere(client, group.id, (done, all) => setProgress([done, all]), leaving.current.signal);
    },
  });
  return (
    <Card title={words.title}>
      <div className="pad stack">
        <Facts
          facts={[
            [words.blocks, count(group.height)],
            [words.members, plural(group.epoch, 'time')],
            [words.digest, digest === '' ? null : <code key="digest">{shortId(digest)}</code>],
          ]}
        />
        <div className="row">
          <Button look="primary" disabled={check.isPending} onClick={() => check.mutate()}>
            {words.verify}
          </Button>
        </div>
        {check.isPending && progress !== undefined && (
          <p role="status">{words.verifying(count(progress[0]), count(progress[1]))}</p>
        )}
        {check.isSuccess && <Found found={check.data} />}
        {check.isError && <ErrorNote title={words.failed} error={check.error} />}
      </div>
    </Card>
  );
}

function Found({
  found: { ok, matches, blocks, signatures, problem, tookMs },
}: {
  readonly found: ChainChecked;
}): ReactNode {
  const all = plural(blocks, 'block');
  if (!ok) {
    return (
      <Note kind="bad" title={words.broken(all)} live>
        {problem !== null && <p>{problem}</p>}
      </Note>
    );
  }
  if (!matches) return <Note kind="bad" title={words.differs} live />;
  return (
    <Note kind="ok" title={words.ok(all)} live>
      <p>{words.okText(plural(signatures, 'signature'), seconds(tookMs))}</p>
    </Note>
  );
}
