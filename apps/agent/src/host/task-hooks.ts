import { PeerAiError } from '@peerai/core-protocol';
import { peerLimits, type TaskHandler, type TaskToRun } from '@peerai/peer';
import type { Config } from '@peerai/platform';

type Hook = Config['tasks']['hooks'][number];

/** Programs of the owner that do tasks, asked by HTTP. Where they may be, the configuration has checked. */
export function taskHooks(hooks: readonly Hook[]): TaskHandler[] {
  return hooks.map((hook) => ({
    types: hook.types,
    repeatable: hook.repeatable,
    run: (task, { signal }) => call(hook, task, signal),
  }));
}

/**
 * Posts the task; the body of the answer is its result: JSON, or `{text}` of any other text. Redirects are not followed, so that a hook leads
 * nowhere else. Throws HOOK_UNREACHABLE, HOOK_FAILED (its status is not 2xx, its JSON is none), LIMIT_EXCEEDED, TIMEOUT; its address is in none of them.
 */
async function call({ url, timeout }: Hook, task: TaskToRun, signal: AbortSignal): Promise<unknown> {
  const late = AbortSignal.timeout(timeout);
  try {
    const response = await fetch(url, {
      method: 'POST',
      redirect: 'error',
      headers: { 'content-type': 'application/json', accept: 'application/json' },
      body: JSON.stringify({
        task_id: task.id,
        delegator_id: task.peer,
        task_type: task.type,
        title: task.title,
        description: task.description,
        context: task.context,
        attempt: task.attempt,
      }),
      signal: AbortSignal.any([signal, late]),
    });
    const text = await readText(response);
    if (!response.ok) throw new PeerAiError('HOOK_FAILED', `the program for this task answered ${response.status}`);
    return resultOf(response, text);
  } catch (cause) {
    if (PeerAiError.is(cause) || signal.aborted) throw cause;
    if (late.aborted) throw new PeerAiError('TIMEOUT', `the program for this task gave no answer in ${timeout} ms`);
    throw new PeerAiError('HOOK_UNREACHABLE', 'the program for this task cannot be reached', {}, { cause });
  }
}

/** The body, as long as it is no longer than a result may be; the rest is never read. */
async function readText({ body }: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  let bytes = 0;
  // Leaving the loop cancels the body.
  for await (const chunk of body ?? []) {
    bytes += chunk.length;
    if (bytes > peerLimits.taskResultBytesMax)
      throw new PeerAiError('LIMIT_EXCEEDED', `the result has more than ${peerLimits.taskResultBytesMax} bytes`);
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}

function resultOf({ headers }: Response, text: string): unknown {
  if (headers.get('content-type')?.startsWith('application/json') !== true) return { text };
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new PeerAiError('HOOK_FAILED', 'the program for this task answered with broken JSON', {}, { cause });
  }
}
