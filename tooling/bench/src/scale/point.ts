/** What was measured of one network; every figure is the mean of its nodes. */
export interface Point {
  readonly nodes: number;
  /** Connections of a node. */
  readonly links: number;
  /** Memory in use beyond the modules, after a collection, bytes: JavaScript's and that of buffers. */
  readonly liveBytes: number;
  /** While nobody says anything, a second: bytes sent on sockets, and share of a processor. */
  readonly quietBytes: number;
  readonly quietProcessor: number;
  /** Bytes sent on sockets because the records of all nodes were announced anew, each once. */
  readonly announceBytes: number;
}
/** What a process of one network says. */
export interface Measured extends Point {
  /** Bytes that one kept record takes. */
  readonly recordBytes: number;
}
