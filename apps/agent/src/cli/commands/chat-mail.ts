import { type Clock, type CryptoProvider, type Logger, PeerAiError } from '@peerai/core-protocol';
import { answerInbox, envelopeReader, type OpenedEnvelope, openInboxFiles } from '@peerai/messaging/assistant';
import type { LoadedConfig } from '@peerai/platform/node';
import { byFile, byHttp, type Deliver } from './chat-outbox.ts';
import type { ChatProject } from './chat-project.ts';
import { chatLimits } from './chat-limits.ts';

export interface MailDeps {
  readonly clock: Clock;
  readonly crypto: CryptoProvider;
  readonly logger: Logger;
  readonly heard: (envelope: OpenedEnvelope) => void;
  /** Says what is wrong with what came. */
  readonly complain: (code: string, message: string) => void;
}
export interface MailOptions {
  readonly project: ChatProject;
  readonly peer: string;
  readonly secret: string;
  readonly loaded: LoadedConfig;
}
export interface ChatMail {
  readonly deliver: Deliver;
  /** Where the other side brings its mail, for people. */
  readonly places: readonly string[];
  /** Looks into the inbox until the signal fires. Throws nothing. */
  run(signal: AbortSignal): Promise<void>;
  stop(): Promise<void>;
}

/**
 * Mail comes by the inbox file, and by `POST /inbox` too where the other side has an address; it goes by HTTP there, else into the other's inbox file.
 * Throws PORT_TAKEN, ADDRESS_UNAVAILABLE, CONFIG_INVALID, KEY_REFUSED.
 */
export async function openChatMail(deps: MailDeps, { project, peer, secret, loaded }: MailOptions): Promise<ChatMail> {
  const { self, inbox } = project;
  const open = envelopeReader(deps, { self, secret });
  const complain = seldom(deps);
  const take = (envelope: Uint8Array): void => {
    try {
      deps.heard(open(envelope));
    } catch (error) {
      if (!PeerAiError.is(error, 'REPLAY_DETECTED')) complain(error);
      throw error;
    }
  };
  const files = openInboxFiles(inbox, deps);
  const http = await openHttp(deps, loaded, take);
  return {
    deliver: http?.deliver ?? byFile(files, peer),
    places: [...(http === undefined ? [] : [`${http.url}/inbox`]), inbox],
    async run(signal) {
      while (!signal.aborted) {
        await files
          .take(self, (envelope) => {
            try {
              take(envelope);
            } catch (error) {
              // It stays in the file; all else is gone, as it always was.
              if (PeerAiError.is(error, 'RATE_LIMITED')) throw error;
            }
          })
          .catch(complain);
        await deps.clock.sleep(chatLimits.lookMs, signal).catch(() => undefined);
      }
    },
    stop: async () => http?.stop(),
  };
}

async function openHttp(
  { logger }: MailDeps,
  loaded: LoadedConfig,
  take: (envelope: Uint8Array) => void,
): Promise<{ readonly url: string; readonly deliver: Deliver; stop(): Promise<void> } | undefined> {
  const { http, security, network } = loaded.config;
  if (http.peer_url === undefined) return undefined;
  if (security.enable_tor || network.transports.socks5 !== undefined) {
    throw new PeerAiError('CONFIG_INVALID', 'PEER_URL would be reached round the SOCKS5 proxy or Tor that is set');
  }
  const { startPeerHttp } = await import('../../peer-http/start.ts');
  const { createPostPool } = await import('../../peer-http/post.ts');
  const pool = createPostPool();
  const face = await startPeerHttp(loaded, {
    peer: { http: { answer: (request) => answerInbox(request, take) } },
    logger,
  });
  return {
    url: face.url,
    deliver: byHttp(pool.post, http.peer_url),
    async stop() {
      await face.stop();
      pool.stop();
    },
  };
}

/** What to do about it, for the two that people meet. */
const remedies: Readonly<Record<string, string>> = {
  DECRYPTION_FAILED: ' (is SECRET_KEY the same on both sides?)',
  INVALID_SIGNATURE: ' (is SECRET_KEY the same on both sides?)',
};

/** Each kind of complaint once in a while, so that nobody can fill the screen with them. */
function seldom({ clock, complain }: MailDeps): (error: unknown) => void {
  const saidMs = new Map<string, number>();
  return (error) => {
    const code = PeerAiError.is(error)
      ? error.code
      : ((error as { readonly code?: string } | null)?.code ?? 'INTERNAL');
    const nowMs = clock.elapsedMs();
    if (nowMs - (saidMs.get(code) ?? Number.NEGATIVE_INFINITY) < chatLimits.complainMsMin) return;
    saidMs.set(code, nowMs);
    complain(code, `${error instanceof Error ? error.message : 'it failed'}${remedies[code] ?? ''}`);
  };
}
