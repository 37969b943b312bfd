/** Names on the shelf. */
export const fileOf = (sha256: string): string => `models/${sha256}.onnx`;
export const tokenizerOf = (sha256: string): string => `models/${sha256}.json`;
