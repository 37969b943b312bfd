import { PeerAiError } from '@peerai/core-protocol';
import type { ControlClient, WakeView } from '@peerai/peer/control';
import { command, type Verb } from '../command.ts';
import { exitCodes } from '../exit-codes.ts';
import { table } from '../plain.ts';
import { ago } from '../words.ts';
import { one } from './peers.ts';

/** A device's id; of whoever is none, the name as it was said: peers of older versions are known by it. */
async function deviceOrName(client: ControlClient, text: string, signal: AbortSignal): Promise<string> {
  try {
    return (await one(client, text, signal)).peerId;
  } catch (error) {
    if (PeerAiError.is(error, 'DEVICE_UNKNOWN')) return text;
    throw error;
  }
}

export const capabilities: Verb = {
  run: command(
    'capabilities',
    'What this peer can do, or another',
    {
      peer: { type: 'positional', required: false, description: 'Name or peer id; also a name of http.peers' },
    } as const,
    async ({ args, agent, output, signal }) => {
      const { client } = await agent();
      const peer = args.peer === undefined ? undefined : await deviceOrName(client, args.peer, signal);
      const can = await client.capabilities(peer, signal);
      output.data({ capabilities: can }, () =>
        table([
          ['name', can.name],
          ['program', can.agent || 'not said'],
          ['protocol', can.protocolVersions.join(', ') || 'not said'],
          ['models', can.models.join(', ') || 'none'],
          ['tasks', can.taskTypes.join(', ') || 'none'],
          ['messages', can.messageTypes.join(', ') || 'not said'],
          ['crypto', can.crypto.join(', ') || 'not said'],
          ['operators', can.operators.join(', ') || 'none'],
          ...can.endpoints.map((endpoint, index) => [index === 0 ? 'addresses' : '', endpoint]),
          ['told', ago(can.askedMs)],
        ]),
      );
    },
  ),
};

const says: Readonly<Record<WakeView['status'], string>> = {
  success: 'Awake: the model is loaded.',
  already_awake: 'Awake already.',
  failed: 'It could not wake up',
  rate_limited: 'Too many wake-ups, try again in a minute',
  queued: 'No answer yet; it is told when it is there.',
  refused: 'It does not let this device wake it',
};
const codes: Partial<Record<WakeView['status'], number>> = {
  failed: exitCodes.failure,
  rate_limited: exitCodes.refused,
  refused: exitCodes.refused,
};

export const wake: Verb = {
  run: command(
    'wake',
    'Have a device load its model before it is asked',
    {
      peer: { type: 'positional', required: true, description: 'Name or peer id' },
      model: { type: 'string', valueHint: 'M', description: 'Model to load; the default one otherwise' },
      reason: { type: 'string', valueHint: 'TEXT', description: 'Said to the device' },
    } as const,
    async ({ args, agent, output, signal }) => {
      const { client } = await agent();
      const answer = await client.wake(await deviceOrName(client, args.peer, signal), {
        ...(args.model === undefined ? {} : { model: args.model }),
        ...(args.reason === undefined ? {} : { reason: args.reason }),
      });
      const why = answer.status in codes && answer.reason !== '' ? `: ${answer.reason}` : '';
      output.data({ wake: answer }, () => `${says[answer.status]}${why}`);
      process.exitCode = codes[answer.status] ?? exitCodes.ok;
    },
  ),
};
