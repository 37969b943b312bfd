import { Body, Controller, Get, HttpCode, Inject, Param, Post, Query, Res } from '@nestjs/common';
import { fromBase64Url } from '@peerai/core-protocol';
import type {
  LedgerEntries,
  LedgerHead,
  LedgerPageView,
  LedgerProof,
  LedgerVerification,
  LogsView,
  MessageCheckView,
  Peer,
  RepairView,
} from '@peerai/peer';
import { evidenceSchema, pardonSchema } from '@peerai/peer/schemas';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { goneSignal } from '../stream.ts';
import { PEER } from '../tokens.ts';

const originSchema = z.object({ origin: z.string().min(1).max(128).optional() });
const rangeSchema = originSchema.extend({
  from: z.coerce.number().int().min(0).max(Number.MAX_SAFE_INTEGER).optional(),
  limit: z.coerce.number().int().min(1).max(500).default(50),
});
const indexSchema = z.coerce.number().int().min(0).max(Number.MAX_SAFE_INTEGER);
type Range = z.infer<typeof rangeSchema>;
type Origin = z.infer<typeof originSchema>;

@Controller('api/v1/ledger')
export class LedgerController {
  private readonly peer: Peer;
  constructor(@Inject(PEER) peer: Peer) {
    this.peer = peer;
  }

  @Get('head')
  head(): Promise<LedgerHead> {
    return this.peer.books.head();
  }

  @Get('entries')
  entries(@Query({ schema: rangeSchema }) { origin, ...range }: Range): Promise<LedgerEntries> {
    return origin === undefined ? this.peer.books.entries(range) : this.peer.logs.entries(origin, range);
  }

  @Get('page')
  page(@Query({ schema: rangeSchema }) { origin, from = 0, limit }: Range): Promise<LedgerPageView> {
    return this.peer.logs.page(origin, from, limit);
  }

  @Post('verify')
  @HttpCode(200)
  verify(
    @Query({ schema: originSchema }) { origin }: Origin,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<LedgerVerification> {
    const signal = goneSignal(reply);
    return origin === undefined ? this.peer.books.verify(signal) : this.peer.logs.verify(origin, signal);
  }

  @Get('proofs/:index')
  prove(
    @Param('index', { schema: indexSchema }) index: number,
    @Query({ schema: originSchema }) { origin }: Origin,
  ): Promise<LedgerProof> {
    return this.peer.logs.prove(origin, index);
  }

  @Get('logs')
  logs(): Promise<LogsView> {
    return this.peer.logs.overview();
  }

  @Post('witness')
  @HttpCode(200)
  witness(@Res({ passthrough: true }) reply: FastifyReply): Promise<LogsView> {
    return this.peer.logs.witness(goneSignal(reply));
  }

  @Post('repair')
  @HttpCode(200)
  repair(@Res({ passthrough: true }) reply: FastifyReply): Promise<RepairView> {
    return this.peer.logs.repair(goneSignal(reply));
  }

  @Post('go-on')
  @HttpCode(200)
  goOn(): Promise<LogsView> {
    return this.peer.logs.goOn();
  }

  @Post('check')
  @HttpCode(200)
  check(@Res({ passthrough: true }) reply: FastifyReply): Promise<MessageCheckView> {
    return this.peer.logs.checkMessages(goneSignal(reply));
  }

  @Get('evidence/:origin')
  async evidence(@Param('origin') origin: string): Promise<{ readonly v: 1; readonly evidence: string }> {
    return { v: 1, evidence: await this.peer.logs.evidence(origin) };
  }

  @Post('evidence')
  @HttpCode(200)
  accuse(@Body({ schema: evidenceSchema }) { evidence }: z.output<typeof evidenceSchema>): Promise<LogsView> {
    return this.peer.logs.accuse(fromBase64Url(evidence));
  }

  @Post('pardons')
  @HttpCode(200)
  pardon(@Body({ schema: pardonSchema }) { origin, pardoned }: z.output<typeof pardonSchema>): Promise<LogsView> {
    return this.peer.logs.pardon(origin, pardoned);
  }
}
