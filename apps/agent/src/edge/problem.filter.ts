import { type ArgumentsHost, Catch, type ExceptionFilter, HttpException } from '@nestjs/common';
import { type Logger, PeerAiError } from '@peerai/core-protocol';
import type { FastifyReply } from 'fastify';
import { problemOf } from './problem.ts';

/** Every failure of a control route as problem+json. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  private readonly logger: Logger;
  constructor(logger: Logger) {
    this.logger = logger;
  }

  catch(error: unknown, host: ArgumentsHost): void {
    const reply = host.switchToHttp().getResponse<FastifyReply>();
    const problem = problemOf(asOurs(error), reply.request.id);
    if (problem.status >= 500 && problem.code === 'INTERNAL') {
      this.logger.error('request-failed', {
        requestId: problem.requestId,
        error: error instanceof Error ? error.message : 'unknown',
      });
    }
    void reply.status(problem.status).type('application/problem+json').send(problem);
  }
}

/** Nest's and Fastify's own refusals (no such route, a body too long, broken JSON) with codes of ours. */
function asOurs(error: unknown): unknown {
  if (PeerAiError.is(error)) return error;
  const status = error instanceof HttpException ? error.getStatus() : (error as { statusCode?: unknown }).statusCode;
  if (typeof status !== 'number' || status >= 500) return error;
  const code = status === 404 ? 'NOT_FOUND' : status === 413 ? 'LIMIT_EXCEEDED' : 'INVALID_FORMAT';
  return new PeerAiError(code, (error as Error).message, { status });
}
