/** One second of a fast local model. */
export const tokensPerSecond = 200;
export const answerTokens = 200;
export const modelName = `lorem-${answerTokens}`;

export interface EngineReady {
  readonly url: string;
}
