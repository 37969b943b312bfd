import { PeerAiError } from '@peerai/core-protocol';
import type { ShareRequest, ShareView } from '@peerai/peer/control';
import { parseDurationMs } from '@peerai/platform';
import { command, type Verb } from '../command.ts';
import { table } from '../plain.ts';
import { until } from '../words.ts';

const create = {
  model: { type: 'positional', required: true, description: 'Model to share, as `peerai models ls` names it' },
  for: { type: 'string', valueHint: '2h', description: 'How long the link lives' },
  tokens: { type: 'string', valueHint: 'N', description: 'Prompt and answer tokens for all guests together' },
  guests: { type: 'string', valueHint: 'N', description: 'How many people may use it' },
  concurrency: { type: 'string', valueHint: 'N', description: 'Answers at once' },
  qr: { type: 'boolean', description: 'Also show the link as a QR code' },
} as const;

const ls = command('ls', 'List links and what was used of them', {}, async ({ agent, output }) => {
  const shares = await (await agent()).client.shares();
  output.data({ shares }, () =>
    shares.length === 0
      ? 'No links. Make one: peerai share <model>'
      : table([['ID', 'MODEL', 'STATE', 'TOKENS', 'GUESTS', 'ENDS'], ...shares.map(row)]),
  );
});

const stop = command(
  'stop',
  'Stop a link: from now on it is refused',
  { id: { type: 'positional', required: true, description: 'Id from `peerai share ls`' } } as const,
  async ({ args, agent, output }) => {
    const share = await (await agent()).client.stopShare(args.id);
    output.data({ share }, () => `Stopped ${share.id}: the link is dead, ${share.tokens.used} tokens were used.`);
  },
);

const make = command(
  'share',
  'Make a link: a friend opens it in a browser and chats',
  create,
  async ({ args, agent, output }) => {
    const { client } = await agent();
    const share = await client.share(requestOf(args));
    if (args.qr === true && !output.json) {
      const { renderUnicodeCompact } = await import('uqr');
      output.note(renderUnicodeCompact(share.link));
    }
    output.data({ share }, () => share.link);
    if (share.warning !== undefined) output.note(`△ ${share.warning}`);
    output.note(
      `${share.models.join(', ')} · ${share.tokens.budget} tokens · ${share.guestsMax} guests · ${until(share.expiresMs)} · stop it: peerai share stop ${share.id}`,
    );
  },
);

export const share: Verb = { run: make, subs: { ls, stop } };

function requestOf(args: {
  readonly model: string;
  readonly for?: string | undefined;
  readonly tokens?: string | undefined;
  readonly guests?: string | undefined;
  readonly concurrency?: string | undefined;
}): ShareRequest {
  const count = (name: 'tokens' | 'guests' | 'concurrency'): Record<string, number> => {
    const text = args[name];
    if (text === undefined) return {};
    const value = Number(text);
    if (!Number.isInteger(value) || value < 1)
      throw new PeerAiError('USAGE', `--${name} is "${text}"; it must be a whole number from 1`);
    return { [name]: value };
  };
  const life = args.for === undefined ? {} : { forMs: parseDurationMs(args.for) };
  return { model: args.model, ...life, ...count('tokens'), ...count('guests'), ...count('concurrency') };
}

function row(share: ShareView): string[] {
  const { id, models, state, tokens, guests, guestsMax, expiresMs } = share;
  return [
    id,
    models.join(','),
    state,
    `${tokens.used}/${tokens.budget}`,
    `${guests.length}/${guestsMax}`,
    state === 'active' ? until(expiresMs) : '-',
  ];
}
