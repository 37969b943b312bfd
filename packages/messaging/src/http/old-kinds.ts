import { pcpKindOf } from '@peerai/core-protocol/pcp';

/** A message's kind, and what it says. */
interface Said {
  readonly kind: string;
  readonly payload: unknown;
}
type Fields = Readonly<Record<string, unknown>>;

/** What became of a task, by the `status` of the oldest profile's one `result`; done unless it says otherwise. */
const endings: Readonly<Record<string, string>> = {
  rejected: 'task_reject',
  failed: 'task_fail',
  error: 'task_fail',
  cancelled: 'task_fail',
  timeout: 'task_fail',
};
const states = ['rejected', 'failed', 'cancelled', 'timeout', 'completed'];

/** A message of an older peer under the kind's own name: `delegate` is `task_delegate`, `result` the end that it tells. */
export function fromOlder({ kind, payload }: Said): Said {
  if (kind !== 'result' || typeof payload !== 'object' || payload === null) {
    return { kind: pcpKindOf(kind) ?? kind, payload };
  }
  const { status, ...rest } = payload as Fields;
  const ending = typeof status === 'string' && Object.hasOwn(endings, status) ? endings[status] : undefined;
  const said = typeof status === 'string' && states.includes(status) ? { status } : {};
  return { kind: ending ?? 'task_complete', payload: { ...rest, ...said } };
}

/** The same for one that goes to pcp/0.1, which has six kinds; what is none of them keeps its name. */
const oldest: Readonly<Record<string, string>> = {
  task_delegate: 'delegate',
  task_complete: 'result',
  task_fail: 'result',
  task_reject: 'result',
  task_accept: 'status',
  task_progress: 'status',
};
export function toOldest(kind: string, payload: Fields): { readonly kind: string; readonly payload: Fields } {
  const name = Object.hasOwn(oldest, kind) ? (oldest[kind] ?? kind) : kind;
  return { kind: name, payload: name === 'status' ? { ...payload, state: payload['status'] } : payload };
}
