import { Body, Controller, Delete, Get, HttpCode, Inject, Param, Patch, Post } from '@nestjs/common';
import type { ModelsView, Peer, ShareRequest, ShareView } from '@peerai/peer';
import { modelPatchSchema, shareRequestSchema } from '@peerai/peer/schemas';
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

@Controller('api/v1/models')
export class ModelsController {
  private readonly peer: Peer;
  constructor(@Inject(PEER) peer: Peer) {
    this.peer = peer;
  }

  @Get()
  list(): Promise<ModelsView> {
    return this.peer.models.list();
  }

  @Patch(':name')
  @HttpCode(204)
  expose(
    @Param('name') name: string,
    @Body({ schema: modelPatchSchema }) { exposed }: { readonly exposed: boolean },
  ): Promise<void> {
    return this.peer.models.expose(name, exposed);
  }
}
