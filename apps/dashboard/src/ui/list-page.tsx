import type { UseQueryResult } from '@tanstack/react-query';
import { useState, type ReactNode } from 'react';
import { Button } from './button.tsx';
import { PageHead } from './page.tsx';
import { Region } from './region.tsx';

/** A page of things that are made here: its head with the button that makes one, what was found, and the form while it is open. */
export function ListPage<T>({
  words,
  query,
  form,
  children,
}: {
  readonly words: { readonly title: string; readonly lead: string; readonly make: string; readonly what: string };
  readonly query: UseQueryResult<T>;
  readonly form: (onClose: () => void) => ReactNode;
  readonly children: (found: T) => ReactNode;
}): ReactNode {
  const [making, setMaking] = useState(false);
  return (
    <>
      <PageHead title={words.title} lead={words.lead}>
        <Button look="primary" onClick={() => setMaking(true)}>
          {words.make}
        </Button>
      </PageHead>
      <Region query={query} what={words.what}>
        {children}
      </Region>
      {making && form(() => setMaking(false))}
    </>
  );
}
