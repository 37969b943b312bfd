import { startTestnet, type Testnet } from '@peerai/testnet';
import type { RunningAgent } from '@peerai/testnet';

/** A model that only the first agent has, asked through the gateway of the second. */
export interface TwoAgents {
  readonly testnet: Testnet;
  readonly provider: RunningAgent;
  readonly consumer: RunningAgent;
  /** Base URLs of the consumer's gateway, one for each way a client may prove itself. */
  readonly ways: readonly { readonly way: string; readonly base: string; readonly key: string }[];
}

export async function startTwoAgents(): Promise<TwoAgents> {
  const testnet = await startTestnet({
    agents: 2,
    relays: 1,
    engine: 'scripted',
    engines: ['scripted', 'nano'],
    env: {},
    names: ['study-pc', 'laptop'],
  });
  const [provider, consumer] = testnet.agents;
  if (provider === undefined || consumer === undefined) throw new Error('two agents were asked for');
  const { key = '' } = await consumer.client.makeKey('clients');
  const { api, token } = consumer.info;
  const ways = [
    { way: 'with the token', base: api, key: token },
    { way: 'with a gateway key', base: api, key },
    { way: 'with /t/<key>/', base: `${api}/t/${key}`, key: '' },
    { way: 'bare from loopback', base: api, key: '' },
  ];
  return { testnet, provider, consumer, ways };
}
