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

/** What a model is sent: every question with its answer as far as it came; answers without a word are left out. */
export function toMessages(turns: readonly Turn[]): { role: 'user' | 'assistant'; text: string }[] {
  return turns.filter((turn) => turn.text !== '').map(({ role, text }) => ({ role, text }));
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
