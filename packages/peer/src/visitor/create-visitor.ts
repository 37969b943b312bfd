import { callMethod, fromUtf8, PeerAiError, type PeerId, utf8 } from '@peerai/core-protocol';
import { proveTicket, type Ticket } from '@peerai/core-protocol/access';
import { fetchBlob } from '@peerai/core-protocol/blob';
import { createFollowerRuns } from '@peerai/nn-engine/rounds';
import { limits } from '../limits.ts';
import { ActiveRun } from '../training/active-run.ts';
import { countedNetwork } from '../training/counted-network.ts';
import { openTrainingEngine } from '../training/engine.ts';
import { type LinkAnswer, linkMethod } from '../training/link-protocol.ts';
import { understood } from '../training/offers.ts';
import { type PacedRuntime, pacedRuntime } from '../training/paced-runtime.ts';
import { headOf } from '../training/head-of.ts';
import { taskOfData } from '../training/task.ts';
import type { TrainingRunView } from '../training/training.schema.ts';
import { roundView, runView } from '../training/views.ts';
import type { Visitor, VisitOptions, VisitorWorld } from './visitor.ts';

/** Nothing of a run is kept in a tab. */
const keptNowhere = { write: async () => undefined, move: async () => undefined, remove: async () => undefined };

/** One visitor with one link, in a browser tab or anywhere else. Throws TICKET_INVALID for a ticket that opens no run. */
export function createVisitor(world: VisitorWorld, ticket: Ticket): Visitor {
  if (ticket.kind !== 'train') throw new PeerAiError('TICKET_INVALID', 'this link opens no training');
  const { identity, clock, crypto } = world;
  const host = ticket.provider;
  const network = countedNetwork(world.network);
  const grant = proveTicket(crypto, ticket, identity.peer);
  const addresses = ticket.addresses.map((address) => `${address}/p2p/${host}`);
  const nameOf = (peer: PeerId): string =>
    peer === identity.peer ? 'you' : peer === host ? ticket.name : `member-${peer.slice(-6)}`;
  let pace: PacedRuntime | undefined;

  const ask = (signal: AbortSignal): Promise<LinkAnswer> =>
    callMethod({ network, clock }, host, linkMethod, { version: 1, grant }, { signal, addresses });
  /** Whoever is not there, or does not lead for a while, is asked again. */
  const greet = async (signal: AbortSignal): Promise<void> => {
    try {
      await ask(signal);
    } catch (error) {
      if (signal.aborted || !PeerAiError.is(error, 'TIMEOUT', 'CHANNEL_CLOSED', 'NOT_LEADING')) throw error;
      throw new PeerAiError('PEER_UNREACHABLE', 'the device that made the link is not there now', {}, { cause: error });
    }
  };
  const dataOf = async (
    answer: LinkAnswer,
    { own, signal }: VisitOptions,
  ): Promise<NonNullable<VisitOptions['own']>> => {
    if (own !== undefined) return own;
    if (answer.shard === undefined)
      throw new PeerAiError('DATA_UNKNOWN', 'this link hands out no data: choose a file of your own');
    const { name, sha256 } = answer.shard;
    const options = { signal, addresses, bytesMax: limits.trainingDataBytesMax };
    return { name, text: fromUtf8(await fetchBlob({ network, clock, crypto }, host, sha256, options)) };
  };

  return {
    self: identity.peer,
    busy: () => pace?.busy() ?? 0,
    async look(signal) {
      const answer = await ask(signal);
      const { view } = await understood({ crypto, nameOf }, host, answer);
      const { expiresMs, shard } = answer;
      return {
        offer: view,
        expiresMs,
        handed: shard === undefined ? undefined : { name: shard.name, bytes: shard.bytes },
      };
    },
    async train(options) {
      const { signal, threads, share, changed, closed } = options;
      const answer = await ask(signal);
      const { run, plan, planText } = await understood({ crypto, nameOf }, host, answer);
      const data = await dataOf(answer, options);
      const task = taskOfData(plan, data.text);
      pace = pacedRuntime(await options.runtime(), clock, share);
      using engine = openTrainingEngine({
        ...world,
        network,
        runtime: pace,
        mayJoin: (peer) => peer === host,
        createRuns: createFollowerRuns,
      });
      const seat = await engine.sit({ run, plan, task, threads, from: undefined, signal });
      const { examples, heldOut } = task;
      const head = {
        ...headOf({ run, planText, by: host, threads }, identity.peer, clock.nowMs()),
        dataId: '',
        data: { name: data.name, bytes: utf8(data.text).length, examples, heldOut },
      };
      const view = (one: typeof active.head): TrainingRunView => runView(one, nameOf, undefined);
      const active: ActiveRun = new ActiveRun(
        {
          ...world,
          self: identity.peer,
          network,
          shelf: keptNowhere,
          book: {
            save: async () => undefined,
            note: () => undefined,
            unmasked: async () => [],
            noteUnmasked: async () => undefined,
          },
          changed: (one) => changed(view(one)),
          closed: (_, row) => closed(roundView(row, nameOf)),
          host: { peer: host, greet },
        },
        { seat, head },
      );
      try {
        await active.toEnd(false, signal);
        return view(active.head);
      } finally {
        await active.leave();
      }
    },
  };
}
