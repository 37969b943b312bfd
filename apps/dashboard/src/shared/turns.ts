import type { ChatEvent, ServedBy } from '@peerai/peer/control';

interface UserTurn {
  readonly role: 'user';
  readonly text: string;
  /** The model is given what is remembered that fits it. */
  readonly recalls?: boolean;
}

export interface AnswerTurn {
  readonly role: 'assistant';
  readonly text: string;
  /** The name that was asked, as the gateway knows it. */
  readonly model: string;
  /** `waiting` until the first word; `stopped` by the reader; `failed` keeps the text so far. */
  readonly state: 'waiting' | 'streaming' | 'done' | 'stopped' | 'failed';
  readonly servedBy?: ServedBy;
  readonly finish?: Extract<ChatEvent, { type: 'finish' }>;
  readonly error?: { readonly code: string; readonly message: string; readonly hint?: string };
}

export type Turn = UserTurn | AnswerTurn;

export function newAnswer(model: string): AnswerTurn {
  return { role: 'assistant', text: '', model, state: 'waiting' };
}

/** An answer after one more event. What was said stays said, whatever follows. */
export function applyChatEvent(turn: AnswerTurn, event: ChatEvent): AnswerTurn {
  switch (event.type) {
    case 'start':
      return { ...turn, servedBy: event.servedBy };
    case 'delta':
      return { ...turn, state: 'streaming', text: turn.text + event.text };
    case 'finish':
      return { ...turn, state: 'done', servedBy: event.servedBy, finish: event };
    case 'error': {
      const { code, message, hint } = event;
      return { ...turn, state: 'failed', error: { code, message, ...(hint === undefined ? {} : { hint }) } };
    }
  }
}

/** An answer that ended without saying how. */
export function closeAnswer(turn: AnswerTurn, stopped: boolean): AnswerTurn {
  if (turn.state !== 'waiting' && turn.state !== 'streaming') return turn;
  if (stopped) return { ...turn, state: 'stopped' };
  return {
    ...turn,
    state: 'failed',
    error: { code: 'CHANNEL_CLOSED', message: 'the answer ended without its last part' },
  };
}

/** How much of a conversation a model is sent: turns, and bytes of them as JSON in UTF-8. */
export interface SentBounds {
  readonly turnsMax: number;
  readonly sentBytesMax: number;
}
const jsonBytes = (value: unknown): number => new TextEncoder().encode(JSON.stringify(value)).length;

/**
 * What a model is sent: every question with its answer as far as it came; answers without a word are left out. Where that is too much, the oldest turns stay
 * behind, and what is sent begins with a question. The last turn is always sent.
 */
export function toMessages(
  turns: readonly Turn[],
  { turnsMax, sentBytesMax }: SentBounds,
): { role: 'user' | 'assistant'; text: string }[] {
  const said = turns.filter((turn) => turn.text !== '').map(({ role, text }) => ({ role, text }));
  let bytes = 0;
  const behind = said.findLastIndex(
    (one, at) => said.length - at > turnsMax || (bytes += jsonBytes(one)) > sentBytesMax,
  );
  if (behind < 0) return said;
  const first = said.findIndex(({ role }, at) => at > behind && role === 'user');
  return said.slice(first < 0 ? -1 : first);
}

/** The answer without the list of suggestions at its end, where buttons below it say the same. */
export function textAboveButtons({ text, finish }: AnswerTurn): string {
  const list = (finish?.suggestions ?? []).map((question) => `- ${question}`).join('\n');
  if (list === '' || !text.endsWith(`:\n${list}`)) return text;
  return text.slice(0, -list.length).replace(/\n*[^\n]*\n$/, '');
}

export function isOpen(turn: Turn | undefined): boolean {
  return turn?.role === 'assistant' && (turn.state === 'waiting' || turn.state === 'streaming');
}
