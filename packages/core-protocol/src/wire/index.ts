export type { Codec } from './codec.ts';
export { jsonCodec } from './json.ts';
export {
  bool,
  bytes,
  bytesView,
  double,
  type Field,
  type FieldTypes,
  message,
  nested,
  oneOf,
  optional,
  repeated,
  string,
  uint32,
  uint53,
  uint64,
} from './message.ts';
