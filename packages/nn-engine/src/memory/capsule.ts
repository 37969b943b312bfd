import type { PeerId } from '@peerai/core-protocol';

import type { EmbedderKind } from './embedder.ts';

/**
 * What a capsule's level allows. `personal`: it leaves this device for others of the same owner at most. `behavioral`: a paired peer that has the right may have it.
 * `public`: any peer that may ask.
 */
export const privacyLevels = ['personal', 'behavioral', 'public'] as const;
export type PrivacyLevel = (typeof privacyLevels)[number];

/** Who looks: this device itself, another device that its owner declared its own, a paired peer with the right to this memory, any peer that may ask. */
export type Audience = 'self' | 'own' | 'paired' | 'anyone';

export const relationKinds = ['replaces', 'follows', 'related'] as const;
export interface Relation {
  readonly kind: (typeof relationKinds)[number];
  /** The other capsule's id; it need not be held. */
  readonly capsule: CapsuleId;
}

/** SHA-256 over the tag, the author's key and the body: 64 hex digits. */
export type CapsuleId = string;

/** What the author signed, but for the data and the vector. */
export interface CapsuleFacts {
  readonly id: CapsuleId;
  readonly author: PeerId;
  /** The author's clock, milliseconds. */
  readonly createdMs: number;
  readonly level: PrivacyLevel;
  /** In UTF-8 order, each once. */
  readonly tags: readonly string[];
  readonly summary: string;
  readonly mediaType: string;
  /** Of the data, unpacked. */
  readonly dataBytes: number;
  readonly embedder: string;
  readonly embedderKind: EmbedderKind;
  /** 0 to 1, by the author's memory when it was made. */
  readonly novelty: number;
  readonly importance: number;
  /** 0.5 to 1, from novelty, importance and the count of tags. */
  readonly quality: number;
  readonly relations: readonly Relation[];
}
export interface Capsule extends CapsuleFacts {
  readonly data: Uint8Array;
  /** L2 norm 1, or all 0 for a text in which the embedder finds nothing. */
  readonly vector: Float32Array;
}

/** Whether somebody may see a capsule of this level. The one place where it is decided. */
export function mayHave(audience: Audience, level: PrivacyLevel): boolean {
  if (audience === 'self' || audience === 'own') return true;
  return level === 'public' || (level === 'behavioral' && audience === 'paired');
}

/** What a memory knows of a capsule without opening it. */
export interface CapsuleCard extends CapsuleFacts {
  /** Signed by this device's own key, or one it had before. */
  readonly mine: boolean;
  /** Since when this device has it, milliseconds of its own clock. */
  readonly keptSinceMs: number;
  /** How often a search returned it. */
  readonly uses: number;
}
