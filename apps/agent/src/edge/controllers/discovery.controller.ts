import { Body, Controller, Get, HttpCode, Inject, Post } from '@nestjs/common';
import type { CensusView, CrawlView, FindRequest, FoundView, Peer } from '@peerai/peer';
import { findRequestSchema } from '@peerai/peer/schemas';
import { PEER } from '../tokens.ts';

/** Longer than a search through the DHT and a walk take by themselves, milliseconds. */
const findMs = 15_000;
const crawlMs = 75_000;
/** Devices that are here are asked all at once, milliseconds. */
const censusMs = 10_000;

@Controller('api/v1/discovery')
export class DiscoveryController {
  private readonly peer: Peer;
  constructor(@Inject(PEER) peer: Peer) {
    this.peer = peer;
  }

  @Post('find')
  @HttpCode(200)
  find(@Body({ schema: findRequestSchema }) request: FindRequest): Promise<FoundView> {
    return this.peer.discovery.find(request, AbortSignal.timeout(findMs));
  }

  @Get('census')
  census(): Promise<CensusView> {
    return this.peer.census.take(AbortSignal.timeout(censusMs));
  }

  @Post('crawl')
  @HttpCode(200)
  crawl(): Promise<CrawlView> {
    return this.peer.discovery.crawl(AbortSignal.timeout(crawlMs));
  }
}
