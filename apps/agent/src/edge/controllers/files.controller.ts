import { Controller, Delete, Get, HttpCode, Inject, Param, Post, Query, Req, Res } from '@nestjs/common';
import { PeerAiError } from '@peerai/core-protocol';
import type { FilesView, FileView, Peer } from '@peerai/peer';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { goneSignal } from '../stream.ts';
import { PEER } from '../tokens.ts';

interface FileAnswer {
  readonly v: 1;
  readonly file: FileView;
}

/** Files to and from devices. A body here is the file itself, read as it comes. */
@Controller('api/v1/files')
export class FilesController {
  private readonly peer: Peer;
  constructor(@Inject(PEER) peer: Peer) {
    this.peer = peer;
  }

  @Get()
  list(): Promise<FilesView> {
    return this.peer.files.list();
  }

  @Post()
  @HttpCode(202)
  async send(
    @Query('to') to: unknown,
    @Query('name') name: unknown,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<FileAnswer> {
    if (typeof to !== 'string' || to === '') throw new PeerAiError('INVALID_FORMAT', 'to: one device');
    if (typeof name !== 'string') throw new PeerAiError('INVALID_FORMAT', 'name: one name');
    const bytes = request.body as AsyncIterable<Uint8Array> | undefined;
    if (request.headers['content-type'] !== 'application/octet-stream' || bytes === undefined) {
      throw new PeerAiError('INVALID_FORMAT', 'the body is the file, as application/octet-stream');
    }
    return { v: 1, file: await this.peer.files.send(to, name, bytes, goneSignal(reply)) };
  }

  @Get(':id')
  async one(@Param('id') id: string): Promise<FileAnswer> {
    return { v: 1, file: await this.peer.files.get(id) };
  }

  @Delete(':id')
  async end(@Param('id') id: string): Promise<FileAnswer> {
    return { v: 1, file: await this.peer.files.end(id) };
  }
}
