/** Bounds of signalling, for one relay. */
export const signalLimits = {
  /** Devices registered at once. */
  devicesMax: 1_024,
  /** Sockets that have not registered yet: they take no device's place, and go after registerMs. */
  newcomersMax: 256,
  /** One message as it comes, bytes of UTF-8. A description with 64 candidates is 10 KiB. */
  messageBytesMax: 32_768,
  /** `peer_info`, `resources` and `node_status`, bytes of JSON each. */
  detailBytesMax: 4_096,
  /** Capabilities, and specializations, of one device, and the characters of each. */
  wordsMax: 64,
  wordLengthMax: 128,
  /** Devices in one `discovery_result`. */
  foundMax: 256,
  /** A socket that has not registered after this long is closed, milliseconds. */
  registerMs: 10_000,
  /** A device that says nothing for this long is gone, looked at so often, milliseconds. */
  silenceMs: 60_000,
  lookMs: 30_000,
  /** Descriptions and candidates of one device, and everything else it says. */
  signals: { burst: 240, perMinute: 120 },
  others: { burst: 60, perMinute: 60 },
  /** A socket that goes on after so many refusals for its rate is closed. */
  refusalsMax: 100,
  /** Bytes that may wait for a slow reader before its socket is cut. */
  waitingBytesMax: 1_048_576,
  /** Names of devices that left are kept for their keys so long, and so many, milliseconds. */
  nameMs: 86_400_000,
  namesMax: 8_192,
} as const;
export type SignalLimits = {
  readonly [Name in keyof typeof signalLimits]: (typeof signalLimits)[Name] extends number
    ? number
    : (typeof signalLimits)[Name];
};
