/** What a checker goes by. Not beside the other limits, which a guest's page holds too. */
export const proofLimits = {
  /**
   * Nats. Where a checker's own choice was nearer than this to another one, its processor may choose otherwise: our decoder and ONNX Runtime were 4e-6 apart on what peers trained
   * together, llama.cpp 1.9e-5 on the nano model. Nobody is called a liar there.
   */
  answerMarginMin: 1e-3,
} as const;
