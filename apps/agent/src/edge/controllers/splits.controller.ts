import { Body, Controller, Delete, Get, HttpCode, Inject, Param, Post, Res } from '@nestjs/common';
import type { Peer, SplitsView, SplitView } from '@peerai/peer';
import { splitRequestSchema } from '@peerai/peer/schemas';
import type { FastifyReply } from 'fastify';
import type { z } from 'zod';
import { goneSignal } from '../stream.ts';
import { PEER } from '../tokens.ts';

/** Models whose layers several devices compute. */
@Controller('api/v1/models/splits')
export class SplitsController {
  private readonly peer: Peer;
  constructor(@Inject(PEER) peer: Peer) {
    this.peer = peer;
  }

  @Get()
  list(): Promise<SplitsView> {
    return this.peer.splits.list();
  }

  /** Answers when every stage is loaded where it belongs. */
  @Post()
  @HttpCode(201)
  create(
    @Body({ schema: splitRequestSchema }) wish: z.output<typeof splitRequestSchema>,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<SplitView> {
    return this.peer.splits.create(wish, goneSignal(reply));
  }

  @Delete(':name')
  @HttpCode(204)
  remove(@Param('name') name: string): Promise<void> {
    return this.peer.splits.remove(name);
  }
}
