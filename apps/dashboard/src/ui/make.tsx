import type { UseMutationResult } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { Button } from './button.tsx';
import { ErrorNote } from './note.tsx';
import { ui } from './strings.ts';

/** Makes something that has a name: a group, a document. `children` say what else it has; their fields come with the name. */
export function MakeForm<T>({
  act,
  failed,
  making,
  disabled = false,
  nameIsFixed = false,
  onMake,
  children,
}: {
  readonly act: string;
  readonly failed: string;
  readonly making: Pick<UseMutationResult<T>, 'isPending' | 'isError' | 'error'>;
  readonly disabled?: boolean;
  readonly nameIsFixed?: boolean;
  readonly onMake: (fields: FormData) => void;
  readonly children: ReactNode;
}): ReactNode {
  return (
    <form
      className="stack"
      onSubmit={(event) => {
        event.preventDefault();
        onMake(new FormData(event.currentTarget));
      }}
    >
      <label className="field">
        {ui.name}
        <input name="name" required maxLength={64} autoComplete="off" disabled={nameIsFixed} />
      </label>
      {children}
      <Button look="primary" type="submit" disabled={making.isPending || disabled}>
        {making.isPending ? ui.making : act}
      </Button>
      {making.isError && <ErrorNote title={failed} error={making.error} />}
    </form>
  );
}
