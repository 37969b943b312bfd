import type { NativeIceServer } from '../../nat/servers.ts';
import {
  answerMeeting,
  DataChannelBytes,
  type Meeting as Native,
  offerMeeting,
  takeCandidates,
} from '../file/data-channel.ts';
import type { Meeting, Meetings } from './meeting.ts';

/** WebRTC on Node. @param servers - which STUN and TURN servers a connection may use. */
export function nativeMeetings(servers: () => readonly NativeIceServer[] = () => []): Meetings {
  return {
    async offer(signal) {
      const { sdp, candidates, ...native } = await offerMeeting(signal, servers);
      return meetingOf(native, sdp, candidates);
    },
    async answer(offer, signal) {
      const given = { id: '', from: '', writtenMs: 0, sdp: offer, candidates: [] };
      const { sdp, ...native } = await answerMeeting(given, signal, servers);
      return meetingOf(native, sdp, []);
    },
  };
}

function meetingOf({ connection, opened }: Native, sdp: string, candidates: readonly string[]): Meeting {
  return {
    sdp,
    candidates: candidates.map((line) => line.replace(/^a=/u, '')),
    async taken(answer) {
      connection.setRemoteDescription(answer, 'answer');
    },
    add: (candidate) => takeCandidates(connection, [candidate]),
    opened: async (init, signal) => new DataChannelBytes(init, connection, await opened(signal)),
    close: () => connection.close(),
  };
}
