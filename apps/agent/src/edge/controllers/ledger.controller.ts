import { Controller, Get, HttpCode, Inject, Param, Post, Query } from '@nestjs/common';
import type { LedgerEntries, LedgerHead, LedgerVerification, Peer } from '@peerai/peer';
import { z } from 'zod';
import { PEER } from '../tokens.ts';

const rangeSchema = z.object({
  from: z.coerce.number().int().min(0).optional(),
  limit: z.coerce.number().int().min(1).max(500).default(50),
});
const indexSchema = z.coerce.number().int().min(0);

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
  entries(@Query({ schema: rangeSchema }) range: z.infer<typeof rangeSchema>): Promise<LedgerEntries> {
    return this.peer.books.entries(range);
  }

  @Post('verify')
  @HttpCode(200)
  verify(): Promise<LedgerVerification> {
    return this.peer.books.verify();
  }

  @Get('proofs/:index')
  prove(
    @Param('index', { schema: indexSchema }) index: number,
  ): Promise<{ readonly v: 1; readonly proof: string; readonly entry: string }> {
    return this.peer.books.prove(index);
  }
}
