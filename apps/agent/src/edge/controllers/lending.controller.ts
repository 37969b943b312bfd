import { Body, Controller, Delete, Get, HttpCode, Inject, Param, Post, Res } from '@nestjs/common';
import type { EvidenceView, LeaseDetail, LeasesView, LendingView, NodeDispute, NodesView, Peer } from '@peerai/peer';
import { borrowRequestSchema, disputeRequestSchema, lendRequestSchema } from '@peerai/peer/schemas';
import type { FastifyReply } from 'fastify';
import type { z } from 'zod';
import { goneSignal } from '../stream.ts';
import { PEER } from '../tokens.ts';

@Controller('api/v1/nodes')
export class NodesController {
  private readonly peer: Peer;
  constructor(@Inject(PEER) peer: Peer) {
    this.peer = peer;
  }

  @Get()
  free(@Res({ passthrough: true }) reply: FastifyReply): Promise<NodesView> {
    return this.peer.nodeLending.free(goneSignal(reply));
  }

  @Get('lending')
  own(): Promise<LendingView> {
    return this.peer.nodeLending.own();
  }

  @Post('lending')
  @HttpCode(200)
  lend(@Body({ schema: lendRequestSchema }) wish: z.output<typeof lendRequestSchema>): Promise<LendingView> {
    return this.peer.nodeLending.lend(wish);
  }

  @Delete('lending')
  stop(): Promise<LendingView> {
    return this.peer.nodeLending.stopLending();
  }
}

@Controller('api/v1/leases')
export class LeasesController {
  private readonly peer: Peer;
  constructor(@Inject(PEER) peer: Peer) {
    this.peer = peer;
  }

  @Get()
  list(): Promise<LeasesView> {
    return this.peer.nodeLending.list();
  }

  @Post()
  borrow(
    @Body({ schema: borrowRequestSchema }) wish: z.output<typeof borrowRequestSchema>,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<LeaseDetail> {
    return this.peer.nodeLending.borrow(wish, goneSignal(reply));
  }

  @Get(':id')
  one(@Param('id') id: string): Promise<LeaseDetail> {
    return this.peer.nodeLending.get(id);
  }

  @Post(':id/end')
  @HttpCode(200)
  end(@Param('id') id: string): Promise<LeaseDetail> {
    return this.peer.nodeLending.giveBack(id);
  }

  @Post(':id/dispute')
  @HttpCode(200)
  dispute(
    @Param('id') id: string,
    @Body({ schema: disputeRequestSchema }) { reason }: z.output<typeof disputeRequestSchema>,
  ): Promise<NodeDispute> {
    return this.peer.nodeLending.dispute(id, reason);
  }

  @Post(':id/evidence')
  @HttpCode(200)
  evidence(
    @Param('id') id: string,
    @Body({ schema: disputeRequestSchema }) { reason }: z.output<typeof disputeRequestSchema>,
  ): Promise<EvidenceView> {
    return this.peer.nodeLending.evidence(id, reason);
  }
}
