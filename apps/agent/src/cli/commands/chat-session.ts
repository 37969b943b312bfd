import { type Clock, PeerAiError, type PromptMessage } from '@peerai/core-protocol';
import type { AssistantText, OpenedEnvelope } from '@peerai/messaging/assistant';
import { chatLimits } from './chat-limits.ts';

const [greeting, greeted] = ['Handshake Init', 'Handshake ACK'];
/** What asks for an answer; the second is an older program's. */
const greetings = [greeting, 'hello'];

export interface SessionParts {
  readonly clock: Clock;
  /** Seals a line and sends it off. Throws LIMIT_REACHED. */
  readonly send: (line: AssistantText) => void;
  readonly answer: (messages: readonly PromptMessage[], signal: AbortSignal) => Promise<string>;
  /** Prints one line; the event is for programs. */
  readonly say: (event: string, line: string, more?: object) => void;
  readonly log: (names: { readonly from: string; readonly to: string }, line: AssistantText) => void;
}
export interface SessionNames {
  readonly self: string;
  readonly peer: string;
  /** Of the lines typed here. */
  readonly conversationId: string;
}
/** One assistant's side of a chat. */
export interface ChatSession {
  readonly greet: () => void;
  /** A line the person here typed. */
  readonly typed: (text: string) => void;
  readonly heard: (envelope: OpenedEnvelope) => void;
  /** When the answer that is being made is made, or its signal fired. */
  readonly idle: () => Promise<void>;
}

/**
 * Shows what comes and lets the model answer what a person wrote. An answer says that no person wrote it and is never answered, so two models do not
 * talk to each other without end.
 */
export function chatSession(parts: SessionParts, names: SessionNames, signal: AbortSignal): ChatSession {
  const { clock, send, say, log } = parts;
  const { self, peer, conversationId } = names;
  /** What the model was asked and said; begins anew with another conversation. */
  let before: PromptMessage[] = [];
  let beforeId: string | undefined;
  let waiting = 0;
  let answering: Promise<void> = Promise.resolve();
  let greetedMs = Number.NEGATIVE_INFINITY;

  const shake = (text: string): void => {
    send({ text, type: 'handshake', userInitiated: false });
  };
  async function answer({ text, conversationId: conversation }: OpenedEnvelope): Promise<void> {
    if (signal.aborted) return;
    if (conversation !== beforeId) before = [];
    beforeId = conversation;
    const asked: PromptMessage = { role: 'user', text };
    const reply = (said: string): void => {
      const line: AssistantText = {
        text: said,
        type: 'bot',
        userInitiated: false,
        ...(conversation === undefined ? {} : { conversationId: conversation }),
      };
      send(line);
      log({ from: self, to: peer }, line);
    };
    try {
      const said = await parts.answer([...before, asked], signal);
      if (said === '') throw new PeerAiError('ENGINE_FAILED', 'the model said nothing');
      before = [...before, asked, { role: 'assistant' as const, text: said }].slice(-chatLimits.messagesMax);
      say('answered', `🧠 ${self}: ${said}`, { from: self, to: peer, text: said });
      reply(said);
    } catch (error) {
      if (signal.aborted) return;
      const { code, message } = PeerAiError.is(error) ? error : { code: 'INTERNAL', message: 'it failed' };
      say('not-answered', `❌ ${self} has no answer: ${message} (${code})`, { code });
      reply(`(no answer: ${code})`);
    }
  }
  function heardHandshake(from: string, text: string): void {
    say('handshake', `🤝 ${self} got handshake from ${from}${text === greeted ? ', who is there' : ''}`, { from });
    if (from !== peer || !greetings.includes(text) || clock.elapsedMs() - greetedMs < chatLimits.greetMsMin) return;
    greetedMs = clock.elapsedMs();
    shake(greeted);
  }
  return {
    greet() {
      shake(greeting);
      say('handshake-sent', `🤝 ${self} sent handshake to ${peer}`, { to: peer });
    },
    typed(text) {
      const line: AssistantText = { text, type: 'user', userInitiated: true, conversationId };
      send(line);
      log({ from: self, to: peer }, line);
      say('sent', `📩 ${self} → ${peer}: ${text}`, { from: self, to: peer, text, conversationId });
    },
    heard(envelope) {
      const { from, text, type, userInitiated, conversationId: conversation } = envelope;
      if (type === 'handshake') return heardHandshake(from, text);
      log({ from, to: self }, envelope);
      const facts = { from, to: self, text, userInitiated, conversationId: conversation ?? null };
      say('received', `📩 ${from} → ${self}: ${text}`, facts);
      if (!userInitiated || from !== peer) return;
      if (waiting >= chatLimits.questionsMax) {
        say(
          'not-answered',
          `⚠️ ${chatLimits.questionsMax} lines of ${peer} wait for an answer; this one gets none`,
          {},
        );
        return;
      }
      waiting += 1;
      answering = answering
        .then(() => answer(envelope))
        .catch((error: unknown) => {
          say('not-sent', `❌ ${error instanceof Error ? error.message : String(error)}`, {});
        })
        .finally(() => {
          waiting -= 1;
        });
    },
    idle: () => answering,
  };
}
