import type { Audience, Memory } from '@peerai/nn-engine/memory';
import { capsuleText } from '@peerai/nn-engine/memory';
import { limits } from '../limits.ts';
import type { CapsuleView } from './memory.schema.ts';
import { capsuleView, type Names } from './views.ts';

export interface RecallQuestion {
  readonly text: string;
  /** Notes at most. */
  readonly limit: number;
  /** At least one of them; none asks for nothing. */
  readonly tags: readonly string[];
  /** Who will read the notes. */
  readonly audience: Audience;
}
/** What was remembered, for a model to read. */
export interface Recalled {
  readonly capsule: CapsuleView;
  /** The capsule's text, or as much of it as a prompt is given. */
  readonly text: string;
  readonly kind: 'semantic' | 'lexical';
  readonly score: number;
}

/** Best first; what shares too little with the question is left out. Throws ABORTED, what the embedder throws. */
export async function recall(
  memory: Memory,
  names: Names,
  { text, limit, tags, audience }: RecallQuestion,
  signal: AbortSignal,
): Promise<readonly Recalled[]> {
  const question = text.slice(0, limits.memoryQuestionCharsMax);
  const { hits } = await memory.search({ text: question, tags, limit, audience }, signal);
  const recalled: Recalled[] = [];
  for (const { capsule, relevance, cosine, kind } of hits) {
    if (cosine < limits.recallCosineMin) continue;
    const whole = await memory.get(capsule.id);
    const said = whole === undefined ? undefined : capsuleText(whole);
    if (said === undefined) continue;
    recalled.push({
      capsule: capsuleView(capsule, names),
      text: said.slice(0, limits.recallCharsMax),
      kind,
      score: relevance,
    });
  }
  return recalled;
}
