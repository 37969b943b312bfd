import type { PeerId } from '@peerai/core-protocol';
import type { CapsuleCard, CapsuleFacts } from '@peerai/nn-engine/memory';
import type { CapsuleView, KeptCapsuleView } from './memory.schema.ts';

export interface Names {
  readonly self: PeerId;
  /** A key of this peer: the one it has, or one it had before. */
  readonly isOwn: (peer: PeerId) => boolean;
  readonly nameOf: (peer: PeerId) => string;
}

export function capsuleView(facts: CapsuleFacts, { self, isOwn, nameOf }: Names): CapsuleView {
  const { id, author, level, tags, summary, mediaType, createdMs, quality, novelty, importance, embedder } = facts;
  return {
    id,
    author,
    authorName: nameOf(isOwn(author) ? self : author),
    mine: isOwn(author),
    level,
    tags: [...tags],
    summary,
    mediaType,
    bytes: facts.dataBytes,
    createdMs,
    quality,
    novelty,
    importance,
    relations: facts.relations.map(({ kind, capsule }) => ({ kind, capsule })),
    embedder,
    kind: facts.embedderKind,
  };
}

export const keptView = (card: CapsuleCard, names: Names): KeptCapsuleView => ({
  ...capsuleView(card, names),
  keptSinceMs: card.keptSinceMs,
  uses: card.uses,
});
