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

export function ChainCard({ view: { group, round, digest, signed } }: { readonly view: GovernanceDetail }): ReactNode {
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
            [words.next, nextOf(round)],
            [words.members, plural(group.epoch, 'time')],
            [words.digest, digest === '' ? null : <code key="digest">{shortId(digest)}</code>],
            ...(digest === '' ? [] : headFacts(signed)),
          ]}
        />
        <HeadProblem signed={signed} />
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

/** How far the group is with what comes next, while it is about something. */
function nextOf(round: GovernanceDetail['round']): string | null {
  if (round === null || round.phase === null) return null;
  const { height, attempt, leader, phase } = round;
  return words.round(count(height), count(attempt), leader.name, words.phases[phase]);
}

type Signed = GovernanceDetail['signed'];

function headFacts({ key, threshold, members, size, note }: Signed): readonly (readonly [string, ReactNode])[] {
  const shares = words.share(count(threshold), count(members));
  return [
    [
      words.key,
      key === null ? (
        words.noKey
      ) : (
        <span key="key">
          <code title={key}>{shortId(key)}</code>, {shares}
        </span>
      ),
    ],
    [words.signed, note === null ? words.noHead : words.over(plural(size, 'block'))],
  ];
}

/** What keeps the group from signing, and who spoiled a key. */
function HeadProblem({ signed: { problem, failed } }: { readonly signed: Signed }): ReactNode {
  const namesOf = (peers: readonly { readonly name: string }[]): string => peers.map(({ name }) => name).join(', ');
  return (
    <>
      {problem !== null && (
        <p className="small muted">
          {words.why[problem.why]} {namesOf(problem.peers)}
        </p>
      )}
      {failed.map(({ attempt, by, blamed }) => (
        <p key={attempt} className="small">
          {words.attempt(count(attempt + 1), by.name)} {blamed.length > 0 && words.named(namesOf(blamed))}
        </p>
      ))}
    </>
  );
}

function Found({
  found: { ok, matches, blocks, signatures, problem, tookMs, head },
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
  if (head?.ok === false) return <Note kind="bad" title={words.badHead} live />;
  if (!matches) return <Note kind="bad" title={words.differs} live />;
  return (
    <Note kind="ok" title={words.ok(all)} live>
      <p>{words.okText(plural(signatures, 'signature'), seconds(tookMs))}</p>
      {head !== undefined && <p>{words.okHead(plural(head.size, 'block'))}</p>}
    </Note>
  );
}
