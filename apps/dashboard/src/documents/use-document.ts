import type { DocumentChange, DocumentContents, DocumentView } from '@peerai/peer/control';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useApp, useLive } from '../app/context.ts';
import { keys } from '../app/keys.ts';
import { limits } from '../app/limits.ts';

/** Names the deletion of a document here, while which its contents are not asked for: they may be gone before the page is. */
export const forgetKey = (id: string): readonly string[] => [...keys.documents, id, 'forget'];

/** What a document says, asked for again with every event about it. */
export function useContents(id: string) {
  const { client } = useApp();
  const cache = useQueryClient();
  const lost = useLive().link === 'lost';
  return useQuery({
    queryKey: [...keys.documents, id],
    queryFn: ({ signal }) => client.document(id, signal),
    enabled: () => cache.isMutating({ mutationKey: forgetKey(id) }) === 0,
    refetchInterval: lost ? limits.pollLostMs : limits.pollLiveMs,
  });
}

/** A change of what a document says, shown at once. */
export function useWrite(id: string) {
  const { client } = useApp();
  const cache = useQueryClient();
  return useMutation({
    mutationFn: (change: DocumentChange) => client.changeDocument(id, change),
    onSuccess: (contents) => {
      cache.setQueryData<DocumentContents>([...keys.documents, id], contents);
      return cache.invalidateQueries({ queryKey: keys.documents, exact: true });
    },
  });
}

/** A change of who shares it. */
export function useSharing<T>(change: (input: T) => Promise<DocumentView>) {
  const cache = useQueryClient();
  return useMutation({
    mutationFn: change,
    onSuccess: () => cache.invalidateQueries({ queryKey: keys.documents }),
  });
}
