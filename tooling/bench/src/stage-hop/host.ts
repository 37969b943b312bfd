/** The far end of the stage-hop bench, a process of its own: it offers one stage. */
import { nobleCrypto as crypto, type PeerId } from '@peerai/core-protocol';
import { createNodeRuntime } from '@peerai/nn-engine/node';
import { serveStages } from '@peerai/nn-engine/split';
import { systemClock } from '@peerai/platform';
import { echoProtocol, languageStage, lastStage, startNode } from './workload.ts';

/** What the parent gets, once. */
export interface StageHostReady {
  readonly peer: PeerId;
  readonly addresses: readonly string[];
}

const { network } = await startNode(['/ip4/127.0.0.1/tcp/0']);
const host = serveStages({ network, clock: systemClock, crypto, runtime: createNodeRuntime() }, { mayUse: () => true });
for (const { stage, weights } of [lastStage(), languageStage()]) host.offer(stage, weights);
network.answer(echoProtocol, async (channel) => {
  for await (const message of channel) await channel.send(message);
});
const ready: StageHostReady = { peer: network.self, addresses: network.addresses() };
process.send?.(ready);
process.once('disconnect', () => process.exit(0));
