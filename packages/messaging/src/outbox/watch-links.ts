import { type Logger, type Network, PeerAiError, type PeerId } from '@peerai/core-protocol';

/** Calls back for each peer that was away and has a link now, until the signal. */
export async function watchLinks(
  { network, logger }: { readonly network: Network; readonly logger: Logger },
  signal: AbortSignal,
  cameUp: (peer: PeerId) => void,
): Promise<void> {
  const here = new Set<PeerId>();
  try {
    for await (const { peer, state } of network.links(signal)) {
      if (state === 'down') here.delete(peer);
      else if (!here.has(peer)) {
        here.add(peer);
        cameUp(peer);
      }
    }
  } catch (error) {
    if (!signal.aborted) logger.warn('links-unwatched', { code: PeerAiError.is(error) ? error.code : 'INTERNAL' });
  }
}
