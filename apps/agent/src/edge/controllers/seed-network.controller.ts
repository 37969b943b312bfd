import { Body, Controller, Get, HttpCode, Inject, Post } from '@nestjs/common';
import type { PeerId } from '@peerai/core-protocol';
import type { Peer } from '@peerai/peer';
import { z } from 'zod';
import { PEER } from '../tokens.ts';

const peersActionSchema = z.object({
  action: z.enum(['add', 'remove']),
  peer_address: z.string().max(2048).optional(),
  peer_id: z.string().max(80).optional(),
});
const sendSchema = z.object({
  target: z.union([z.string().min(1), z.array(z.string().min(1)).min(1).max(64)]),
  message: z.unknown(),
});

interface SeedPeer {
  readonly id: string;
  readonly name: string;
  readonly address: string | null;
  readonly status: string;
  readonly last_seen: string | null;
  /** 0 to 1. */
  readonly reputation: number;
}

/** The two REST routes of the seed's network page, with its field names; `name` is ours. */
@Controller('api/network')
export class SeedNetworkController {
  private readonly peer: Peer;
  constructor(@Inject(PEER) peer: Peer) {
    this.peer = peer;
  }

  @Get('peers')
  async peers(): Promise<{ readonly peers: readonly SeedPeer[] }> {
    const scoreOf = await this.peer.reputation.scores();
    const peers = this.peer.peers.list().map(({ peerId, name, address, state, lastSeenMs }) => ({
      id: peerId,
      name,
      address,
      status: state === 'online' ? 'connected' : state === 'offline' ? 'disconnected' : state,
      last_seen: lastSeenMs === null ? null : new Date(lastSeenMs).toISOString(),
      reputation: scoreOf(peerId as PeerId),
    }));
    return { peers };
  }

  /** `add` takes an invite link as the address; `remove` a peer id. */
  @Post('peers')
  @HttpCode(200)
  async change(@Body({ schema: peersActionSchema }) request: z.infer<typeof peersActionSchema>): Promise<object> {
    if (request.action === 'remove') {
      await this.peer.peers.remove(request.peer_id ?? request.peer_address ?? '');
      return { status: 'removed', peer_id: request.peer_id };
    }
    const pending = await this.peer.pairing.join(request.peer_address ?? '', AbortSignal.timeout(20_000));
    return { status: 'waiting', peer_id: pending.peerId, pairing_id: pending.id, emoji: pending.emoji };
  }

  @Post('send')
  @HttpCode(200)
  async send(@Body({ schema: sendSchema }) { target, message }: z.infer<typeof sendSchema>): Promise<object> {
    const targets = typeof target === 'string' ? [target] : target;
    const { deliveries } = await this.peer.messages.broadcast(targets, 'data', message);
    return {
      deliveries: deliveries.map(({ name, id, state, code }) => ({
        target: name,
        ...(id === undefined ? {} : { message_id: id }),
        status: state,
        ...(code === undefined ? {} : { code }),
      })),
    };
  }
}
