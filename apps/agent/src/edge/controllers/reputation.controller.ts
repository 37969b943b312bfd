import { Controller, Delete, Get, Inject, Param } from '@nestjs/common';
import type { Peer, ReputationDetail, ReputationsView } from '@peerai/peer';
import { PEER } from '../tokens.ts';

@Controller('api/v1/reputation')
export class ReputationController {
  private readonly peer: Peer;
  constructor(@Inject(PEER) peer: Peer) {
    this.peer = peer;
  }

  @Get()
  list(): Promise<ReputationsView> {
    return this.peer.reputation.list();
  }

  @Get(':peer')
  one(@Param('peer') peer: string): Promise<ReputationDetail> {
    return this.peer.reputation.get(peer);
  }

  @Delete(':peer/refusal')
  letIn(@Param('peer') peer: string): Promise<ReputationDetail> {
    return this.peer.reputation.letIn(peer);
  }
}
