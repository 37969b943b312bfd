import type { UseMutationResult } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { Button } from './button.tsx';
import { ErrorNote, Note } from './note.tsx';
import { ui } from './strings.ts';

/** Asked before what cannot be undone: what it does, the button that does it, and the way back. */
export function Sure<T>({
  title,
  act,
  keep = ui.cancel,
  doing,
  onAct,
  onKeep,
  children,
}: {
  readonly title: string;
  readonly act: string;
  readonly keep?: string;
  readonly doing: Pick<UseMutationResult<T>, 'isPending' | 'isError' | 'error'>;
  readonly onAct: () => void;
  readonly onKeep: () => void;
  /** What it can do, and what it cannot. */
  readonly children?: ReactNode;
}): ReactNode {
  return (
    <Note kind="warn" title={title} live>
      {children}
      <div className="row">
        <Button look="bad" disabled={doing.isPending} onClick={onAct}>
          {act}
        </Button>
        <Button onClick={onKeep}>{keep}</Button>
      </div>
      {doing.isError && <ErrorNote title={ui.failed} error={doing.error} />}
    </Note>
  );
}
