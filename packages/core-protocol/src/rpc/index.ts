export { callMethod, type CallDeps, type CallOptions, streamMethod } from './call.ts';
export type { Method } from './method.ts';
export { type CallContext, type MethodHandler, serveMethod } from './serve.ts';
