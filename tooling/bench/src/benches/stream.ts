import { once } from 'node:events';
import { connect } from 'node:net';
import { multiaddr } from '@multiformats/multiaddr';
import { systemRandom } from '@peerai/platform';
import { createAgentNode } from '@peerai/transport/node';
import { testDeps } from '@peerai/transport/testing';
import { forkProgram } from '../fork.ts';
import { type Bench, elapsedMs, interleave, notMeasured, type Result, resultOf } from '../harness.ts';
import { createBareNode } from '../stream/bare-node.ts';
import type { ReceiverReady } from '../stream/receiver.ts';
import {
  bareProtocol,
  channelProtocol,
  messageBytes,
  sendBare,
  sendChannel,
  transferBytes,
} from '../stream/transfer.ts';
import { webrtcRates } from '../stream/webrtc.ts';

const rounds = 15;
const mebibytes = transferBytes / 1_048_576;

/** Our channel on loopback between two processes, over TCP and WebRTC, against a bare libp2p stream and a raw socket? */
export const stream: Bench = {
  name: 'stream',
  async run({ signal, log }) {
    const webrtc = await webrtcRow(signal, log);
    await using receiver = await forkProgram<ReceiverReady>(new URL('../stream/receiver.js', import.meta.url), signal);
    const { rawPort, bareAddress, peer, addresses } = receiver.ready;
    const message = systemRandom.bytes(messageBytes);
    const bare = await createBareNode([]);
    const transports = { tcp: true, websocket: false, webrtc: false };
    const nodeOf = async (postQuantum: 'preferred' | 'off') => {
      const node = await createAgentNode(testDeps(), {
        listen: [],
        relays: [],
        bootstrap: [],
        transports,
        postQuantum,
      });
      await node.start();
      return node;
    };
    const [ours, plain] = [await nodeOf('preferred'), await nodeOf('off')];
    try {
      const connection = await bare.dial(multiaddr(bareAddress));
      const rate = async (open: () => Promise<() => Promise<void>>): Promise<number> => {
        const send = await open();
        return mebibytes / ((await elapsedMs(send)) / 1000);
      };
      const channelOf = async ({ network }: typeof ours, isSealed: boolean) => {
        const one = await network.open(peer, channelProtocol, { signal, addresses });
        if (one.link.path !== 'direct') throw new Error('the link is not direct');
        if ((one.link.hybrid === true) !== isSealed) throw new Error('the link is not sealed as it should be');
        return () => sendChannel(one, message);
      };
      const readings = await interleave(
        {
          raw: () => rate(async () => sendRaw(rawPort, message)),
          bare: () =>
            rate(async () => {
              const one = await connection.newStream(bareProtocol, { signal });
              return () => sendBare(one, message);
            }),
          channel: () => rate(() => channelOf(ours, true)),
          unsealed: () => rate(() => channelOf(plain, false)),
        },
        { rounds, signal },
      );
      const unit = 'MiB/s';
      return {
        results: [
          resultOf({
            case: 'channel, against bare libp2p (TCP)',
            unit,
            candidate: readings.channel,
            baseline: readings.bare,
            goal: 0.8,
          }),
          resultOf({
            case: 'channel, against one whose messages are not sealed',
            unit,
            candidate: readings.channel,
            baseline: readings.unsealed,
          }),
          resultOf({
            case: 'channel, against a raw socket',
            unit,
            candidate: readings.channel,
            baseline: readings.raw,
          }),
          resultOf({
            case: 'bare libp2p, against a raw socket',
            unit,
            candidate: readings.bare,
            baseline: readings.raw,
          }),
          webrtc.result,
        ],
        notes: [
          ...webrtc.notes,
          `${mebibytes} MiB in messages of ${messageBytes / 1024} KiB a reading, from the first byte sent to the answer that all arrived.`,
        ],
      };
    } finally {
      await Promise.all([bare.stop(), ours.stop(), plain.stop()]);
    }
  },
};

async function sendRaw(port: number, message: Uint8Array): Promise<() => Promise<void>> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  await once(socket, 'connect');
  return async () => {
    const answered = once(socket, 'data');
    answered.catch(() => undefined);
    for (let sent = 0; sent < transferBytes; sent += message.length) {
      if (!socket.write(message)) await once(socket, 'drain');
    }
    await answered;
    socket.destroy();
  };
}

/** Its own processes, before the others: nothing else runs beside it. */
async function webrtcRow(
  signal: AbortSignal,
  log: (line: string) => void,
): Promise<{ result: Result; notes: readonly string[] }> {
  const row = { case: 'channel, against bare libp2p (WebRTC)', unit: 'MiB/s', goal: 0.8 };
  try {
    log('WebRTC, introduced by a relay');
    const { channel, bare } = await webrtcRates(systemRandom.bytes(messageBytes), signal);
    return { result: resultOf({ ...row, candidate: channel, baseline: bare }), notes: [] };
  } catch (error) {
    signal.throwIfAborted();
    return { result: notMeasured(row), notes: [`WebRTC: ${(error as Error).message}`] };
  }
}
