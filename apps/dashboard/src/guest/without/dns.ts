import { PeerAiError } from '@peerai/core-protocol';

/** Stands in for `@multiformats/dns` in the guest's page: links name hosts, which the browser looks up, and no address behind a TXT record. */
export const RecordType = { TXT: 16 } as const;

export function dns(): { query(name: string): Promise<never> } {
  return {
    query: () => Promise.reject(new PeerAiError('REFUSED', 'the guest’s page looks up no dnsaddr')),
  };
}
