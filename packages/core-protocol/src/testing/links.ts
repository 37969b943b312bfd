import type { Link, PeerId } from '../ports/index.ts';

/** One side's view of a memory link; a plain object that stays live, as a channel's link does. */
export class MemoryLink implements Link {
  readonly peer: PeerId;
  readonly path = 'direct';
  readonly roundTripMs: number;
  readonly address: string;
  state: 'up' | 'down' = 'up';
  bytesSent = 0;
  bytesReceived = 0;

  constructor(peer: PeerId, roundTripMs: number) {
    this.peer = peer;
    this.roundTripMs = roundTripMs;
    this.address = `/memory/0/p2p/${peer}`;
  }
}

/** Links of one node, with watchers that see every change; a slow watcher sees the last state of each peer, so its memory stays bounded. */
export class LinkTable {
  readonly #links = new Map<PeerId, MemoryLink>();
  readonly #watchers = new Set<{ changed: Map<PeerId, Link>; wake: () => void }>();

  get(peer: PeerId): MemoryLink | undefined {
    return this.#links.get(peer);
  }

  up(link: MemoryLink): void {
    this.#links.set(link.peer, link);
    this.#tell(link);
  }

  down(peer: PeerId): void {
    const link = this.#links.get(peer);
    if (link === undefined) return;
    link.state = 'down';
    this.#links.delete(peer);
    this.#tell(link);
  }

  async *watch(signal: AbortSignal): AsyncIterable<Link> {
    const watcher = { changed: new Map<PeerId, Link>(this.#links), wake: (): void => {} };
    const stop = (): void => watcher.wake();
    this.#watchers.add(watcher);
    signal.addEventListener('abort', stop, { once: true });
    try {
      while (!signal.aborted) {
        const [next] = watcher.changed;
        if (next === undefined) await new Promise<void>((resolve) => void (watcher.wake = resolve));
        else {
          watcher.changed.delete(next[0]);
          yield snapshot(next[1]);
        }
      }
    } finally {
      this.#watchers.delete(watcher);
      signal.removeEventListener('abort', stop);
    }
  }

  #tell(link: MemoryLink): void {
    for (const watcher of this.#watchers) {
      watcher.changed.delete(link.peer);
      watcher.changed.set(link.peer, link);
      watcher.wake();
    }
  }
}

function snapshot({ peer, path, roundTripMs, state, address, bytesSent, bytesReceived }: Link): Link {
  return { peer, path, roundTripMs, state, address, bytesSent, bytesReceived };
}
