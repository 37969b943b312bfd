import { type Method, type Protocol, wire } from '@peerai/core-protocol';
import { limits } from './limits.ts';

/** Only peers the owner allowed may ask; whether one may add us to its groups is asked on top. */
const groupProtocol: Protocol = {
  id: '/peerai/group/1',
  access: 'granted',
  framing: 'messages',
  messageBytesMax: limits.keyPackageBytesMax + 1_024,
  channelsPerPeerMax: limits.channelsPerPeerMax,
};
/** A fresh MLS key package of the peer that is asked, for one use, by whoever asks. */
export const keyPackageMethod: Method<object, { readonly keyPackage: Uint8Array }> = {
  protocol: groupProtocol,
  request: wire.message({}),
  response: wire.message({ keyPackage: wire.bytes(1) }),
  timeoutMs: limits.keyPackageMs,
};
