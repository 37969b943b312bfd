import { Body, Controller, Header, HttpCode, Inject, Post } from '@nestjs/common';
import { PeerAiError } from '@peerai/core-protocol';
import type { SessionCodeView, SessionView } from '@peerai/peer';
import { sessionRequestSchema } from '@peerai/peer/schemas';
import type { ControlHooks } from '../hooks.ts';
import { codeMsMax } from '../session-codes.ts';
import { CONTROL } from '../tokens.ts';

/** How a browser that `peerai open` starts comes to its key: who has the token gets a code, who has the code gets the token, once. */
@Controller('api/v1')
export class SessionController {
  private readonly control: ControlHooks;
  constructor(@Inject(CONTROL) control: ControlHooks) {
    this.control = control;
  }

  @Post('session-codes')
  @HttpCode(201)
  @Header('cache-control', 'no-store')
  makeCode(): SessionCodeView {
    return { v: 1, code: this.control.codes.make(), expiresInMs: codeMsMax };
  }

  @Post('session')
  @HttpCode(200)
  @Header('cache-control', 'no-store')
  begin(@Body({ schema: sessionRequestSchema }) { code }: { readonly code: string }): SessionView {
    if (this.control.codes.take(code)) return { v: 1, token: this.control.token };
    throw new PeerAiError('TOKEN_WRONG', 'this code was used, is too old, or is none', {
      hint: 'Open the dashboard anew with `peerai open`.',
    });
  }
}
