import type { ChatEvent } from '@peerai/peer/control';
import type { GuestLoader, Invitation, Session, ShareState } from '../src/guest/session.ts';

/** A guest's world from a script: what stands behind `#` says what happens. The page is the real one. */
const behaviour = location.hash.slice(1);

const invitation: Invitation = {
  name: 'study-pc',
  models: ['mistral'],
  expiresMs: Date.now() + (behaviour === 'TICKET_EXPIRED' ? -60_000 : 7_200_000),
  emoji: ['🐢', '🎈', '🔑', '🍋', '🦊', '🌲', '🥁', '🧊'],
  words: ['turtle', 'balloon', 'key', 'lemon', 'fox', 'tree', 'drum', 'ice'],
  hex: '7f3a91c20d5eb846'.repeat(4),
};

const share: ShareState = {
  models: ['mistral'],
  tokensBudget: 20_000,
  tokensUsed: 1_800,
  expiresMs: invitation.expiresMs,
};
const connectMs = behaviour === 'slow' ? 60_000 : behaviour === 'late' ? 800 : 20;
let connects = 0;

function refuse(code: string, message: string): never {
  throw Object.assign(new Error(message), { code });
}

async function wait(ms: number, signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      reject(signal.reason as Error);
    });
  });
}

const session: Session = {
  async connect(signal) {
    connects += 1;
    await wait(connectMs, signal);
    if (behaviour.startsWith('T') && behaviour !== 'TOO_MANY') refuse(behaviour, 'refused');
    if (behaviour === 'away' && connects === 1) refuse('PEER_UNREACHABLE', 'no address answers');
    return share;
  },
  state: async () => ({ ...share, tokensUsed: 1_949 }),
  async *ask(messages, _options, signal): AsyncIterable<ChatEvent> {
    const question = messages.at(-1)?.text ?? '';
    if (question.includes('refuse')) return yield { type: 'error', code: behaviour, message: 'refused' };
    const servedBy = { peerId: '12D3KooWStudy', name: 'study-pc', path: 'direct' as const };
    yield { type: 'start', model: 'mistral', servedBy };
    const words = 'Leek and potato. Soften two sliced leeks in butter, add potatoes and stock, simmer.'.split(' ');
    for (let i = 0; question.includes('endless') || i < words.length; i += 1) {
      yield { type: 'delta', text: `${i === 0 ? '' : ' '}${words[i % words.length]}` };
      await wait(5, signal);
      if (question.includes('break') && i === 4)
        return yield { type: 'error', code: 'PEER_UNREACHABLE', message: 'study-pc went offline' };
    }
    const receipt = {
      provider: 'p',
      consumer: 'c',
      lease: 'l',
      n: 1,
      requestId: '90bb17e490bb17e4',
      model: 'mistral',
      promptTokens: 31,
      answerTokens: 40,
      estimated: false,
      totalPromptTokens: 31,
      totalAnswerTokens: 40,
      workHash: 'aa',
      timeMs: 0,
      signedBy: 'both' as const,
    };
    yield {
      type: 'finish',
      reason: 'stop',
      promptTokens: 31,
      answerTokens: 40,
      firstTokenMs: 200,
      totalMs: 900,
      tokensPerSecond: 42,
      servedBy: { ...servedBy, signed: true, receipt },
      ...(question.includes('unsure') ? { suggestions: ['Name a soup', 'Name a salad'] } : {}),
    };
  },
  async *link(signal) {
    await wait(10, signal);
    yield { path: 'relayed', roundTripMs: 61 };
    await wait(connectMs + 50, signal);
    yield { path: behaviour === 'relayed' ? 'relayed' : 'direct', roundTripMs: 14 };
  },
  close: async () => undefined,
};

export const loader: GuestLoader = {
  async read() {
    if (behaviour === 'TICKET_INVALID') refuse('TICKET_INVALID', 'damaged');
    return invitation;
  },
  open: async () => session,
};
