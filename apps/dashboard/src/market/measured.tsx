import type { LendingView } from '@peerai/peer/control';
import type { ReactNode } from 'react';
import { ago } from '../shared/format.ts';
import { nodes as words } from './node-words.ts';

const percent = (share: number | null): string => (share === null ? words.notMeasured : `${Math.round(share * 100)} %`);

/** How busy a machine is, as a sentence and as a bar of its load. */
export function Measured({
  of: { load, processor, memory, agoMs },
}: {
  readonly of: Pick<LendingView, 'load' | 'processor' | 'memory' | 'agoMs'>;
}): ReactNode {
  return (
    <>
      <svg className="balance" viewBox="0 0 200 10" preserveAspectRatio="none" aria-hidden="true">
        <rect className="balance-all" width={200} height={10} />
        <rect className="balance-ours" width={200 * Math.min(1, load ?? 0)} height={10} />
      </svg>
      <p className="small">
        {words.load(percent(load), percent(processor), percent(memory))}
        {load === null ? '' : `, ${words.measured(ago(0, agoMs))}`}
      </p>
    </>
  );
}
