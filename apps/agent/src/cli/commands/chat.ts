import { mkdirSync } from 'node:fs';
import { PeerAiError } from '@peerai/core-protocol';
import type { LoadedConfig } from '@peerai/platform/node';
import { command, type Verb } from '../command.ts';
import type { Output } from '../output.ts';
import { chatEnvironment, chatPeer, type ChatProject, chatProject, isShared } from './chat-project.ts';
import { chatLimits } from './chat-limits.ts';

interface ChatArgs {
  readonly id?: string | undefined;
  readonly peer?: string | undefined;
  readonly dir?: string | undefined;
  readonly port?: string | undefined;
  readonly log?: string | undefined;
  readonly home?: string | undefined;
}
const projectArgs = {
  dir: { type: 'string', valueHint: 'DIR', description: 'Folder with .env, inbox and logs' },
} as const;

export const chat: Verb = {
  run: command(
    'chat',
    'Two assistants that share a secret; what one types the other shows, and its model answers',
    {
      id: { type: 'string', valueHint: 'NAME', description: 'This assistant; the folder’s name by default' },
      peer: { type: 'string', valueHint: 'NAME', description: 'The other one; _a and _b belong together' },
      ...projectArgs,
      port: { type: 'string', valueHint: 'N', description: 'Port for POST /inbox, where PEER_URL is set' },
      log: { type: 'string', valueHint: 'text|lines|off', description: 'What of the conversation is kept' },
    } as const,
    async ({ args, output, signal }) => {
      const project = chatProject(args);
      const peer = chatPeer(project.self, args.peer);
      const loaded = await settings(args, project);
      await converse({ project, peer, loaded, keeps: keeps(args.log, project) }, output, signal);
    },
  ),
};

export const log: Verb = {
  run: command(
    'log',
    'What two assistants said, from the log of one of them',
    {
      id: { type: 'positional', required: false, description: 'Assistant; the folder’s name by default' },
      conversation: { type: 'string', valueHint: 'ID', description: 'Only this conversation' },
      ...projectArgs,
    } as const,
    async ({ args, output }) => {
      const project = chatProject(args);
      const { readChatLog } = await import('./chat-log.ts');
      const lines = readChatLog(project.log, args.conversation);
      if (lines.length === 0) {
        const hint = 'Give the name of an assistant, and --dir where its project is another folder.';
        throw new PeerAiError('NOT_FOUND', `there are no such lines in ${project.log}`, { hint });
      }
      output.data({ lines }, () =>
        lines
          .map(({ timestamp, from, to, text, length, conversation_id: id }) => {
            const when = timestamp.slice(0, 19).replace('T', ' ');
            const said = text?.replaceAll(/\r?\n/gu, '\n  ') ?? `(${length} characters)`;
            return `${when}  ${id ?? '-'}  ${from} → ${to}: ${said}`;
          })
          .join('\n'),
      );
    },
  ),
};

type Keeps = 'text' | 'lines' | 'off';

/** Where others use the machine, the words of a conversation are kept only when the owner says so. Throws USAGE. */
function keeps(wish: string | undefined, { inbox }: ChatProject): Keeps {
  if (wish === 'text' || wish === 'lines' || wish === 'off') return wish;
  if (wish !== undefined) throw new PeerAiError('USAGE', `--log is "${wish}"; it must be text, lines or off`);
  mkdirSync(inbox, { recursive: true, mode: 0o700 });
  return isShared(inbox) ? 'lines' : 'text';
}

/** The settings as everywhere, with the project's `.env` below the environment. Throws CONFIG_INVALID. */
async function settings({ port, home }: ChatArgs, { folder }: ChatProject): Promise<LoadedConfig> {
  const { loadConfig } = await import('@peerai/platform/node');
  const flags = port === undefined ? {} : { 'http.port': port };
  const env = chatEnvironment(folder, process.env);
  return loadConfig({ env, flags, cwd: folder, ...(home === undefined ? {} : { home }) });
}

interface Chat {
  readonly project: ChatProject;
  readonly peer: string;
  readonly loaded: LoadedConfig;
  readonly keeps: Keeps;
}

async function converse({ project, peer, loaded, keeps: kept }: Chat, output: Output, caller: AbortSignal) {
  const { self, folder } = project;
  const { shared_secret: secret } = loaded.config.security;
  if (secret === undefined) {
    const hint = `Write SECRET_KEY=… into ${folder}/.env, the same for both: \`openssl rand -hex 24\` makes one.`;
    throw new PeerAiError('CONFIG_INVALID', 'there is no SECRET_KEY', { hint });
  }
  const { openChat } = await import('./chat-open.ts');
  const { chatScreen } = await import('./chat-screen.ts');
  const ending = new AbortController();
  const signal = AbortSignal.any([ending.signal, caller]);
  const screen = chatScreen(output);
  const say = (event: string, line: string, more: object = {}): void => {
    screen.say(`[${self}] ${line}`, { event, ...more });
  };
  try {
    const chatting = await openChat(
      { project, peer, secret, loaded, say, keepsText: kept === 'text', logs: kept !== 'off' },
      signal,
    );
    for (const note of chatting.notes) output.note(`  ${note}`);
    if (kept === 'lines')
      output.note('  the log keeps no words: others may look into the inbox; --log text keeps them');
    say('ready', `🟢 ${self} ready. Talking to ${peer}. Type /exit to quit.`, { self, peer });
    try {
      chatting.session.greet();
      for await (const text of screen.typed(caller)) chatting.typed(text);
    } finally {
      const left = await chatting.drained(AbortSignal.any([caller, AbortSignal.timeout(chatLimits.partingMs)]));
      if (left > 0) say('not-delivered', `❌ ${left} of your lines did not get through`, { count: left });
      ending.abort();
      await chatting.stop();
    }
    say('ended', `👋 ${self} exiting.`);
    // Ctrl-C and --timeout end a chat in order, and are told by the exit status.
    caller.throwIfAborted();
  } finally {
    ending.abort();
    screen.close();
  }
}
