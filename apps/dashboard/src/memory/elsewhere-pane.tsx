import type { CapsuleElsewhere } from '@peerai/peer/control';
import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { useApp } from '../app/context.ts';
import { keys } from '../app/keys.ts';
import { bytes, clockTime } from '../shared/format.ts';
import { Facts } from '../ui/facts.tsx';
import { PaneHead } from '../ui/panes.tsx';
import { Region, useNow } from '../ui/region.tsx';
import { authorOf, titleOf } from './question.ts';
import { capsule as words, memory, search } from './strings.ts';

/** A capsule that another device has: it is asked for once, and not kept. */
export function ElsewherePane({ id, at }: { readonly id: string; readonly at: string }): ReactNode {
  const { client } = useApp();
  const capsule = useQuery({
    queryKey: [...keys.memoryAt, at, id],
    queryFn: ({ signal }) => client.memoryAt(id, at, signal),
    staleTime: Infinity,
    retry: false,
  });
  return (
    <Region query={capsule} what={memory.what}>
      {(one) => <Elsewhere capsule={one} />}
    </Region>
  );
}

function Elsewhere({ capsule }: { readonly capsule: CapsuleElsewhere }): ReactNode {
  const now = useNow(60_000);
  const title = titleOf(capsule);
  return (
    <>
      <PaneHead to="/memory" back={memory.back} name={title} />
      <section className="card pad stack" aria-label={title}>
        <p className="written">{capsule.text ?? words.noText(capsule.mediaType, bytes(capsule.bytes))}</p>
        <p className="small muted">{search.onlyThere(capsule.peerName)}</p>
        <Facts
          facts={[
            [words.author, authorOf(capsule)],
            [words.created, clockTime(capsule.createdMs, now)],
            [words.level, memory.levels[capsule.level]],
            [words.tags, capsule.tags.length === 0 ? null : capsule.tags.join(', ')],
            [words.quality, capsule.quality.toFixed(2)],
          ]}
        />
      </section>
    </>
  );
}
