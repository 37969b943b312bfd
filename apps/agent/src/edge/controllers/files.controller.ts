import { Readable } from 'node:stream';
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
    if (to === 'all' || to.startsWith('@') || to.includes(',')) {
      throw new PeerAiError('UNSUPPORTED', 'a file goes to one device; send it to each');
    }
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

  /** A received file, to be saved: whatever it holds, no browser shows it as a page of this agent. */
  @Get(':id/content')
  async content(@Param('id') id: string, @Res() reply: FastifyReply): Promise<void> {
    const { file, name, bytes } = await this.peer.files.read(id);
    void reply
      .headers({
        'content-type': 'application/octet-stream',
        'content-length': file.bytes,
        'content-disposition': attachment(name),
        'content-security-policy': "default-src 'none'; sandbox",
        'x-content-type-options': 'nosniff',
        'cache-control': 'no-store',
      })
      .send(Readable.from(bytes));
  }

  @Delete(':id')
  async end(@Param('id') id: string): Promise<FileAnswer> {
    return { v: 1, file: await this.peer.files.end(id) };
  }
}

/** RFC 6266: the name in ASCII for old clients, and whole as RFC 8187 writes it. */
function attachment(name: string): string {
  const ascii = name.replaceAll(/[^A-Za-z0-9._()\- ]/gu, '_');
  const whole = encodeURIComponent(name).replaceAll(/['()*]/gu, (sign) => `%${sign.charCodeAt(0).toString(16)}`);
  return `attachment; filename="${ascii}"; filename*=UTF-8''${whole}`;
}
