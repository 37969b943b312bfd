import { PeerAiError } from '@peerai/core-protocol';
import { command, type Verb } from '../command.ts';

export const env: Verb = {
  run: command(
    'env',
    'Settings for your tools: eval "$(peerai env openai)"',
    { tool: { type: 'positional', required: true, description: 'openai or ollama' } } as const,
    async ({ args, agent, output }) => {
      if (args.tool !== 'openai' && args.tool !== 'ollama')
        throw new PeerAiError('USAGE', `"${args.tool}" is not known; use openai or ollama`);
      const { client, baseUrl } = await agent();
      const name = `env-${args.tool}-${Date.now().toString(36)}`;
      const { key = '' } = await client.makeKey(name);
      const values: Record<string, string> =
        args.tool === 'openai'
          ? { OPENAI_BASE_URL: `${baseUrl}/v1`, OPENAI_API_KEY: key }
          : { OLLAMA_HOST: `${baseUrl}/t/${key}` };
      output.data({ env: values, keyName: name }, () =>
        Object.entries(values)
          .map(([variable, value]) => `export ${variable}='${value}'`)
          .join('\n'),
      );
      output.note(`# a key for the gateway only, called ${name}; take it back with: peerai key revoke ${name}`);
    },
  ),
};
