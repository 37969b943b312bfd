import type { Protocol } from '@peerai/core-protocol';

import { limits } from '../limits.ts';

/** `/peerai/stage/1`: a stage is opened, then each question of its driver has one answer, one after the other. */
export const stageProtocol: Protocol = {
  id: '/peerai/stage/1',
  access: 'granted',
  framing: 'messages',
  messageBytesMax: 2 * limits.stageActivationBytesMax + limits.stageRestBytesMax,
  channelsPerPeerMax: limits.stageChannelsMax,
};
