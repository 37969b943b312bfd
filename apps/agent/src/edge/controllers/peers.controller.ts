import { Body, Controller, Delete, Get, HttpCode, Inject, Param, Patch, Post } from '@nestjs/common';
import type {
  CapabilitiesView,
  HandshakeView,
  InviteView,
  OlderPeerPatch,
  OlderPeerView,
  PairingsView,
  Peer,
  PeerPatch,
  PeerSessionView,
  PeerView,
  PendingPairing,
  Permission,
  PingView,
  TraceView,
  WakeView,
} from '@peerai/peer';
import {
  handshakeRequestSchema,
  inviteRequestSchema,
  joinRequestSchema,
  olderPeerPatchSchema,
  peerPatchSchema,
  wakeRequestSchema,
} from '@peerai/peer/schemas';
import type { z } from 'zod';
import { PEER } from '../tokens.ts';

/** Reaching a peer, a relayed and a direct path included, milliseconds. */
const reachMs = 20_000;
/** A model that loads, and the way there and back, milliseconds. */
const wakeMs = 30_000;

@Controller('api/v1/peers')
export class PeersController {
  private readonly peer: Peer;
  constructor(@Inject(PEER) peer: Peer) {
    this.peer = peer;
  }

  @Get()
  list(): { readonly v: 1; readonly peers: readonly PeerView[] } {
    return { v: 1, peers: this.peer.peers.list() };
  }

  @Get('sessions')
  sessions(): { readonly v: 1; readonly sessions: readonly PeerSessionView[] } {
    return { v: 1, sessions: this.peer.http.sessions.list() };
  }

  @Get('older')
  older(): { readonly v: 1; readonly peers: readonly OlderPeerView[] } {
    return { v: 1, peers: this.peer.olderPeers.list() };
  }

  @Patch('older/:name')
  changeOlder(
    @Param('name') name: string,
    @Body({ schema: olderPeerPatchSchema }) patch: OlderPeerPatch,
  ): Promise<OlderPeerView> {
    return this.peer.olderPeers.change(name, patch);
  }

  @Patch(':id')
  change(@Param('id') id: string, @Body({ schema: peerPatchSchema }) patch: PeerPatch): Promise<PeerView> {
    return this.peer.peers.change(id, patch);
  }

  @Delete(':id')
  @HttpCode(204)
  remove(@Param('id') id: string): Promise<void> {
    return this.peer.peers.remove(id);
  }

  @Get(':id/capabilities')
  capabilities(@Param('id') id: string): Promise<CapabilitiesView> {
    return this.peer.status.capabilities.of(id, AbortSignal.timeout(reachMs));
  }

  @Post(':id/wake')
  @HttpCode(200)
  wake(
    @Param('id') id: string,
    @Body({ schema: wakeRequestSchema }) wish: z.output<typeof wakeRequestSchema>,
  ): Promise<WakeView> {
    const { model, reason } = wish;
    const said = { ...(model === undefined ? {} : { model }), ...(reason === undefined ? {} : { reason }) };
    return this.peer.status.wake(id, said, AbortSignal.timeout(wakeMs));
  }

  @Post(':id/handshake')
  @HttpCode(200)
  handshake(
    @Param('id') id: string,
    @Body({ schema: handshakeRequestSchema }) how: z.output<typeof handshakeRequestSchema>,
  ): Promise<HandshakeView> {
    return this.peer.http.sessions.handshake(id, how, AbortSignal.timeout(reachMs));
  }

  @Post(':id/ping')
  @HttpCode(200)
  ping(@Param('id') id: string): Promise<PingView> {
    return this.peer.peers.ping(id, AbortSignal.timeout(reachMs));
  }

  @Post(':id/trace')
  @HttpCode(200)
  trace(@Param('id') id: string): Promise<TraceView> {
    return this.peer.paths.trace(id, AbortSignal.timeout(reachMs));
  }
}

@Controller('api/v1/pairings')
export class PairingsController {
  private readonly peer: Peer;
  constructor(@Inject(PEER) peer: Peer) {
    this.peer = peer;
  }

  @Get()
  list(): PairingsView {
    return this.peer.pairing.list();
  }

  @Post()
  @HttpCode(201)
  invite(
    @Body({ schema: inviteRequestSchema }) { allow }: { readonly allow: readonly Permission[] },
  ): Promise<InviteView> {
    return this.peer.pairing.invite(allow);
  }

  @Post('join')
  @HttpCode(200)
  join(@Body({ schema: joinRequestSchema }) { link }: { readonly link: string }): Promise<PendingPairing> {
    return this.peer.pairing.join(link, AbortSignal.timeout(reachMs));
  }

  @Get(':id')
  one(@Param('id') id: string): PendingPairing {
    return this.peer.pairing.get(id);
  }

  @Post(':id/accept')
  @HttpCode(200)
  accept(@Param('id') id: string): Promise<PendingPairing> {
    return this.peer.pairing.accept(id);
  }

  @Post(':id/reject')
  @HttpCode(200)
  reject(@Param('id') id: string): Promise<PendingPairing> {
    return this.peer.pairing.reject(id);
  }
}
