import { Body, Controller, Get, HttpCode, Inject, Post } from '@nestjs/common';
import type { Peer, StateMetricsView } from '@peerai/peer';
import { metricsWatchSchema } from '@peerai/peer/schemas';
import type { z } from 'zod';
import { PEER } from '../tokens.ts';

/** Heuristics about the state of clusters, here and at devices. */
@Controller('api/v1/metrics')
export class StateMetricsController {
  private readonly peer: Peer;
  constructor(@Inject(PEER) peer: Peer) {
    this.peer = peer;
  }

  @Get()
  now(): Promise<StateMetricsView> {
    return this.peer.metrics.view();
  }

  @Post('watch')
  @HttpCode(200)
  watch(
    @Body({ schema: metricsWatchSchema }) { forMs }: z.output<typeof metricsWatchSchema>,
  ): Promise<StateMetricsView> {
    return this.peer.metrics.watch(forMs);
  }
}
