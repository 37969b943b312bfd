import {
  type Clock,
  type CryptoProvider,
  type Identity,
  PeerAiError,
  type Random,
  type Store,
} from '@peerai/core-protocol';
import { type CapsuleCard, type Memory, memoryLimits, openMemory } from '@peerai/nn-engine/memory';
import { memorySecret } from '../memory/secret.ts';
import type { Chapter } from './clusters.ts';
import { type CapsuleData, contextEmbedder } from './experience.ts';
import { limits } from './limits.ts';

export interface MemoriesDeps {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  readonly crypto: CryptoProvider;
  readonly identity: Identity;
}

/** One hit of `semantic_memory_search`, best first. */
export interface MemoryHit {
  readonly capsule_id: string;
  readonly relevance_score: number;
  readonly similarity_score: number;
  readonly quality: number;
  readonly tags: readonly string[];
  readonly summary: string;
  /** Peer id of who made it. */
  readonly author: string;
  readonly timestamp: number;
}

/** What `get_memory_trends` answers, as JSON. */
export interface MemoryTrends {
  readonly total: number;
  readonly by_tag: Readonly<Record<string, number>>;
  /** Means of the earlier and of the later half, by time. */
  readonly earlier: TrendPart;
  readonly later: TrendPart;
}
interface TrendPart {
  readonly capsules: number;
  readonly novelty: number;
  readonly importance: number;
  readonly quality: number;
}

/** What this device remembers of its clusters. */
export class Memories {
  readonly #memory: Memory;
  readonly #deviceId: string;

  private constructor(memory: Memory, deviceId: string) {
    this.#memory = memory;
    this.#deviceId = deviceId;
  }

  /** Throws DECRYPTION_FAILED for a damaged secret, and what the store throws. */
  static async open(deps: MemoriesDeps, deviceId: string): Promise<Memories> {
    const secret = await memorySecret(deps, deps.identity);
    const store = deps.store.room('memory');
    return new Memories(await openMemory({ ...deps, store, secret, embedders: [contextEmbedder] }), deviceId);
  }

  /** Signed, sealed and on disk when it resolves. Throws MEMORY_FULL, STORE_FULL, ABORTED. */
  async add({ cluster, steps, context, surprise, firing }: Chapter, signal: AbortSignal): Promise<CapsuleCard> {
    const data: CapsuleData = { cluster_id: cluster, device_id: this.#deviceId, steps, context };
    return this.#memory.add(
      {
        level: 'behavioral',
        summary: `${steps} steps of cluster ${cluster}`,
        text: JSON.stringify(data),
        tags: [cluster, firing],
        surprise,
      },
      signal,
    );
  }

  /** @param vector - 1 to 16 numbers, filled up with 0. @param tags - separated by commas. Throws INVALID_OPTION, LIMIT_EXCEEDED, ABORTED. */
  async search(vector: ArrayLike<number>, tags: string, limit: number, signal: AbortSignal): Promise<MemoryHit[]> {
    if (vector.length === 0 || vector.length > limits.contextNumbers)
      throw new PeerAiError('INVALID_OPTION', `a query has 1 to ${limits.contextNumbers} numbers`);
    const values = Float32Array.from({ length: limits.contextNumbers }, (_, index) => vector[index] ?? 0);
    const asked = tags.split(',').map((tag) => tag.trim());
    const query = { vector: { space: contextEmbedder, values }, tags: asked, limit };
    const { hits } = await this.#memory.search(query, signal);
    return hits.map(({ capsule, relevance, similarity }) => ({
      capsule_id: capsule.id,
      relevance_score: relevance,
      similarity_score: similarity,
      quality: capsule.quality,
      tags: capsule.tags,
      summary: capsule.summary,
      author: capsule.author,
      timestamp: capsule.createdMs,
    }));
  }

  trends(): MemoryTrends {
    const cards = [...this.#cards()].toReversed();
    const byTag = new Map<string, number>();
    for (const tag of cards.flatMap((card) => card.tags)) byTag.set(tag, (byTag.get(tag) ?? 0) + 1);
    const half = Math.floor(cards.length / 2);
    return {
      total: cards.length,
      by_tag: Object.fromEntries(byTag),
      earlier: trendOf(cards.slice(0, half)),
      later: trendOf(cards.slice(half)),
    };
  }

  /** Whether anything went or was merged. */
  async consolidate(signal: AbortSignal): Promise<boolean> {
    const { expired, replaced, merged } = await this.#memory.consolidate(signal);
    return expired + replaced + merged > 0;
  }

  /** The newest capsule of this device about a cluster. */
  newest(cluster: string): CapsuleCard | undefined {
    for (const card of this.#cards([cluster])) if (card.mine) return card;
    return undefined;
  }

  /** Signed bytes for another device. */
  handOut(id: string): Promise<Uint8Array> {
    return this.#memory.handOut(id, 'paired');
  }

  /** A capsule of another device, checked. Throws what is wrong with it. */
  async take(signed: Uint8Array): Promise<'taken' | 'known'> {
    const [result] = await this.#memory.take([signed]);
    if (result === undefined || result.outcome === 'refused')
      throw new PeerAiError(result?.code ?? 'REFUSED', result?.reason ?? 'this capsule was not taken');
    return result.outcome;
  }

  get state() {
    return this.#memory.state();
  }

  *own(): Generator<CapsuleCard, void, undefined> {
    for (const card of this.#cards()) if (card.mine) yield card;
  }

  /** How many different tags there are. */
  tagCount(): number {
    return new Set([...this.#cards()].flatMap((card) => card.tags)).size;
  }

  async close(): Promise<void> {
    await this.#memory.close();
  }

  /** Newest first. */
  *#cards(tags: readonly string[] = []): Generator<CapsuleCard, void, undefined> {
    let after: string | undefined;
    do {
      const page = this.#memory.list({
        tags,
        limit: memoryLimits.listCapsulesMax,
        ...(after === undefined ? {} : { after }),
      });
      yield* page.capsules;
      after = page.next;
    } while (after !== undefined);
  }
}

function trendOf(cards: readonly CapsuleCard[]): TrendPart {
  const mean = (pick: (card: CapsuleCard) => number): number =>
    cards.length === 0 ? 0 : cards.reduce((sum, card) => sum + pick(card), 0) / cards.length;
  return {
    capsules: cards.length,
    novelty: mean(({ novelty }) => novelty),
    importance: mean(({ importance }) => importance),
    quality: mean(({ quality }) => quality),
  };
}
