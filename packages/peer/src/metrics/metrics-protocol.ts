import { type Method, wire } from '@peerai/core-protocol';
import { limits } from '../limits.ts';
import { metricsLimits } from './limits.ts';

const question = wire.message({ version: wire.uint32(1) });
const signedState = wire.message({ state: wire.bytes(1) });

/** `/peerai/metrics/1`: the asked peer's signed state, each second, while it has one; then the stream ends. */
export const metricsMethod: Method<ReturnType<typeof question.decode>, ReturnType<typeof signedState.decode>> = {
  protocol: {
    id: '/peerai/metrics/1',
    access: 'granted',
    framing: 'messages',
    messageBytesMax: metricsLimits.metricsMessageBytesMax,
    channelsPerPeerMax: 2,
    priority: 'low',
  },
  request: question,
  response: signedState,
  timeoutMs: limits.questionMs,
};
