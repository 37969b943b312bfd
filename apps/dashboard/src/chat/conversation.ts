import { PeerAiError } from '@peerai/core-protocol';
import type { ControlClient } from '@peerai/peer/control';
import { limits } from '../app/limits.ts';
import {
  type AnswerTurn,
  applyChatEvent,
  closeAnswer,
  isOpen,
  newAnswer,
  toMessages,
  type Turn,
} from '../shared/turns.ts';

/** One talk of this tab: it goes on while other pages are looked at, and survives a reload. */
export interface Conversation {
  readonly turns: readonly Turn[];
  readonly subscribe: (listener: () => void) => () => void;
  /** Asks a model, which is given what fits of the memory when `recalls`; does nothing while an answer is open. */
  ask(text: string, model: string, recalls?: boolean): void;
  /** The last question again, to the same or another model; the broken answer makes room. */
  askAgain(model: string): void;
  stop(): void;
  clear(): void;
}

export interface ConversationDeps {
  readonly client: Pick<ControlClient, 'chat'>;
  readonly storage: Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>;
}

const storageKey = 'peerai.conversation';

export function createConversation({ client, storage }: ConversationDeps): Conversation {
  let turns = restore(storage);
  let running: AbortController | undefined;
  const listeners = new Set<() => void>();

  const show = (next: readonly Turn[]): void => {
    turns = next.slice(-limits.turnsMax);
    for (const listener of listeners) listener();
  };
  const keep = (): void => {
    try {
      storage.setItem(storageKey, JSON.stringify(turns));
    } catch {
      // A full or forbidden store: the talk lasts as long as the page.
    }
  };
  const answer = async (asked: readonly Turn[], model: string): Promise<void> => {
    const controller = new AbortController();
    running = controller;
    let turn = newAnswer(model);
    const update = (next: AnswerTurn): void => {
      turn = next;
      if (running === controller) show([...asked, turn]);
    };
    update(turn);
    const last = asked.at(-1);
    const recalls = last?.role === 'user' && last.recalls === true;
    const request = { model, messages: toMessages(asked, limits), ...(recalls ? { memory: {} } : {}) };
    try {
      for await (const event of client.chat(request, controller.signal)) {
        update(applyChatEvent(turn, event));
      }
    } catch (error) {
      if (!controller.signal.aborted) update(applyChatEvent(turn, errorEvent(error)));
    }
    update(closeAnswer(turn, controller.signal.aborted));
    if (running !== controller) return;
    running = undefined;
    keep();
  };

  return {
    get turns() {
      return turns;
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    ask(text, model, recalls = false) {
      if (running !== undefined || text.trim() === '') return;
      const said = text.trim().slice(0, limits.messageCharsMax);
      void answer([...turns, { role: 'user', text: said, ...(recalls ? { recalls } : {}) }], model);
      keep();
    },
    askAgain(model) {
      const lastQuestion = turns.findLastIndex((turn) => turn.role === 'user');
      if (running !== undefined || lastQuestion < 0) return;
      void answer(turns.slice(0, lastQuestion + 1), model);
    },
    stop() {
      running?.abort();
    },
    clear() {
      running?.abort();
      running = undefined;
      show([]);
      storage.removeItem(storageKey);
    },
  };
}

function errorEvent(error: unknown): { type: 'error'; code: string; message: string; hint?: string } {
  if (!PeerAiError.is(error))
    return { type: 'error', code: 'CHANNEL_CLOSED', message: 'the agent went away in the middle of the answer' };
  const hint = error.details['hint'];
  return { type: 'error', code: error.code, message: error.message, ...(typeof hint === 'string' ? { hint } : {}) };
}

/** The talk before a reload; an answer that was open then is shown as broken off. */
function restore(storage: ConversationDeps['storage']): readonly Turn[] {
  try {
    const turns = JSON.parse(storage.getItem(storageKey) ?? '[]') as readonly Turn[];
    return turns.map((turn) => (turn.role === 'assistant' && isOpen(turn) ? closeAnswer(turn, false) : turn));
  } catch {
    return [];
  }
}
