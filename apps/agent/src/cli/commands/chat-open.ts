import { randomUUID } from 'node:crypto';
import { type Logger, PeerAiError } from '@peerai/core-protocol';
import { nodeCrypto } from '@peerai/core-protocol/crypto-node';
import { sealEnvelope } from '@peerai/messaging/assistant';
import { createLogger, type LoadedConfig, nodeRandom, systemClock } from '@peerai/platform/node';
import { openChatLog } from './chat-log.ts';
import { openChatMail } from './chat-mail.ts';
import { openChatModel } from './chat-model.ts';
import { chatOutbox } from './chat-outbox.ts';
import type { ChatProject } from './chat-project.ts';
import { type ChatSession, chatSession } from './chat-session.ts';
import { chatLimits } from './chat-limits.ts';

export interface ChatSettings {
  readonly project: ChatProject;
  readonly peer: string;
  readonly secret: string;
  readonly loaded: LoadedConfig;
  readonly say: (event: string, line: string, more?: object) => void;
  readonly logs: boolean;
  readonly keepsText: boolean;
}
export interface OpenChat {
  readonly session: ChatSession;
  /** Where mail comes, who answers, where the conversation is kept. */
  readonly notes: readonly string[];
  /** A line the person here typed; what cannot be sent is said. */
  typed(text: string): void;
  /** Ends when every line is delivered, or with the signal; says how many are not. */
  drained(signal: AbortSignal): Promise<number>;
  stop(): Promise<void>;
}

/** Puts a chat together and listens. Throws as `openChatMail`, CONFIG_INVALID for an engine, what the file system says of the log. */
export async function openChat(settings: ChatSettings, signal: AbortSignal): Promise<OpenChat> {
  const { project, peer, secret, loaded, say } = settings;
  const { self } = project;
  const [clock, crypto, random] = [systemClock, nodeCrypto, nodeRandom];
  const { level, format, file, rotate } = loaded.config.logging;
  const logger: Logger = createLogger({ level: level === 'info' ? 'warn' : level, format, file, rotate });
  const conversationId = randomUUID();
  const model = await openChatModel({ clock, logger }, loaded.config.llm, self);
  const complain = (code: string, message: string): void => {
    say('complaint', `${code === 'INVALID_SIGNATURE' ? '🚨' : '🔐'} ${message}`, { code });
  };
  const heard: ChatSession['heard'] = (envelope) => session.heard(envelope);
  const mail = await openChatMail({ clock, crypto, logger, heard, complain }, { project, peer, secret, loaded });
  const outbox = chatOutbox(
    { clock, deliver: mail.deliver },
    (error, isFinal) => undelivered(settings, error, isFinal),
    signal,
  );
  const log = settings.logs ? openChatLog(project.log, { withText: settings.keepsText }) : undefined;
  const session = chatSession(
    {
      clock,
      say,
      answer: (messages, until) => model.answer(messages, until),
      send: (line) => {
        outbox.add(sealEnvelope({ crypto, random }, { from: self, to: peer, secret, sentMs: clock.nowMs() }, line));
      },
      log: (names, line) => log?.add(names, line),
    },
    { self, peer, conversationId },
    signal,
  );
  const running = mail.run(signal);
  const { peer_url: url } = loaded.config.http;
  return {
    session,
    notes: [
      `mail comes to ${mail.places.join(' and ')}${url === undefined ? '' : `, goes to ${url}`}`,
      `conversation ${conversationId}${log === undefined ? '' : `, kept in ${project.log}`}`,
    ],
    typed(text) {
      try {
        if (text.length > chatLimits.lineCharsMax)
          throw new PeerAiError('USAGE', `a line has at most ${chatLimits.lineCharsMax} characters`);
        session.typed(text);
      } catch (error) {
        say('not-sent', `❌ ${error instanceof Error ? error.message : String(error)}`);
      }
    },
    drained: (until) => outbox.drained(until),
    async stop() {
      await running;
      await mail.stop();
      await session.idle();
      log?.close();
    },
  };
}

function undelivered({ say, peer }: ChatSettings, error: unknown, isFinal: boolean): void {
  const { code, message } = PeerAiError.is(error)
    ? error
    : { code: 'INTERNAL', message: error instanceof Error ? error.message : String(error) };
  const details = PeerAiError.is(error) ? error.details['reason'] : undefined;
  const why = `${message}${typeof details === 'string' ? ` (${details})` : ''}`;
  if (isFinal) say('refused', `❌ ${peer} did not take a line: ${why}`, { code });
  else say('waiting', `⏳ ${peer} is not there: ${why}; your lines wait`, { code });
}
