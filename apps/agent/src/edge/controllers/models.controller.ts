import { Readable } from 'node:stream';
import { Body, Controller, Delete, Get, HttpCode, Inject, Param, Patch, Post, Query, Req, Res } from '@nestjs/common';
import { PeerAiError } from '@peerai/core-protocol';
import type {
  ImportedModelsView,
  ImportedModelView,
  ModelRunRequest,
  ModelRunView,
  ModelsView,
  OfferedRunsView,
  Peer,
} from '@peerai/peer';
import {
  type ExportFormat,
  exportQuestionSchema,
  modelPatchSchema,
  modelRunRequestSchema,
  offeredRunsQuestionSchema,
} from '@peerai/peer/schemas';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { attachment } from '../attachment.ts';
import { fileBody } from '../file-body.ts';
import { goneSignal } from '../stream.ts';
import { PEER } from '../tokens.ts';

@Controller('api/v1/models')
export class ModelsController {
  private readonly peer: Peer;
  constructor(@Inject(PEER) peer: Peer) {
    this.peer = peer;
  }

  @Get()
  list(): Promise<ModelsView> {
    return this.peer.models.list();
  }

  @Patch(':name')
  @HttpCode(204)
  expose(
    @Param('name') name: string,
    @Body({ schema: modelPatchSchema }) { exposed }: { readonly exposed: boolean },
  ): Promise<void> {
    return this.peer.models.expose(name, exposed);
  }

  /** Model files that take numbers, at other devices: at one of them, or at all that are here. */
  @Get('offered')
  offered(
    @Query({ schema: offeredRunsQuestionSchema }) { at }: { readonly at?: string | undefined },
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<OfferedRunsView> {
    return this.peer.modelRuns.offered(at, goneSignal(reply));
  }

  @Get('imported')
  imported(): Promise<ImportedModelsView> {
    return this.peer.modelRuns.list();
  }

  /** The body is the model file, read as it comes. */
  @Post('imported')
  add(
    @Query('name') name: unknown,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<ImportedModelView> {
    if (typeof name !== 'string') throw new PeerAiError('INVALID_FORMAT', 'name: one name');
    return this.peer.imported.add(name, fileBody(request), goneSignal(reply));
  }

  @Get('imported/:name')
  one(@Param('name') name: string): Promise<ImportedModelView> {
    return this.peer.modelRuns.get(name);
  }

  /** The body is its `tokenizer.json`, or that and what lies beside it in one JSON object by file names. */
  @Post('imported/:name/tokenizer')
  @HttpCode(200)
  addTokenizer(
    @Param('name') name: string,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<ImportedModelView> {
    return this.peer.imported.addTokenizer(name, fileBody(request), goneSignal(reply));
  }

  @Delete('imported/:name')
  @HttpCode(204)
  remove(@Param('name') name: string): Promise<void> {
    return this.peer.imported.remove(name);
  }

  /** Its weights as a file that other programs read, sent as it is read. */
  @Get(':name/export')
  async export(
    @Param('name') name: string,
    @Query({ schema: exportQuestionSchema }) { format }: { readonly format: ExportFormat },
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const file = await this.peer.own.export(name, format, goneSignal(reply));
    void reply.headers(attachment(file.name, file.bytes)).send(Readable.from(file.content));
  }

  /** Inference with an imported model, `model@device` on that device: tensors in, tensors out. */
  @Post(':name/run')
  @HttpCode(200)
  run(
    @Param('name') name: string,
    @Body({ schema: modelRunRequestSchema }) { inputs }: ModelRunRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<ModelRunView> {
    return this.peer.modelRuns.run(name, inputs, goneSignal(reply));
  }
}
