import { Body, Controller, Delete, Get, HttpCode, Inject, Param, Patch, Post } from '@nestjs/common';
import type { DocumentContents, DocumentView, Peer } from '@peerai/peer';
import { documentChangeSchema, documentMembersSchema, documentRequestSchema } from '@peerai/peer/schemas';
import type { z } from 'zod';
import { PEER } from '../tokens.ts';

/** Documents that this peer and others write at the same time. */
@Controller('api/v1/state')
export class StateController {
  private readonly peer: Peer;
  constructor(@Inject(PEER) peer: Peer) {
    this.peer = peer;
  }

  @Get()
  async list(): Promise<{ readonly v: 1; readonly documents: readonly DocumentView[] }> {
    return { v: 1, documents: await this.peer.state.list() };
  }

  @Post()
  create(
    @Body({ schema: documentRequestSchema }) { name, members, group }: z.output<typeof documentRequestSchema>,
  ): Promise<DocumentView> {
    return this.peer.state.create({ name, members, ...(group === undefined ? {} : { group }) });
  }

  @Get(':document')
  read(@Param('document') document: string): Promise<DocumentContents> {
    return this.peer.state.read(document);
  }

  @Patch(':document')
  change(
    @Param('document') document: string,
    @Body({ schema: documentChangeSchema }) { set, remove, text }: z.output<typeof documentChangeSchema>,
  ): Promise<DocumentContents> {
    return this.peer.state.change(document, { set, remove, ...(text === undefined ? {} : { text }) });
  }

  @Delete(':document')
  @HttpCode(204)
  forget(@Param('document') document: string): Promise<void> {
    return this.peer.state.forget(document);
  }

  @Post(':document/members')
  share(
    @Param('document') document: string,
    @Body({ schema: documentMembersSchema }) { peers }: z.output<typeof documentMembersSchema>,
  ): Promise<DocumentView> {
    return this.peer.state.share(document, peers);
  }

  @Delete(':document/members/:peer')
  unshare(@Param('document') document: string, @Param('peer') peer: string): Promise<DocumentView> {
    return this.peer.state.unshare(document, peer);
  }
}
