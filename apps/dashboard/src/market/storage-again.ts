import type { QueryClient } from '@tanstack/react-query';
import { keys } from '../app/keys.ts';

/** What is stored, and what it comes to. */
export async function storageAgain(cache: QueryClient): Promise<void> {
  const both = [keys.storage, keys.market];
  await Promise.all(both.map((queryKey) => cache.invalidateQueries({ queryKey, exact: true })));
}
