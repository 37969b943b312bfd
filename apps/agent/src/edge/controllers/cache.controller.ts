import { Body, Controller, Delete, Get, HttpCode, Inject, Param, Post, Res } from '@nestjs/common';
import type { CacheView, FetchedView, Peer } from '@peerai/peer';
import { cacheRequestSchema } from '@peerai/peer/schemas';
import type { FastifyReply } from 'fastify';
import type { z } from 'zod';
import { goneSignal } from '../stream.ts';
import { PEER } from '../tokens.ts';

/** What was fetched from devices by its hash. */
@Controller('api/v1/cache')
export class CacheController {
  private readonly peer: Peer;
  constructor(@Inject(PEER) peer: Peer) {
    this.peer = peer;
  }

  @Get()
  list(): Promise<CacheView> {
    return this.peer.cache.view();
  }

  @Post()
  @HttpCode(200)
  fetch(
    @Body({ schema: cacheRequestSchema }) request: z.output<typeof cacheRequestSchema>,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<FetchedView> {
    return this.peer.cache.get(request, goneSignal(reply));
  }

  @Delete(':sha256')
  @HttpCode(204)
  remove(@Param('sha256') sha256: string): Promise<void> {
    return this.peer.cache.remove(sha256);
  }
}
