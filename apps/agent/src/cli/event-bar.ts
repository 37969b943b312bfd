import type { ControlClient, ControlEvent } from '@peerai/peer/control';
import type { Output } from './output.ts';

/**
 * Draws what the agent says of some work, while that goes on. A bar that cannot be drawn ends nothing; leaving ends both.
 *
 * @param lineOf - nothing for an event of something else.
 */
export async function withEventBar<T>(
  client: Pick<ControlClient, 'events'>,
  output: Pick<Output, 'progress'>,
  signal: AbortSignal,
  lineOf: (event: ControlEvent) => string | undefined,
  work: () => Promise<T>,
): Promise<T> {
  const over = new AbortController();
  const draw = async (): Promise<void> => {
    for await (const event of client.events(AbortSignal.any([signal, over.signal]))) {
      const line = lineOf(event);
      if (line !== undefined) output.progress(line);
    }
  };
  const drawing = draw().catch(() => undefined);
  try {
    return await work();
  } finally {
    over.abort();
    await drawing;
    output.progress('');
  }
}
