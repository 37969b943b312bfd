import { Body, Controller, Delete, Get, HttpCode, Inject, Param, Post } from '@nestjs/common';
import type { Peer, ShareRequest, ShareView } from '@peerai/peer';
import { shareRequestSchema } from '@peerai/peer/schemas';
import { PEER } from '../tokens.ts';

@Controller('api/v1/shares')
export class SharesController {
  private readonly peer: Peer;
  constructor(@Inject(PEER) peer: Peer) {
    this.peer = peer;
  }

  @Get()
  list(): { readonly v: 1; readonly shares: readonly ShareView[] } {
    return { v: 1, shares: this.peer.sharing.list() };
  }

  @Post()
  @HttpCode(201)
  create(@Body({ schema: shareRequestSchema }) request: ShareRequest): Promise<ShareView> {
    return this.peer.sharing.create(request);
  }

  @Delete(':id')
  stop(@Param('id') id: string): Promise<ShareView> {
    return this.peer.sharing.stop(id);
  }
}
