import { Body, Controller, Delete, Get, HttpCode, Inject, Param, Post, Query, Res } from '@nestjs/common';
import type {
  AnchoredView,
  DeployedView,
  DisputeDetail,
  EvidenceView,
  MarketOffersQuestion,
  MarketOffersView,
  MarketView,
  MeteredLeaseDetail,
  PayoutView,
  Peer,
  RewardsView,
  SettlementView,
  VerdictView,
} from '@peerai/peer';
import {
  disputeRequestSchema,
  judgeRequestSchema,
  leaseRequestSchema,
  marketOffersQuestionSchema,
  offerRequestSchema,
} from '@peerai/peer/schemas';
import type { FastifyReply } from 'fastify';
import type { z } from 'zod';
import { goneSignal } from '../stream.ts';
import { PEER } from '../tokens.ts';

@Controller('api/v1/market')
export class MarketController {
  private readonly peer: Peer;
  constructor(@Inject(PEER) peer: Peer) {
    this.peer = peer;
  }

  @Get()
  view(): Promise<MarketView> {
    return this.peer.market.view();
  }

  @Get('offers')
  offers(
    @Query({ schema: marketOffersQuestionSchema }) question: MarketOffersQuestion,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<MarketOffersView> {
    return this.peer.market.offers(goneSignal(reply), question);
  }

  @Post('offers')
  @HttpCode(200)
  offer(@Body({ schema: offerRequestSchema }) wish: z.output<typeof offerRequestSchema>): Promise<MarketView> {
    return this.peer.market.offer(wish);
  }

  @Delete('offers/:model')
  withdraw(@Param('model') model: string): Promise<MarketView> {
    return this.peer.market.withdraw(model);
  }

  @Post('leases')
  lease(
    @Body({ schema: leaseRequestSchema }) wish: z.output<typeof leaseRequestSchema>,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<MeteredLeaseDetail> {
    return this.peer.market.lease(wish, goneSignal(reply));
  }

  @Get('rewards')
  rewards(): Promise<RewardsView> {
    return this.peer.governance.rewards();
  }

  @Get('settlement')
  settlement(@Res({ passthrough: true }) reply: FastifyReply): Promise<SettlementView> {
    return this.peer.market.settlement.view(goneSignal(reply));
  }

  @Post('settlement/contract')
  deploy(@Res({ passthrough: true }) reply: FastifyReply): Promise<DeployedView> {
    return this.peer.market.settlement.deploy(goneSignal(reply));
  }

  @Post('settlement/anchor')
  @HttpCode(200)
  anchor(@Res({ passthrough: true }) reply: FastifyReply): Promise<AnchoredView> {
    return this.peer.market.settlement.anchor(goneSignal(reply));
  }

  @Post('settlement/payout')
  @HttpCode(200)
  payout(@Res({ passthrough: true }) reply: FastifyReply): Promise<PayoutView> {
    return this.peer.market.settlement.payout(goneSignal(reply));
  }

  @Post('leases/:id/settle')
  @HttpCode(200)
  settle(@Param('id') id: string, @Res({ passthrough: true }) reply: FastifyReply): Promise<MeteredLeaseDetail> {
    return this.peer.market.settle(id, goneSignal(reply));
  }

  @Post('leases/:id/dispute')
  @HttpCode(200)
  dispute(
    @Param('id') id: string,
    @Body({ schema: disputeRequestSchema }) { reason }: z.output<typeof disputeRequestSchema>,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<DisputeDetail> {
    return this.peer.market.dispute(id, reason, goneSignal(reply));
  }

  @Post('leases/:id/evidence')
  @HttpCode(200)
  evidence(
    @Param('id') id: string,
    @Body({ schema: disputeRequestSchema }) { reason }: z.output<typeof disputeRequestSchema>,
  ): Promise<EvidenceView> {
    return this.peer.market.evidence(id, reason);
  }

  @Post('evidence')
  @HttpCode(200)
  judge(@Body({ schema: judgeRequestSchema }) { evidence }: z.output<typeof judgeRequestSchema>): Promise<VerdictView> {
    return this.peer.market.judge(evidence);
  }
}
