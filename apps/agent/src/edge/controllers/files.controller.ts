import { Readable } from 'node:stream';
import { Controller, Delete, Get, HttpCode, Inject, Param, Post, Query, Req, Res } from '@nestjs/common';
import { PeerAiError } from '@peerai/core-protocol';
import type { FilesView, FileView, Peer } from '@peerai/peer';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { attachment } from '../attachment.ts';
import { fileBody } from '../file-body.ts';
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
    if (to === 'all' || to.startsWith('@') || to.includes(',')) {
      throw new PeerAiError('UNSUPPORTED', 'a file goes to one device; send it to each');
    }
    if (typeof name !== 'string') throw new PeerAiError('INVALID_FORMAT', 'name: one name');
    return { v: 1, file: await this.peer.files.send(to, name, fileBody(request), goneSignal(reply)) };
  }

  @Get(':id')
  async one(@Param('id') id: string): Promise<FileAnswer> {
    return { v: 1, file: await this.peer.files.get(id) };
  }

  /** A received file, to be saved. */
  @Get(':id/content')
  async content(@Param('id') id: string, @Res() reply: FastifyReply): Promise<void> {
    const { file, name, bytes } = await this.peer.files.read(id);
    void reply.headers(attachment(name, file.bytes)).send(Readable.from(bytes));
  }

  @Delete(':id')
  async end(@Param('id') id: string): Promise<FileAnswer> {
    return { v: 1, file: await this.peer.files.end(id) };
  }
}
