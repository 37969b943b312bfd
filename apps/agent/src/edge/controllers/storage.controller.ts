import { Readable } from 'node:stream';
import { Body, Controller, Delete, Get, HttpCode, Inject, Param, Post, Query, Req, Res } from '@nestjs/common';
import { PeerAiError } from '@peerai/core-protocol';
import type { MeteredLeaseDetail, Peer, StorageFoundView, StorageView, StoredFileDetail } from '@peerai/peer';
import { storageLeaseRequestSchema, storageOfferRequestSchema } from '@peerai/peer/schemas';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { attachment } from '../attachment.ts';
import { fileBody } from '../file-body.ts';
import { goneSignal } from '../stream.ts';
import { PEER } from '../tokens.ts';

/** Room for bytes at a price. A body of a file here is the file itself, read as it comes. */
@Controller('api/v1/market/storage')
export class StorageController {
  private readonly peer: Peer;
  constructor(@Inject(PEER) peer: Peer) {
    this.peer = peer;
  }

  @Get()
  view(): Promise<StorageView> {
    return this.peer.market.storage.view();
  }

  @Get('offers')
  offers(@Res({ passthrough: true }) reply: FastifyReply): Promise<StorageFoundView> {
    return this.peer.market.storage.offers(goneSignal(reply));
  }

  @Post('offers')
  @HttpCode(200)
  offer(
    @Body({ schema: storageOfferRequestSchema }) wish: z.output<typeof storageOfferRequestSchema>,
  ): Promise<StorageView> {
    return this.peer.market.storage.offer(wish);
  }

  @Delete('offers')
  withdraw(): Promise<StorageView> {
    return this.peer.market.storage.withdraw();
  }

  @Post('leases')
  lease(
    @Body({ schema: storageLeaseRequestSchema }) wish: z.output<typeof storageLeaseRequestSchema>,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<MeteredLeaseDetail> {
    return this.peer.market.storage.lease(wish, goneSignal(reply));
  }

  @Post('leases/:id/prove')
  @HttpCode(200)
  prove(@Param('id') id: string, @Res({ passthrough: true }) reply: FastifyReply): Promise<StorageView> {
    return this.peer.market.storage.prove(id, goneSignal(reply));
  }

  @Post('leases/:id/files')
  put(
    @Param('id') id: string,
    @Query('name') name: unknown,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<StoredFileDetail> {
    if (typeof name !== 'string') throw new PeerAiError('INVALID_FORMAT', 'name: one name');
    return this.peer.market.storage.put(id, name, fileBody(request), goneSignal(reply));
  }

  @Get('files/:id/content')
  async content(@Param('id') id: string, @Res() reply: FastifyReply): Promise<void> {
    const { file, bytes } = await this.peer.market.storage.read(id, goneSignal(reply));
    void reply.headers(attachment(file.name, file.bytes)).send(Readable.from(bytes));
  }

  @Delete('files/:id')
  remove(@Param('id') id: string, @Res({ passthrough: true }) reply: FastifyReply): Promise<StorageView> {
    return this.peer.market.storage.remove(id, goneSignal(reply));
  }
}
