import type { DocumentChange, DocumentContents, DocumentRequest, DocumentView } from '../state/state.schema.ts';
import type { Call } from './cluster-calls.ts';

export interface DocumentCalls {
  documents(signal?: AbortSignal): Promise<readonly DocumentView[]>;
  createDocument(request: DocumentRequest): Promise<DocumentView>;
  document(document: string, signal?: AbortSignal): Promise<DocumentContents>;
  changeDocument(document: string, change: DocumentChange): Promise<DocumentContents>;
  shareDocument(document: string, peers: readonly string[]): Promise<DocumentView>;
  unshareDocument(document: string, peer: string): Promise<DocumentView>;
  forgetDocument(document: string): Promise<void>;
}

export function documentCalls(call: Call): DocumentCalls {
  const at = (document: string): string => `/state/${encodeURIComponent(document)}`;
  return {
    documents: async (signal) =>
      (await call<{ documents: DocumentView[] }>('GET', '/state', undefined, signal)).documents,
    createDocument: (body) => call('POST', '/state', body),
    document: (document, signal) => call('GET', at(document), undefined, signal),
    changeDocument: (document, change) => call('PATCH', at(document), change),
    shareDocument: (document, peers) => call('POST', `${at(document)}/members`, { peers }),
    unshareDocument: (document, peer) => call('DELETE', `${at(document)}/members/${encodeURIComponent(peer)}`),
    forgetDocument: (document) => call('DELETE', at(document)),
  };
}
