import { compareUtf8, fromUtf8, PeerAiError, utf8 } from '@peerai/core-protocol';

import type { NnErrorCode } from '../errors.ts';
import type { Capsule, PrivacyLevel, Relation } from './capsule.ts';
import { type CapsuleBody, packData } from './capsule-wire.ts';
import { type Embedder, embedText } from './embedder.ts';
import { importance } from './formulas.ts';

/** Something to remember: a text, or bytes of another kind with a summary. */
export interface CapsuleDraft {
  readonly level: PrivacyLevel;
  readonly text?: string;
  readonly data?: Uint8Array;
  /** Of `data`; a text is `text/plain`. */
  readonly mediaType?: string;
  /** The first 160 characters of the text unless said. */
  readonly summary?: string;
  readonly tags?: readonly string[];
  readonly relations?: readonly Relation[];
  /** 0 to 1, how much it differed from what was expected; 0 unless said. Part of the importance. */
  readonly surprise?: number;
}
/** Everything of a body but what only the memory knows when it is its turn. */
export type PreparedBody = Omit<CapsuleBody, 'createdMs' | 'novelty'>;

const summaryChars = 160;
const plainText = 'text/plain';

/** The text of a capsule whose media type says it is one. Undefined for other data. Throws INVALID_FORMAT for what is no UTF-8. */
export function capsuleText({ mediaType, data }: Pick<Capsule, 'mediaType' | 'data'>): string | undefined {
  if (!mediaType.startsWith('text/')) return undefined;
  try {
    return fromUtf8(data);
  } catch (cause) {
    throw new PeerAiError('INVALID_FORMAT', 'a text that is no UTF-8', {}, { cause });
  }
}

/** Embeds summary and text, packs the data, brings tags and relations into their order. Throws INVALID_OPTION, LIMIT_EXCEEDED, and what the embedder throws. */
export async function prepare(draft: CapsuleDraft, embedder: Embedder, signal: AbortSignal): Promise<PreparedBody> {
  const { level, text, surprise = 0 } = draft;
  if ((text === undefined) === (draft.data === undefined)) throw wrong('A capsule has either a text or data.');
  if (!(surprise >= 0 && surprise <= 1)) throw wrong('A surprise lies between 0 and 1.');
  const mediaType = text === undefined ? (draft.mediaType ?? 'application/octet-stream') : plainText;
  const packed = packData(text === undefined ? (draft.data ?? new Uint8Array()) : utf8(text));
  const shown = text ?? capsuleText({ mediaType, data: draft.data ?? new Uint8Array() }) ?? '';
  const summary = (draft.summary ?? beginning(shown)).toWellFormed();
  const tags = tidyTags(draft.tags);
  return {
    level,
    tags,
    summary,
    mediaType,
    packed,
    embedder: embedder.name,
    embedderKind: embedder.kind,
    vector: await embedText(embedder, embeddedText(summary, shown), signal),
    importance: importance(surprise, tags.length),
    relations: tidyRelations(draft.relations),
  };
}

/** What of a capsule is embedded: its summary, and its text where it has one. */
export const embeddedText = (summary: string, shown: string): string =>
  shown.startsWith(summary) ? shown : `${summary}\n${shown}`;

/** Each once, in order; an empty text is no tag. */
export function tidyTags(tags: readonly string[] = []): readonly string[] {
  return [...new Set(tags.map((tag) => tag.trim().toWellFormed()))].filter((tag) => tag !== '').sort(compareUtf8);
}

export function tidyRelations(relations: readonly Relation[] = []): readonly Relation[] {
  const name = ({ kind, capsule }: Relation): string => `${kind} ${capsule}`;
  const byName = new Map(relations.map((relation) => [name(relation), relation]));
  return [...byName.values()].sort((a, b) => compareUtf8(name(a), name(b)));
}

const beginning = (text: string): string => text.replaceAll(/\s+/gu, ' ').trim().slice(0, summaryChars);

const wrong = (text: string): PeerAiError<NnErrorCode> => new PeerAiError<NnErrorCode>('INVALID_OPTION', text);
