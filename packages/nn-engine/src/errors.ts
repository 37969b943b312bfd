/** Codes this package throws besides the ground floor's. */
export type NnErrorCode =
  /** Shapes that do not fit; the details name the node and both shapes. */
  | 'SHAPE_MISMATCH'
  /** A gradient was asked through an operation that has none. */
  | 'NOT_DIFFERENTIABLE'
  /** The runtime does not accept the graph, or cannot keep a promise the caller asks for. */
  | 'MODEL_REFUSED'
  /** Bytes that are no ONNX model, or one that takes or gives what is no tensor here. */
  | 'MODEL_INVALID'
  /** An ONNX file with more bytes, nodes or tensors than are allowed. */
  | 'MODEL_TOO_LARGE'
  /** An ONNX file that wants to read another file. */
  | 'MODEL_EXTERNAL_DATA'
  /** A file that a model needs beside it was not given; the message names it. */
  | 'MODEL_FILE_MISSING'
  /** A model took more memory than it was given; its program is over. */
  | 'MODEL_MEMORY_EXCEEDED'
  /** A run took longer than `runMsMax`, or loading than `limits.loadMsMax`; the program is over. */
  | 'RUN_LIMIT'
  /** An optional package that this function needs is not installed, or a page does not serve its files. */
  | 'ENGINE_MISSING'
  /** A browser that cannot run graphs: without WebAssembly, SIMD or workers. */
  | 'UNSUPPORTED'
  /** The program was disposed, or its worker ended. */
  | 'PROGRAM_CLOSED'
  /** More runs wait than the limit allows. */
  | 'LIMIT_REACHED'
  /** The caller's signal fired. */
  | 'ABORTED'
  /** A question longer than the model's context. */
  | 'PROMPT_TOO_LONG'
  /** A model or checkpoint file that is cut, altered, or of another version. */
  | 'INVALID_FORMAT'
  /** An option outside the values it may have. */
  | 'INVALID_OPTION'
  /** A delta with an element that is not a finite number. */
  | 'NOT_FINITE'
  /** Fewer good updates came than the declared number of liars allows. */
  | 'TOO_FEW_UPDATES'
  /** A peer was asked to coordinate a run that another one coordinates; the details name it. */
  | 'NOT_LEADING'
  /** A data set's privacy budget does not allow another step. */
  | 'PRIVACY_SPENT'
  /** The shares of a masked sum's secret do not give it back: somebody sent a wrong one. */
  | 'SHARES_WRONG'
  /** A personal capsule: it never leaves the devices of its owner, and none is taken from another's. */
  | 'CAPSULE_PERSONAL'
  /** A capsule whose level does not allow whoever asks. */
  | 'CAPSULE_NOT_SHARED'
  /** A capsule that was forgotten here; a copy does not come back. */
  | 'CAPSULE_FORGOTTEN'
  /** The memory holds as many capsules or bytes as it may. */
  | 'MEMORY_FULL'
  /** Nobody is left who computes one of a model's stages; the details name it by its index. */
  | 'STAGE_LOST'
  /** A stage keeps other tokens of an answer than its driver thinks; the driver tells it all of them again. */
  | 'STAGE_CACHE_LOST';
