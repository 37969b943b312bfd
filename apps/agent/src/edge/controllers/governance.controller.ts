import { Body, Controller, Delete, Get, HttpCode, Inject, Param, Post, Query, Res } from '@nestjs/common';
import { PeerAiError } from '@peerai/core-protocol';
import type {
  GovernanceChainView,
  GovernanceDetail,
  GovernanceEvidenceView,
  GovernanceGroupsView,
  GovernanceHeadView,
  GovernanceLogView,
  GovernancePaidView,
  GovernanceProofView,
  GovernanceSaidView,
  GovernanceVerifyView,
  Peer,
} from '@peerai/peer';
import {
  governanceCreateSchema,
  governanceInviteSchema,
  governanceProposeSchema,
  governanceRewardSchema,
  governanceTransferSchema,
  governanceVoteSchema,
} from '@peerai/peer/schemas';
import type { FastifyReply } from 'fastify';
import type { z } from 'zod';
import { goneSignal } from '../stream.ts';
import { PEER } from '../tokens.ts';

/** Groups that decide together. */
@Controller('api/v1/governance')
export class GovernanceController {
  private readonly peer: Peer;
  constructor(@Inject(PEER) peer: Peer) {
    this.peer = peer;
  }

  @Get()
  list(): Promise<GovernanceGroupsView> {
    return this.peer.governance.list();
  }

  @Post()
  create(
    @Body({ schema: governanceCreateSchema }) { name, members }: z.output<typeof governanceCreateSchema>,
  ): Promise<GovernanceDetail> {
    return this.peer.governance.create(name, members);
  }

  @Get(':group')
  show(@Param('group') group: string): Promise<GovernanceDetail> {
    return this.peer.governance.show(group);
  }

  @Delete(':group')
  @HttpCode(204)
  leave(@Param('group') group: string): Promise<void> {
    return this.peer.governance.leave(group);
  }

  @Post(':group/join')
  @HttpCode(200)
  join(@Param('group') group: string): Promise<GovernanceDetail> {
    return this.peer.governance.join(group);
  }

  @Post(':group/members')
  @HttpCode(200)
  invite(
    @Param('group') group: string,
    @Body({ schema: governanceInviteSchema }) { peer }: z.output<typeof governanceInviteSchema>,
  ): Promise<GovernanceDetail> {
    return this.peer.governance.invite(group, peer);
  }

  @Post(':group/proposals')
  propose(
    @Param('group') group: string,
    @Body({ schema: governanceProposeSchema }) wish: z.output<typeof governanceProposeSchema>,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<GovernanceSaidView> {
    return this.peer.governance.propose(group, wish, goneSignal(reply));
  }

  @Post(':group/proposals/:proposal/votes')
  vote(
    @Param('group') group: string,
    @Param('proposal') proposal: string,
    @Body({ schema: governanceVoteSchema }) { choice }: z.output<typeof governanceVoteSchema>,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<GovernanceSaidView> {
    return this.peer.governance.vote(group, proposal, choice, goneSignal(reply));
  }

  @Post(':group/transfers')
  transfer(
    @Param('group') group: string,
    @Body({ schema: governanceTransferSchema }) wish: z.output<typeof governanceTransferSchema>,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<GovernancePaidView> {
    return this.peer.governance.transfer(group, wish, goneSignal(reply));
  }

  @Post(':group/rewards')
  reward(
    @Param('group') group: string,
    @Body({ schema: governanceRewardSchema }) wish: z.output<typeof governanceRewardSchema>,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<GovernancePaidView> {
    return this.peer.governance.reward(group, wish, goneSignal(reply));
  }

  @Get(':group/log')
  log(@Param('group') group: string): Promise<GovernanceLogView> {
    return this.peer.governance.log(group);
  }

  @Post(':group/verify')
  @HttpCode(200)
  verify(@Param('group') group: string): Promise<GovernanceVerifyView> {
    return this.peer.governance.verify(group);
  }

  @Get(':group/evidence')
  evidence(@Param('group') group: string): Promise<GovernanceEvidenceView> {
    return this.peer.governance.evidence(group);
  }

  @Get(':group/head')
  head(@Param('group') group: string): Promise<GovernanceHeadView> {
    return this.peer.governance.head(group);
  }

  @Get(':group/proofs/:index')
  prove(
    @Param('group') group: string,
    @Param('index') index: string,
    @Query('origin') origin?: string,
  ): Promise<GovernanceProofView> {
    if (!/^(?:0|[1-9]\d{0,14})$/u.test(index))
      throw new PeerAiError('INVALID_FORMAT', 'index is the place of an entry, a whole number from 0');
    return this.peer.governance.prove(group, Number(index), origin);
  }

  @Get(':group/blocks')
  blocks(@Param('group') group: string, @Query('from') from = '1'): Promise<GovernanceChainView> {
    if (!/^[1-9]\d{0,14}$/u.test(from))
      throw new PeerAiError('INVALID_FORMAT', 'from is the height of a block, a whole number from 1');
    return this.peer.governance.chain(group, Number(from));
  }
}
