import { llmError } from '../errors.ts';
import { checkTexts } from '../share/embed-remotely.ts';
import { estimateTokens } from '../text/tokens.ts';
import { provenanceHeaders, timing } from './answer.ts';
import { BadRequest } from './failure.ts';
import type { GatewayDeps } from './gateway.ts';

/** Vectors for both faces. The token count is our estimate: engines do not tell. Throws UNSUPPORTED, BadRequest, what the model throws. */
export async function embedTexts(
  { catalogue, clock }: GatewayDeps,
  name: string,
  texts: readonly string[],
  dimensions: number | null | undefined,
  signal: AbortSignal,
): Promise<{
  readonly rows: readonly Float32Array[];
  readonly promptTokens: number;
  readonly headers: Record<string, string>;
}> {
  checkTexts(texts);
  const startedMs = clock.elapsedMs();
  const resolved = await catalogue.resolve(name, signal);
  const { model } = resolved;
  if (model.embed === undefined) throw llmError('UNSUPPORTED', 'this model makes no embeddings');
  const rows = await model.embed(texts, signal);
  const width = rows[0]?.length ?? 0;
  if (typeof dimensions === 'number' && dimensions !== width) {
    throw new BadRequest(`this model's embeddings have ${width} dimensions`, {
      code: 'unsupported',
      param: 'dimensions',
    });
  }
  const headers = { ...provenanceHeaders(resolved), 'server-timing': timing({ total: clock.elapsedMs() - startedMs }) };
  return { rows, promptTokens: texts.reduce((sum, text) => sum + estimateTokens(text), 0), headers };
}
