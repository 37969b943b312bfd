import { Body, Controller, Delete, Get, HttpCode, Inject, Param, Post, Query, Res } from '@nestjs/common';
import type {
  CapsuleDetail,
  CapsuleElsewhere,
  ConsolidationUndoneView,
  ConsolidationView,
  KeptCapsuleView,
  MemoryAddedView,
  MemoryFoundView,
  MemoryGraphView,
  MemoryListView,
  MemorySharedView,
  OwnDevicesView,
  Peer,
} from '@peerai/peer';
import { memoryAddSchema, memoryListQuestionSchema, memorySearchSchema, memoryShareSchema } from '@peerai/peer/schemas';
import type { FastifyReply } from 'fastify';
import type { z } from 'zod';
import { goneSignal } from '../stream.ts';
import { PEER } from '../tokens.ts';

@Controller('api/v1/memory')
export class MemoryController {
  private readonly peer: Peer;
  constructor(@Inject(PEER) peer: Peer) {
    this.peer = peer;
  }

  @Get()
  list(
    @Query({ schema: memoryListQuestionSchema }) question: z.output<typeof memoryListQuestionSchema>,
  ): Promise<MemoryListView> {
    return this.peer.memory.list(question);
  }

  @Post()
  add(
    @Body({ schema: memoryAddSchema }) request: z.output<typeof memoryAddSchema>,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<MemoryAddedView> {
    return this.peer.memory.add(request, goneSignal(reply));
  }

  @Post('search')
  @HttpCode(200)
  search(
    @Body({ schema: memorySearchSchema }) request: z.output<typeof memorySearchSchema>,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<MemoryFoundView> {
    return this.peer.memory.search(request, goneSignal(reply));
  }

  @Post('consolidate')
  @HttpCode(200)
  consolidate(@Res({ passthrough: true }) reply: FastifyReply): Promise<ConsolidationView> {
    return this.peer.memory.consolidate(goneSignal(reply));
  }

  @Post('consolidate/undo')
  @HttpCode(200)
  undo(): Promise<ConsolidationUndoneView> {
    return this.peer.memory.undoConsolidation();
  }

  @Get('graph')
  graph(): Promise<MemoryGraphView> {
    return this.peer.memory.graph();
  }

  @Get('devices')
  devices(): OwnDevicesView {
    return this.peer.ownDevices.view();
  }

  @Post('sync')
  @HttpCode(200)
  sync(@Res({ passthrough: true }) reply: FastifyReply): Promise<OwnDevicesView> {
    return this.peer.ownDevices.sync(goneSignal(reply));
  }

  @Get(':id')
  one(@Param('id') id: string): Promise<CapsuleDetail> {
    return this.peer.memory.get(id);
  }

  @Post(':id/share')
  @HttpCode(200)
  share(
    @Param('id') id: string,
    @Body({ schema: memoryShareSchema }) { to }: z.output<typeof memoryShareSchema>,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<MemorySharedView> {
    return this.peer.memory.share(id, to, goneSignal(reply));
  }

  @Delete(':id/share/:peer')
  @HttpCode(204)
  cancelShare(@Param('id') id: string, @Param('peer') peer: string): Promise<void> {
    return this.peer.memory.cancelShare(id, peer);
  }

  @Get(':id/at/:peer')
  oneAt(
    @Param('id') id: string,
    @Param('peer') peer: string,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<CapsuleElsewhere> {
    return this.peer.memory.readAt(id, peer, goneSignal(reply));
  }

  @Delete(':id')
  async forget(@Param('id') id: string): Promise<{ readonly v: 1; readonly capsule: KeptCapsuleView }> {
    return { v: 1, capsule: await this.peer.memory.forget(id) };
  }
}
